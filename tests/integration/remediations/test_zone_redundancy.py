"""Zone redundancy: started once, waited for, never undone."""

from __future__ import annotations

import pytest

from consumer.core.errors import Refused
from consumer.core.outcome import Outcome
from consumer.remediations.base import Change
from tests.emulation import eventually
from tests.integration.remediations.workbench import Case, Workbench

ZRS = Case("oss.zrs", {}, "oss-zrs-enabled", options={"acknowledge_one_way_and_cost": True})
_LONG_ENOUGH_SECONDS = 30 * 86400


def test_the_move_is_started_once_and_the_message_held_until_it_is_over(bench: Workbench) -> None:
    """Held while the task runs, however often it is delivered, and compliant once the bucket has moved."""
    bench.create(ZRS)
    assert bench.verdict(ZRS) == "NON_COMPLIANT"

    first, second = bench.repair(ZRS), bench.repair(ZRS)

    for ending in (first, second):
        assert (ending.outcome, ending.reason, ending.hold_seconds) == (Outcome.HELD, "in_progress", 600)
    assert (first.before, first.after) == ("LRS", "LRS")
    assert bench.changes() == ["CreateBucketDataRedundancyTransition"]
    assert bench.actions <= set(ZRS.build().actions)

    bench.emulator.advance(_LONG_ENOUGH_SECONDS)
    eventually(lambda: bench.verdict(ZRS) == "COMPLIANT")
    bench.emulator.advance(-_LONG_ENOUGH_SECONDS)  # or our signatures were too old for the emulated clock
    assert bench.repair(ZRS).outcome is Outcome.ALREADY_COMPLIANT
    assert bench.actions == set(), "its tasks are of no interest any more"


def test_a_move_that_somebody_started_is_waited_for(bench: Workbench) -> None:
    """A task that is there already, even one started between look and change, is not started twice."""
    bench.create(ZRS)

    ending = bench.repair(ZRS, meanwhile=lambda: bench.bucket().start_zone_redundancy())

    assert (ending.outcome, ending.reason) == (Outcome.HELD, "in_progress")
    assert bench.changes() == ["CreateBucketDataRedundancyTransition"]


@pytest.mark.parametrize("kind", ["lost_reply", "reset_after", "damaged_xml"])
def test_a_lost_answer_starts_no_second_move(bench: Workbench, kind: str) -> None:
    """The second try of the same request finds the task of the first."""
    bench.create(ZRS)
    bench.emulator.faults.add(kind, "CreateBucketDataRedundancyTransition", count=1)

    assert bench.repair(ZRS).outcome is Outcome.HELD
    assert bench.changes() == ["CreateBucketDataRedundancyTransition"]


def test_a_bucket_that_cannot_move_is_rejected(bench: Workbench) -> None:
    """Cold archive buckets do not move."""
    bench.create(ZRS)
    code = "BucketDataRedundancyTypeNotSupport"
    bench.emulator.faults.add("error", "CreateBucketDataRedundancyTransition", status=409, code=code)

    ending = bench.repair(ZRS)

    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, code)


def test_undo_is_refused(bench: Workbench) -> None:
    """There is no way back, and it is said before anything is sent."""
    bench.create(ZRS)

    with pytest.raises(Refused):
        ZRS.build().revert(bench.bucket(), Change("LRS", "ZRS"))
    assert bench.changes() == []
