"""Moving a bucket from local to zone redundancy: a task that takes emulated time and has no way back.

https://www.alibabacloud.com/help/en/oss/developer-reference/createbucketdataredundancytransition
"""

from __future__ import annotations

import math

from emulator.http import Response
from emulator.oss.bucket import Bucket, RedundancyTransition
from emulator.oss.call import Admission, Level, Operation, OssCall, answer, gone
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal, invalid_argument
from emulator.oss.printing import iso, read_max_keys
from emulator.xml import Node

_NAME = "redundancyTransition"
_TASK = "x-oss-redundancy-transition-taskid"
_TARGET = "x-oss-target-redundancy-type"
_QUEUED_SHARE = 0.1
"""The first part of a task's time is spent queueing."""


def create(call: OssCall) -> Response:
    """Start the move; refused while one runs and when there is nothing to move."""
    target = call.query.get(_TARGET, "")
    if target != "ZRS":
        raise invalid_argument(Oss.TRANSITION_TARGET, _TARGET, target)
    bucket = call.bucket
    call.store.settle(bucket)
    if bucket.redundancy == "ZRS":
        raise OssRefusal(Oss.TRANSITION_DONE)
    if bucket.transitions:
        raise OssRefusal(Oss.TRANSITION_RUNS)
    transition = call.store.start_transition(bucket)
    call.changed("LRS", "ZRS")
    return answer("BucketDataRedundancyTransition", [("TaskId", transition.task_id)])


def _nodes(bucket: Bucket, transition: RedundancyTransition, now: float) -> list[Node]:
    whole = transition.finishes - transition.created
    share = 1.0 if whole <= 0 else min(1.0, (now - transition.created) / whole)
    nodes: list[Node] = [
        ("Bucket", bucket.name),
        ("TaskId", transition.task_id),
        ("CreateTime", iso(transition.created)),
    ]
    if share < _QUEUED_SHARE:
        return [*nodes, ("Status", "Queueing")]
    nodes.append(("StartTime", iso(transition.created + whole * _QUEUED_SHARE)))
    if share < 1.0:
        hours = math.ceil((transition.finishes - now) / 3600)
        nodes += [
            ("ProcessPercentage", str(int(share * 100))),
            ("EstimatedRemainingTime", str(hours)),
            ("Status", "Processing"),
        ]
    else:
        nodes += [
            ("EndTime", iso(transition.finishes)),
            ("ProcessPercentage", "100"),
            ("EstimatedRemainingTime", "0"),
            ("Status", "Finished"),
        ]
    return nodes


def get(call: OssCall) -> Response:
    """One task, or all of the bucket's when none is named."""
    call.store.settle(call.bucket)
    now = call.store.world.clock.now()
    if _TASK not in call.query:
        tasks: list[Node] = [
            ("BucketDataRedundancyTransition", _nodes(call.bucket, task, now))
            for task in call.bucket.transitions.values()
        ]
        return answer("ListBucketDataRedundancyTransition", tasks)
    return answer("BucketDataRedundancyTransition", _nodes(call.bucket, _task(call), now))


def _task(call: OssCall) -> RedundancyTransition:
    found = call.bucket.transitions.get(call.query.get(_TASK, ""))
    if found is None:
        raise OssRefusal(Oss.NO_TRANSITION)
    return found


def delete(call: OssCall) -> Response:
    """Give a task up; a finished one leaves the bucket zone-redundant."""
    call.store.settle(call.bucket)
    task = _task(call)
    del call.bucket.transitions[task.task_id]
    call.changed(task.task_id, None)
    return gone()


def of_account(call: OssCall) -> Response:
    """The tasks of all the caller's buckets, newest first, paged by task id."""
    now = call.store.world.clock.now()
    after, limit = call.query.get("continuation-token", ""), read_max_keys(call, 10, 100)
    every = sorted(
        (-task.created, task.task_id, bucket.name)
        for bucket in call.store.buckets.values()
        if bucket.owner_id == call.account_id
        for task in bucket.transitions.values()
    )
    start = next((index + 1 for index, task in enumerate(every) if task[1] == after), 0)
    found = [(task_id, name) for _, task_id, name in every[start:]]
    nodes: list[Node] = []
    for task_id, name in found[:limit]:
        bucket = call.store.buckets[name]
        call.store.settle(bucket)
        nodes.append(("BucketDataRedundancyTransition", _nodes(bucket, bucket.transitions[task_id], now)))
    truncated = len(found) > limit
    nodes.append(("IsTruncated", "true" if truncated else "false"))
    nodes.append(("NextContinuationToken", found[limit - 1][0] if truncated else ""))
    return answer("ListBucketDataRedundancyTransition", nodes)


OPERATIONS = (
    Operation("CreateBucketDataRedundancyTransition", Level.BUCKET, "POST", _NAME, create),
    Operation("GetBucketDataRedundancyTransition", Level.BUCKET, "GET", _NAME, get, reads=True),
    Operation("DeleteBucketDataRedundancyTransition", Level.BUCKET, "DELETE", _NAME, delete),
    Operation(
        "ListUserDataRedundancyTransition", Level.SERVICE, "GET", _NAME, of_account, Admission.SIGNED, reads=True
    ),
)
