"""What people see of a run of catch-up: first what is sent, and for how long an event is still kept back."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from consumer.operator.catch_up.listing import Listing
from consumer.operator.catch_up.plan import Decision, EventSeen, KeptBack, Planned, PlanOptions, QueuedWork
from consumer.operator.catch_up.view import Run
from consumer.reevaluation.catch_up import key_of
from tests.unit.test_catch_up import NOW_MS, decided, violation

PHOTOS = ("cr-1", "1234567890123456", "photos")


def parked(seconds: int, how: EventSeen = EventSeen.PARKED) -> QueuedWork:
    """The worker keeps an event for it for so long."""
    return QueuedWork(kept={PHOTOS: KeptBack(how, NOW_MS + seconds * 1000, "m-2")})


def drawn(*planned: Planned) -> str:
    """The tables and lines of a run."""
    console = Console(file=StringIO(), width=200)
    Run(Listing(), planned, NOW_MS, applied=False).draw(console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("how", [EventSeen.PARKED, EventSeen.HIDDEN])
@pytest.mark.parametrize(("seconds", "left"), [(1, "1 s"), (119, "119 s"), (1_800, "30 min"), (43_200, "12 h")])
def test_what_is_kept_back_is_left_and_shown_with_its_time(how: EventSeen, seconds: int, left: str) -> None:
    """Nothing is sent for it, however long it waits."""
    found = decided(seen=parked(seconds, how))
    assert (found.decision, found.event) == (Decision(how.value), how)
    assert f"{how.value}, {left} left" in drawn(found)
    assert f"left: {how.value}, comes back by itself" in drawn(found)


@pytest.mark.parametrize(
    ("choice", "seen", "changes", "decision", "event"),
    [
        (PlanOptions(min_age_seconds=10**6), {}, {}, "parked", "parked"),
        (PlanOptions(), {"sent": {key_of(violation()): NOW_MS - 1}}, {}, "parked", "parked"),
        (PlanOptions(), {"waiting": {PHOTOS}}, {}, "waiting", "waiting"),
        (PlanOptions(), {"dead_letters": {PHOTOS}}, {}, "dead_letter", "dead_letter"),
        (PlanOptions(), {}, {"mode": "observe"}, "observed", "parked"),
        (PlanOptions(include_observing=True), {}, {"mode": "observe"}, "parked", "parked"),
        (PlanOptions(rules=frozenset({"another"})), {}, {}, "filtered", "parked"),
        (PlanOptions(), {}, {"since_ms": NOW_MS - 10**6}, "parked", "parked"),
    ],
)
def test_what_else_is_known_goes_before_or_after(
    choice: PlanOptions, seen: dict[str, Any], changes: dict[str, Any], decision: str, event: str
) -> None:
    """What is in sight says more than a journal, and a journal more than what was sent once; its beginning is none."""
    found = decided(choice, QueuedWork(kept=parked(60).kept, **seen), **changes)
    assert (found.decision, found.event) == (decision, event)
    assert found.kept is not None, "scripts see all that is known"


def test_what_is_sent_is_shown_first() -> None:
    """A table has fifty rows: what has to be done is not beyond them, however much older all is that was left."""
    left = [decided(seen=parked(60), since_ms=number) for number in range(60)]
    to_send = [decided(resource_id=name, since_ms=10**6) for name in ("films", "songs")]
    rows = [line.split()[2:3] for line in drawn(*left, *to_send).splitlines() if " enforce " in line]
    assert rows[:3] == [["films"], ["songs"], ["photos"]]
