# ruff: noqa: INP001 - it is no module of a package: Python imports it by its name at the start
"""The network that a foreign suite sees: the service's names lead to the emulator, no other name leads anywhere.

Python imports this by itself, because the directory is on the suite's PYTHONPATH. Pauses are cut short: suites wait
for the service's caches, of which the emulator has none. Chance is the same in every run: some tests choose by it
whether they encrypt with KMS.
"""

from __future__ import annotations

import os
import random
import re
import socket
import time
from typing import Any

_PORT = int(os.environ["COMPAT_OSS_PORT"])
_OSS = re.compile(r"([a-z0-9-]+\.)?oss-[a-z0-9-]+\.aliyuncs\.com", re.ASCII)
_LONGEST_PAUSE_SECONDS = 0.01
_resolve, _sleep = socket.getaddrinfo, time.sleep


def _emulated(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", "127.0.0.1", "::1"):
        return _resolve(host, port, *rest, **more)
    if _OSS.fullmatch(name) and port in (80, "80"):
        return _resolve("127.0.0.1", _PORT, *rest, **more)
    raise socket.gaierror(socket.EAI_NONAME, f"{name}: not part of the emulation")


random.seed(0)
socket.getaddrinfo = _emulated
time.sleep = lambda seconds: _sleep(min(seconds, _LONGEST_PAUSE_SECONDS))
