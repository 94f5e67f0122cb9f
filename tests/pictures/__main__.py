"""`make pictures`: the dashboards and the status page, as they look after a quarter of an hour of work and trouble.

And the report of a made-up week. It and the status page are drawn by Chromium. What draws the dashboards is a command
of yours, RENDER: it gets the file of a dashboard, the URL of a Prometheus and the file of the picture: a script that
imports the dashboard into a Grafana and takes a picture of its page, for instance. Without one the run waits at its
end, so that a Grafana can be pointed at its Prometheus.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from emulator.interruption import command
from emulator.process import in_process
from tests.browser import browser
from tests.deploy.boards import FILES, dashboard
from tests.deploy.live import scraping
from tests.deploy.needed import ROOT
from tests.pictures.scene import Scene, prepared
from tests.pictures.small import shrink
from tests.pictures.week import reported
from tests.ports import free_port

_IMAGES = ROOT / "docs" / "images"
_WIDTHS = {"phone": 390, "desk": 1280}


def _drawn(render: list[str], prometheus: str, folder: Path, minutes: float) -> None:
    """Each dashboard, over the time of the run."""
    for file in FILES:
        board = {**dashboard(file), "time": {"from": f"now-{max(1, round(minutes))}m", "to": "now"}}
        copy = folder / file
        copy.write_text(json.dumps(board), encoding="utf-8")
        picture = folder / f"dashboard-{file.removesuffix('.json')}.png"
        subprocess.run([*render, str(copy), prometheus, str(picture)], check=True)
        copy.unlink()
        shrink(picture)


def _photographed(port: int, folder: Path, profiles: Path) -> None:
    """The status page at a desk and on a phone, each in a browser of its own: the page reloads itself meanwhile."""
    pictures = {name: folder / f"status-{name}.png" for name in _WIDTHS}
    for name, picture in pictures.items():
        with browser(profiles / name) as page:
            page.open(f"http://127.0.0.1:{port}/", _WIDTHS[name])
            page.screenshot(picture)
    for picture in pictures.values():
        shrink(picture)


def _played(scene: Scene, seconds: int, step: Callable[[int], None]) -> None:
    """So many seconds of the run, each at its own time, however long what happens in it takes."""
    began = time.monotonic()
    for number in range(seconds):
        step(number)
        if number % 300 == 150:
            scene.catch_up()
        time.sleep(max(0.0, began + number + 1 - time.monotonic()))


def _run(out: Path, minutes: float, render: list[str], silence: Path | None) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        reported(folder, out)
        scene = prepared(stack.enter_context(in_process()), folder)
        ports = [free_port(), free_port()]
        prometheus = stack.enter_context(scraping(folder, *ports, seconds=5))
        first, second = [stack.enter_context(scene.replica(port)) for port in ports]
        _played(scene, round(minutes * 60), scene.second)
        _photographed(first.port, out, folder)
        if not render:
            input(f"Prometheus: {prometheus.url}; Enter ends the run. ")
            return
        _drawn(render, prometheus.url, out, minutes)
        if silence:
            _silent(scene, render, prometheus.url, silence, second.process.terminate)


def _silent(scene: Scene, render: list[str], prometheus: str, out: Path, stop: Callable[[], None]) -> None:
    """The same dashboards while a replica is down, while no poll is answered, and without any data, to be looked at."""
    stop()
    time.sleep(30)
    (down := out / "down").mkdir(parents=True, exist_ok=True)
    _drawn(render, prometheus, down, 15)
    scene.emulator.faults.add("error", "BatchReceiveMessage", service="mns", status=503, code="ServiceUnavailable")
    time.sleep(150)
    (failing := out / "failing").mkdir(exist_ok=True)
    _drawn(render, prometheus, failing, 15)
    (nothing := out / "nothing").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, scraping(Path(folder)) as empty:
        time.sleep(5)
        _drawn(render, empty.url, nothing, 15)


def main() -> int:
    """Draw them all."""
    parser = ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("--out", type=Path, default=_IMAGES, metavar="FOLDER", help="docs/images unless given")
    parser.add_argument("--minutes", type=float, default=15, help="of work before the pictures are taken (15)")
    parser.add_argument(
        "--silence", type=Path, metavar="FOLDER", help="also draw what is seen while replicas or their polls are silent"
    )
    parser.add_argument("--report", action="store_true", help="draw the report alone, which takes seconds")
    given = parser.parse_args()
    if given.report:
        with tempfile.TemporaryDirectory() as folder:
            reported(Path(folder), given.out)
        return 0
    _run(given.out, given.minutes, shlex.split(os.environ.get("RENDER", "")), given.silence)
    return 0


if __name__ == "__main__":
    command("pictures", main)
