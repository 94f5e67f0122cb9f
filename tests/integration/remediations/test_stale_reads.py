"""Settings that read back old for some seconds after a 200: looked at later, written once, and a fix all the same."""

from __future__ import annotations

import pytest

from consumer.core.outcome import Ending, Outcome
from tests.integration.remediations.cases import ACL, ALL, HTTPS, POLICY, TAGS
from tests.integration.remediations.workbench import Case, Workbench

LOG_BUCKET = "access-logs-cn-hangzhou"


def repaired(bench: Workbench, case: Case) -> Ending:
    """The ending of the delivery in which the change shows, or is overdue."""
    ending = bench.repair(case)
    while (ending.outcome, ending.reason) == (Outcome.HELD, "reads_back_old"):
        bench.sleep(ending.hold_seconds or 0.0)
        ending = bench.repair(case)
    return ending


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.remediation)
def test_a_change_that_shows_after_five_seconds_is_a_fix(bench: Workbench, case: Case) -> None:
    """Whatever the setting: one write, no failure, and what was found before the write can be put back."""
    bench.emulator.create_buckets([LOG_BUCKET])
    bench.create(case)
    found = bench.settings()
    bench.emulator.faults.add("stale", "GetBucket*", service="oss", seconds=5.0)
    before = len(bench.changes())
    assert bench.repair(case).reason == "reads_back_old"
    ending = repaired(bench, case)
    assert ending.outcome is Outcome.FIXED, ending
    assert len(bench.changes()) == before + 1
    bench.emulator.faults.clear()
    bench.undo(case, ending)
    assert bench.settings() == found


def test_a_change_that_does_not_show_in_time_is_made_once_and_looked_at_later(bench: Workbench) -> None:
    """Still old after half a minute: failed, in words that count against nothing; later it is found compliant."""
    bench.create(ACL)
    bench.emulator.faults.add("stale", "GetBucket*", service="oss", seconds=50.0)
    ending = repaired(bench, ACL)
    assert (ending.outcome, ending.reason) == (Outcome.FAILED, "reads_back_old")
    assert bench.changes() == ["PutBucketAcl"]
    bench.emulator.faults.clear()
    assert bench.repair(ACL).outcome is Outcome.ALREADY_COMPLIANT


def test_a_change_is_not_planned_on_a_state_in_which_another_one_does_not_show(bench: Workbench) -> None:
    """Two repairs of one policy: written from what still reads old, the second one would take the first one back."""
    bench.create(POLICY)
    bench.emulator.faults.add("stale", "GetBucket*", service="oss", seconds=5.0)
    assert bench.repair(POLICY).reason == "reads_back_old"
    waits = bench.repair(HTTPS)
    assert (waits.outcome, waits.reason) == (Outcome.HELD, "reads_back_old")
    assert bench.changes() == ["PutBucketPolicy"]
    bench.sleep(5.0)
    assert repaired(bench, HTTPS).outcome is Outcome.FIXED
    assert repaired(bench, POLICY).outcome is Outcome.FIXED
    assert bench.changes() == ["PutBucketPolicy"] * 2
    policy = str(bench.settings()["policy"])
    assert "acs:SecureTransport" in policy
    assert bench.repair(POLICY).outcome is bench.repair(HTTPS).outcome is Outcome.ALREADY_COMPLIANT


def test_a_change_of_another_setting_waits_for_nothing(bench: Workbench) -> None:
    """That the ACL does not show yet says nothing about tags."""
    bench.create(ACL)
    bench.emulator.faults.add("stale", "GetBucketInfo", service="oss", seconds=5.0)
    assert bench.repair(ACL).reason == "reads_back_old"
    assert bench.repair(TAGS).outcome is Outcome.FIXED
