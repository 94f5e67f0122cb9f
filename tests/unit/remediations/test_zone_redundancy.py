"""When a move to zone redundancy is started, and when it is waited for."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from consumer.bucket_settings import Transition
from consumer.remediations.base import Change, Compliant, Pending
from consumer.remediations.zone_redundancy import Redundancy
from tests.unit.remediations.findings import remediation


@pytest.mark.parametrize("options", [{}, {"acknowledge_one_way_and_cost": False}], ids=["left-out", "false"])
def test_it_does_nothing_without_an_acknowledgement(options: dict[str, bool]) -> None:
    """A rule that does not say that it is one-way and billed is no rule."""
    with pytest.raises(ValidationError, match="acknowledge_one_way_and_cost"):
        remediation("oss.zrs", **options)


def test_a_move_is_started_where_there_is_none() -> None:
    """Local redundancy without a task calls for one; zone redundancy for nothing."""
    repair = remediation("oss.zrs", acknowledge_one_way_and_cost=True)

    assert repair.plan(Redundancy("LRS", ())) == Change("LRS", "ZRS")
    assert repair.plan(Redundancy("ZRS", ())) == Compliant("ZRS")


@pytest.mark.parametrize("status", ["Queueing", "Processing", "Finished", "SomethingNew"])
def test_a_task_that_is_there_is_waited_for(status: str) -> None:
    """Whatever its status: as long as the bucket has not moved, nothing else is started."""
    repair = remediation("oss.zrs", acknowledge_one_way_and_cost=True)

    finding = repair.plan(Redundancy("LRS", (Transition("task-1", status),)))

    assert isinstance(finding, Pending)
    assert "task-1" in finding.detail
