"""What cannot be repaired safely: told, settled as configured, never touched."""

from __future__ import annotations

import pytest

from consumer.core.outcome import SETTLED_BY, Outcome, Settlement
from consumer.guards.rule import Mode
from tests.integration.remediations.workbench import BUCKET, Case, Workbench


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(
    ("settle", "settlement"),
    [("hold", Settlement.HOLD), ("dead_letter", Settlement.DEAD_LETTER), ("delete", Settlement.DELETE)],
)
def test_it_is_settled_as_configured_and_nothing_is_touched(
    bench: Workbench, mode: Mode, settle: str, settlement: Settlement
) -> None:
    """Whatever the mode, nothing but GetBucketInfo is asked and nothing is changed."""
    case = Case("oss.report", {"acl": "public-read"}, options={"settle": settle})
    bench.create(case)

    ending = bench.repair(case, mode=mode)

    assert SETTLED_BY[ending.outcome] is settlement
    assert (ending.reason, ending.before, ending.after) == ("report_only", "", "")
    assert (bench.actions, bench.changes()) == (set(), [])


def test_a_report_about_a_bucket_that_is_gone_is_over(bench: Workbench) -> None:
    """Nobody has to look at a bucket that does not exist."""
    case = Case("oss.report", {})
    bench.create(case)
    bench.emulator.delete_bucket(BUCKET)

    assert bench.repair(case).outcome is Outcome.GONE
