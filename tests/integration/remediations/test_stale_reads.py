"""Settings that read back old for some seconds after a 200: read again, written once, and a fix all the same."""

from __future__ import annotations

import pytest

from consumer.core.outcome import Outcome
from tests.integration.remediations.cases import ACL, ALL
from tests.integration.remediations.workbench import Case, Workbench

LOG_BUCKET = "access-logs-cn-hangzhou"


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.remediation)
def test_a_change_that_shows_after_five_seconds_is_a_fix(bench: Workbench, case: Case) -> None:
    """Whatever the setting: one write, no failure."""
    bench.emulator.create_buckets([LOG_BUCKET])
    bench.create(case)
    bench.emulator.faults.add("stale", "GetBucket*", service="oss", seconds=5.0)
    before = len(bench.changes())
    ending = bench.repair(case)
    assert ending.outcome is Outcome.FIXED, ending
    assert len(bench.changes()) == before + 1


def test_a_change_that_does_not_show_in_time_is_made_once_and_looked_at_later(bench: Workbench) -> None:
    """Still old after the last look: failed, in words that count against nothing; later it is found compliant."""
    bench.create(ACL)
    fault = bench.emulator.faults.add("stale", "GetBucket*", service="oss", seconds=50.0)
    ending = bench.repair(ACL)
    assert (ending.outcome, ending.reason) == (Outcome.FAILED, "reads_back_old")
    assert bench.changes() == ["PutBucketAcl"]
    bench.emulator.faults.remove(fault)
    assert bench.repair(ACL).outcome is Outcome.ALREADY_COMPLIANT
