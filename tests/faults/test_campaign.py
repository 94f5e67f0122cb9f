"""The short form of the fault campaign; `make faults` runs the long one."""

from __future__ import annotations

from rich.console import Console

from tests.emulation import eventually
from tests.faults.campaigning import Order, run, show
from tests.faults.stage import READ_RULE, Stage
from witness import Ending


def test_every_promise_holds_under_seeded_fire() -> None:
    """300 happenings, 4 kills and all else that goes wrong, parking all the while: no violation by the journal."""
    result = run(Order(seed=20_26, events=300, kills=4, replicas=2, events_per_second=10))
    if not result.passed:
        show(Console(width=120), result)
    assert result.passed
    assert len(result.verdict.messages) >= 300
    assert result.verdict.repairs >= 50
    assert sum(result.injected.values()) >= 20
    assert result.verdict.copies >= 10
    assert result.verdict.endings[Ending.PARKED] >= 10
    assert result.happened["too large to park"] >= 1
    assert result.injected["partition from the queue"] >= 1
    assert result.injected["queue deleted and created anew"] >= 1


def test_only_messages_about_what_is_held_may_be_left(stage: Stage) -> None:
    """However few of those there are: one about something else is never counted in their place."""
    config = stage.emulator.config
    config.publish(bucket="held", rule=READ_RULE, count=2)
    eventually(lambda: stage.waiting() == 2)
    assert stage.waiting(held={"held", "held, and its messages gone"}) == 0

    config.publish(bucket="ours", rule=READ_RULE)
    eventually(lambda: stage.waiting() == 3)
    assert stage.waiting(held={"held", "held, and its messages gone"}) == 1
