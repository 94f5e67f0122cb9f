"""When a move to zone redundancy is started, and when it is waited for."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from consumer.core.errors import DamagedReply
from consumer.remediations.base import Change, Compliant, Pending
from consumer.remediations.oss.zone_redundancy import Redundancy
from consumer.resources.oss.bucket import BucketInfo
from consumer.resources.oss.settings import Transition
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

    detail = f"the move to zone redundancy is under way: task task-1, {status}"
    assert finding == Pending("LRS", detail)


@pytest.mark.parametrize("order", [1, -1])
def test_the_task_that_still_runs_is_the_one_that_is_reported(order: int) -> None:
    """The service does not promise an order of tasks."""
    repair = remediation("oss.zrs", acknowledge_one_way_and_cost=True)
    tasks = (Transition("task-old", "Finished"), Transition("task-new", "Queueing"))[::order]

    finding = repair.plan(Redundancy("LRS", tasks))

    assert isinstance(finding, Pending)
    assert "task-new, Queueing" in finding.detail


def test_a_bucket_that_does_not_say_how_it_is_stored_is_not_moved() -> None:
    """Silence is not local redundancy: what follows could never be undone."""
    repair = remediation("oss.zrs", acknowledge_one_way_and_cost=True)
    silent = BucketInfo("1234567890123456", "cn-hangzhou", "2021-09-06T00:00:00.000Z", "private")

    with pytest.raises(DamagedReply) as damaged:
        repair.inspect(None, silent)  # type: ignore[arg-type] # nothing may be asked of the bucket
    text = "the answer does not say how the bucket is stored"
    assert str(damaged.value) == f"oss GetBucketInfo: no_redundancy_type: {text}"
