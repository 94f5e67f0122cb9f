"""A real Chromium without a window, driven over a pipe by the DevTools protocol; tests that need it skip without one.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import fcntl
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe")

_AS_THREE_AND_FOUR = """\
import os, sys
for end, wanted in zip(sys.argv[1:3], (3, 4)):
    os.dup2(int(end), wanted)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Where the browser expects the pipes to be."""

Json = dict[str, Any]


class Browser:
    """One page in one browser."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._numbers = itertools.count(1)
        self._buffer = b""
        self.events: list[Json] = []
        """What the page reported besides, in order: requests, console messages, problems."""
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime", "Audits"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Json:
        """One command and its result."""
        number = next(self._numbers)
        command: Json = {"id": number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") == number:
                assert "error" not in message, message
                result: Json = message["result"]
                return result
            self.events.append(message)

    def open(self, url: str, width: int, *, dark: bool = False, height: int = 900) -> None:
        """Open a page as wide as that, and wait until it is there."""
        self.events.clear()
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        self.call("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._message())

    def value(self, expression: str) -> Any:
        """What a JavaScript expression comes to in the page, whatever the page itself may run."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def screenshot(self, path: Path, until: str = "document.documentElement.scrollHeight") -> None:
        """Write a picture of the page, down to where the expression says, in pixels: its end unless given."""
        box = self.value(f"[innerWidth, document.documentElement.scrollHeight, Math.floor({until})]")
        size = {"width": box[0], "height": box[1]}
        self.call("Emulation.setDeviceMetricsOverride", **size, deviceScaleFactor=1, mobile=box[0] < 500)
        clip = {"x": 0, "y": 0, "width": box[0], "height": box[2], "scale": 1}
        picture = self.call("Page.captureScreenshot", clip=clip)["data"]
        path.write_bytes(base64.b64decode(picture))

    def requested(self) -> list[str]:
        """Every URL that was asked for since the page was opened."""
        sent = [event for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def problems(self) -> list[Json]:
        """What the browser has to complain about, but for a missing favicon."""
        told = [
            event
            for event in self.events
            if event.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown", "Audits.issueAdded")
        ]
        return [event for event in told if "favicon" not in json.dumps(event)]

    def _message(self) -> Json:
        while b"\0" not in self._buffer:
            read = os.read(self._answers, 1 << 16)
            assert read, "the browser has ended"
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        found: Json = json.loads(message)
        return found


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with a profile of its own."""
    program = next((path for path in map(shutil.which, _NAMES) if path), None)
    if program is None:
        pytest.skip("no Chromium is installed")
    (in_read, in_write), (out_read, out_write) = os.pipe(), os.pipe()
    # Above those that the browser expects them to be, so that putting them there overwrites neither.
    reads, writes = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (in_read, out_write))
    command = [sys.executable, "-c", _AS_THREE_AND_FOUR, str(reads), str(writes), program]
    command += [*_OPTIONS, f"--user-data-dir={profile}"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, pass_fds=(reads, writes), stdin=quiet, stdout=quiet, stderr=quiet)
    for end in (in_read, out_write, reads, writes):
        os.close(end)
    try:
        yield Browser(in_write, out_read)
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
        os.close(in_write)
        os.close(out_read)
