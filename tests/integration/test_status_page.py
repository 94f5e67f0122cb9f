"""The status page of a whole worker, over HTTP and in a real browser."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from consumer.telemetry import status_page
from consumer.telemetry.http_messages import Response
from consumer.telemetry.http_server import HealthServer
from consumer.telemetry.status import ProcessStatus
from emulator.client import Emulator
from tests.browser import Browser, browser
from tests.emulation import eventually
from tests.integration.conftest import Run, Running
from tests.integration.queues import is_empty
from tests.unit.telemetry.test_status_page import CALM, HOSTILE, TROUBLED, filled

WIDTHS = {"phone": 390, "desk": 1280}


def shown(running: Running) -> str:
    """The page of a worker."""
    assert running.service.health
    with urllib.request.urlopen(f"http://127.0.0.1:{running.service.health.port}/") as answer:
        assert answer.status == 200
        page: str = answer.read().decode()
        return page


def shows(running: Running, *texts: str) -> bool:
    """Whether all of this stands on one page of a worker."""
    page = shown(running)
    return all(text in page for text in texts)


EXPOSED = '<p class="word">Yes</p><p>the oldest for'


def test_a_worker_says_what_it_does_and_what_keeps_it(channel: Emulator, run: Run) -> None:
    """A bucket is exposed while changes are paused, and is not once they go on; each is to be read."""
    channel.create_buckets(["photos"], acl="public-read")
    with run(retry__hold_seconds="1") as running:
        running.service.pause()
        eventually(lambda: shows(running, EXPOSED, "changes are paused by a signal", "<b>photos</b>"))
        running.service.resume()
        eventually(lambda: is_empty(channel))
        eventually(lambda: shows(running, ">fixed</span><b>photos</b>", "public-read <i>→</i> private"))
        eventually(lambda: EXPOSED not in shown(running))


def test_whoever_wants_no_page_has_none(run: Run) -> None:
    """The probes and the metrics are as ever."""
    with run(http__status_page="false") as running:
        assert running.service.health
        url = f"http://127.0.0.1:{running.service.health.port}"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{url}/")
        assert refused.value.code == 404
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            assert b"remediator_build_info" in answer.read()


@contextmanager
def served(status: ProcessStatus) -> Iterator[str]:
    """A page on a real health port."""

    def draw() -> Response:
        return status_page.response(status)

    server = HealthServer("127.0.0.1", 0, CollectorRegistry(), live=str, ready=str, draw=draw)
    server.start()
    try:
        yield f"http://127.0.0.1:{server.port}/"
    finally:
        server.close()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all of these."""
    with browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.mark.parametrize("status", [CALM, TROUBLED, *map(filled, HOSTILE[:6])])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_it_fits_loads_nothing_and_runs_nothing(status: ProcessStatus, width: int, chromium: Browser) -> None:
    """At the width of a phone and of a desk: no sideways scrolling, one request, no complaint, and it is styled."""
    with served(status) as url:
        chromium.open(url, width)
        assert chromium.value("document.documentElement.scrollWidth") <= width
        outside = "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth)"
        assert chromium.value(f"{outside}.length") == 0
        assert chromium.value("document.scripts.length") == 0
        assert chromium.value("getComputedStyle(document.querySelector('.tiles')).display") == "grid"
        assert [each for each in chromium.requested() if not each.endswith("favicon.ico")] == [url]
        assert chromium.problems() == []


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_stands_out_from_its_ground(dark: bool, chromium: Browser) -> None:
    """By the contrast that WCAG 2.1 AA asks for, in the light and in the dark."""
    with served(TROUBLED) as url:
        chromium.open(url, 1_280, dark=dark)
        grounds = chromium.value("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, grounds[4:-1].split(","))) < 3 * 128) is dark
        assert chromium.value(_CONTRASTS) == []


_CONTRASTS = """
(() => {
  const numbers = text => text.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const found = numbers(getComputedStyle(e).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const worst = [];
  for (const e of document.querySelectorAll("body *")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [one, two] = [light(numbers(getComputedStyle(e).color)), light(ground(e))].sort((a, b) => b - a);
    if ((one + 0.05) / (two + 0.05) < 4.5) worst.push(e.outerHTML.slice(0, 80));
  }
  return worst;
})()
"""


def test_pictures_can_be_taken_of_it(chromium: Browser, tmp_path: Path) -> None:
    """In the light and in the dark, for a person to look at: SCREENSHOTS names the folder."""
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    for name, width in WIDTHS.items():
        for dark in (False, True):
            with served(TROUBLED) as url:
                chromium.open(url, width, dark=dark)
                picture = folder / f"status-{name}{'-dark' if dark else ''}.png"
                chromium.screenshot(picture)
                assert picture.stat().st_size > 10_000
