"""The table of threads in docs/architecture.md is complete: no other thread exists while a worker is at work."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.conftest import Run
from tests.integration.queues import is_empty

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"

NAMED = {
    "poller": r"poller-\d+",
    "workers": r"worker-\d+",
    "lease keepers": r"lease-keeper-\d+",
    "settlers": r"settler-[a-z_-]*\d+",
    "queue sampler": r"queue-sampler",
    "credentials": r"credentials",
    "re-evaluation": r"reevaluation",
    "announcements": r"announcements",
    "signals": r"signals",
    "log writer": r"log-writer",
    "health server": r"health",
    "metrics renderer": r"health-metrics",
    "name look-up": r"name-lookup",
    "supervisor": r"MainThread",
}
"""Each row of the table by its first words, and how its threads are called."""


def rows() -> list[str]:
    """The first column of the table, without what stands in brackets."""
    table = PAGE.read_text(encoding="utf-8").partition("\n## Threads\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| ([^|]+?) \|", table, re.MULTILINE)
    return [re.sub(r" \(.*", "", row) for row in found if row not in ("thread", "---")]


def test_the_table_and_the_names_are_about_the_same_threads() -> None:
    """A row that is added or renamed needs a name here."""
    assert sorted(rows()) == sorted(NAMED)


@pytest.mark.parametrize("zone", ["CST-8", ""])
def test_no_other_thread_exists_while_a_worker_is_at_work(
    zone: str, run: Run, channel: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at again and again while buckets are repaired, with everything switched on that has a thread."""
    pytest.importorskip("alibabacloud_config20200907")
    monkeypatch.setenv("TZ", zone)
    before = set(threading.enumerate())
    channel.create_buckets(count=40, acl="public-read")
    seen: set[str] = set()
    expected = {"credentials", "reevaluation", "announcements", "queue-sampler", "poller-1", "worker-1"}

    def look() -> bool:
        seen.update(each.name for each in threading.enumerate() if each not in before)
        return is_empty(channel) and seen >= expected  # the last ones may start when the first ones are at work

    more = f'[reevaluate]\nenabled = true\nendpoint = "{channel.control.url}"\n[announce]\ntopic = "announcements"\n'
    with run(more):
        eventually(look)
    patterns = [re.compile(each) for each in NAMED.values()]
    ours = {name for name in seen if not name.startswith("Thread-")}  # the one that this test runs the worker in
    assert {name for name in ours if not any(each.fullmatch(name) for each in patterns)} == set()
    assert expected <= ours
    assert len(seen - ours) == 1, seen - ours
