"""How a bucket's objects are stored, `LRS` or `ZRS`, and the tasks that move a bucket to zone redundancy.

https://www.alibabacloud.com/help/en/oss/developer-reference/createbucketdataredundancytransition
"""

from __future__ import annotations

from dataclasses import dataclass

from consumer.resources.oss.settings.base import ANY_MISSING, Setting, SettingRequest
from consumer.resources.oss.xml_documents import unambiguous

LOCAL, ZONE = "LRS", "ZRS"
_TASK = "BucketDataRedundancyTransition"


@dataclass(frozen=True, slots=True)
class Transition:
    """One task that moves a bucket from local to zone redundancy."""

    task_id: str
    status: str
    """`Queueing`, `Processing` or `Finished`."""


def _parse(body: bytes) -> tuple[Transition, ...]:
    tasks = unambiguous(body, "ListBucketDataRedundancyTransition", {_TASK}).findall(_TASK)
    return tuple(Transition(str(task.findtext("TaskId")), str(task.findtext("Status"))) for task in tasks)


def _render(kind: str) -> bytes:
    if kind != ZONE:
        raise ValueError("no bucket moves to anything but zone redundancy")
    return b""


TRANSITIONS: Setting[tuple[Transition, ...]] = Setting(
    name="transitions",
    record=tuple[Transition, ...],
    unset=(),
    get=SettingRequest.reading("ListBucketDataRedundancyTransition", "redundancyTransition"),
    parse=_parse,
    unset_code=ANY_MISSING,
)
"""All of them, ended ones included; in a simulation a move is done at once."""

REDUNDANCY: Setting[str] = Setting(
    name="redundancy",
    record=str,
    unset=LOCAL,
    put=SettingRequest(
        "CreateBucketDataRedundancyTransition",
        "POST",
        {"redundancyTransition": "", "x-oss-target-redundancy-type": ZONE},
    ),
    render=_render,
    # After a lost answer the second try finds the task of the first.
    done_code="BucketDataRedundancyTransitionTaskAlreadyExist",
)
"""GetBucketInfo has it; a write starts a task."""
