"""`python -m bench.peers.calls SETTINGS`: the calls of a repair through the worker's own gateways, and nothing else.

One thread, no engine, no log, no metrics: receive a batch, decode, send each message's OSS requests, delete the batch.
What the worker costs beyond this is its engine.
"""

from __future__ import annotations

import sys
import threading
import time

from bench.names import QUEUE
from bench.settings import Settings
from consumer.aliyun.mns.queue import Queue, QueueAddress
from consumer.aliyun.oss.client import Oss, OssSettings
from consumer.aliyun.oss.endpoints import Endpoints
from consumer.aliyun.retry import Retrier, RetryPolicy
from consumer.aliyun.standard_chain import StandardChain
from consumer.core.event import Event, decode
from consumer.core.message import Received
from consumer.core.observers import Hooks
from consumer.resources.oss.bucket import Bucket
from consumer.resources.oss.kind import BUCKETS

_BATCH = 16
_WAIT_SECONDS = 30
_BUDGET_SECONDS = 120.0


class Calls:
    """The worker's gateways, driven by one thread."""

    def __init__(self, settings: Settings) -> None:
        credentials, hooks = StandardChain(), Hooks()
        self._queue = Queue(QueueAddress(settings.mns_endpoint, QUEUE), credentials, hooks)
        retrier = Retrier(RetryPolicy(), hooks, threading.Event())
        self._oss = Oss(OssSettings(Endpoints({"*": settings.oss_endpoint})), credentials, hooks, retrier)
        self._calls = settings.calls

    def batch(self) -> None:
        """One batch from its receipt to its deletion."""
        received = self._queue.receive(_BATCH, _WAIT_SECONDS)
        for message in received:
            self._repair(message)
        if received:
            self._queue.delete([message.receipt_handle for message in received])

    def _repair(self, message: Received) -> None:
        event = decode(message.body)
        assert isinstance(event, Event)
        resource = BUCKETS.parse(event, "")
        until = time.monotonic() + _BUDGET_SECONDS
        bucket = self._oss.open(resource, lambda: until)
        for call in self._calls:
            _send(bucket, call)


def _send(bucket: Bucket, call: str) -> None:
    match call:
        case "GetBucketInfo":
            bucket.info()
        case "PutBucketAcl":
            bucket.put_acl("private")
        case "GetBucketPublicAccessBlock":
            bucket.public_access_block()
        case "GetBucketPolicy":
            bucket.policy()
        case "GetBucketTags":
            bucket.tags()
        case _:
            raise ValueError(f"no such call here: {call}")


def main() -> None:
    """Serve until killed."""
    calls = Calls(Settings.load(sys.argv[1]))
    while True:
        calls.batch()


if __name__ == "__main__":
    main()
