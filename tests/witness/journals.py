"""Writes journals by hand, entry by entry, in the form of the emulator's."""

from __future__ import annotations

import base64
import json
from typing import Any

from emulator.client import JournalEntry
from emulator.cloudconfig.rules import default_rule_id
from witness import Expectations, Verdict, judge, watch

ACCOUNT = "1234567890123456"
STRANGER = "9999888877776666"
WORKER = "worker-key"
READ = "oss-bucket-public-read-prohibited"
QUEUE, DEAD = "main", "dead"


class Journal:
    """A journal under construction; every method appends what the emulator would and moves time on by a second."""

    def __init__(self) -> None:
        self.entries: list[JournalEntry] = []
        self.bodies: dict[str, str] = {}
        self._receipts: dict[str, int] = {}
        self._pushed_ms: dict[str, int] = {}
        self._received_ms: dict[str, int] = {}
        self._histories: dict[str, dict[str, Any]] = {}
        self._waited_ms = 0

    @property
    def now_ms(self) -> int:
        return 1_700_000_000_000 + len(self.entries) * 1000 + self._waited_ms

    def add(
        self, service: str, operation: str, resource: str, key: str = "", *, changed: bool = True, **detail: Any
    ) -> JournalEntry:
        """Any entry."""
        entry = JournalEntry(
            len(self.entries) + 1, self.now_ms, service, operation, resource, changed, "request", key, detail
        )
        self.entries.append(entry)
        return entry

    def bucket(self, name: str, acl: str = "public-read", *, owner: str = ACCOUNT, key: str = "") -> None:
        """A bucket is created."""
        operation = "PutBucketAcl" if key else "PutBucket"
        detail = {"before": None, "after": acl, "created": True, "owner": owner, "region": "cn-hangzhou"}
        self.add("oss", operation, name, key, **detail)

    def by_hand(self, name: str, acl: str) -> None:
        """Somebody changes the ACL."""
        self.add("control", "PatchBucket", name, before={}, after={"acl": acl})

    def acl(self, name: str, acl: str = "private", *, key: str = WORKER) -> None:
        """The worker changes the ACL."""
        self.add("oss", "PutBucketAcl", name, key, before="public-read", after=acl)

    def refuse(self, name: str, status: int, code: str, operation: str = "PutBucketAcl") -> None:
        """The service refuses a request of the worker's."""
        self.add("oss", operation, name, WORKER, changed=False, refused=code, status=status)

    def wait(self, seconds: int) -> None:
        """Time passes."""
        self._waited_ms += seconds * 1000

    def read(self, name: str) -> None:
        """The worker reads the bucket."""
        self.add("oss", "GetBucketInfo", name, WORKER, changed=False)

    def delete_bucket(self, name: str, *, key: str = "") -> None:
        """A bucket is deleted."""
        detail = {"before": "private", "after": None, "deleted": True, "owner": ACCOUNT, "region": "cn-hangzhou"}
        self.add("oss", "DeleteBucket", name, key, **detail)

    def event(self, message_id: str, bucket: str, **changes: Any) -> None:
        """Cloud Config reports a bucket; `changes` replace fields of the qualifier."""
        qualifier = {
            "resourceId": bucket,
            "configRuleId": default_rule_id(READ),
            "regionId": "cn-hangzhou",
            "resourceOwnerId": int(ACCOUNT),
            "resourceType": "ACS::OSS::Bucket",
            **changes,
        }
        event = {
            "eventType": "ResourceCompliance",
            "complianceType": "NON_COMPLIANT",
            "notificationCreationTime": self.now_ms,
            "evaluationResultIdentifier": {
                "orderingTimestamp": self.now_ms,
                "evaluationResultQualifier": qualifier,
            },
        }
        self.push(message_id, base64.b64encode(json.dumps(event).encode()).decode(), event)

    def push(self, message_id: str, body: str, event: dict[str, Any] | None = None) -> None:
        """Any message reaches the queue."""
        published = f"published-{message_id}"
        self.bodies[message_id] = body
        self._pushed_ms[message_id] = self.now_ms
        self.add("mns", "PublishMessage", "topics/t", message_id=published, body=body, tag="")
        self.add(
            "mns", "PushToQueue", f"queues/{QUEUE}", published_message_id=published, message_id=message_id, body=body
        )
        self.add("config", "EventDelivered", "", message_id=published, event=event)

    def receive(self, *message_ids: str, key: str = WORKER) -> None:
        """The worker receives messages."""
        for message_id in message_ids:
            self._receipts[message_id] = self._receipts.get(message_id, 0) + 1
            self._received_ms.setdefault(message_id, self.now_ms)
        messages = [
            {
                "message_id": message_id,
                "receipt_handle": "h",
                "dequeue_count": self._receipts[message_id],
                "next_visible_ms": self.now_ms + 30_000,
            }
            for message_id in message_ids
        ]
        self.add("mns", "BatchReceiveMessage", f"queues/{QUEUE}", key, messages=messages)

    def renew(self, message_id: str, seconds: int, *, key: str = WORKER) -> None:
        """A lease is renewed."""
        until = self.now_ms + seconds * 1000
        detail = {"message_id": message_id, "visibility_seconds": seconds, "next_visible_ms": until}
        self.add("mns", "ChangeMessageVisibility", f"queues/{QUEUE}", key, **detail)

    def delete(self, *message_ids: str, key: str = WORKER) -> None:
        """Messages are deleted."""
        self.add("mns", "BatchDeleteMessage", f"queues/{QUEUE}", key, deleted=list(message_ids), failed=0)

    def copy(self, message_id: str, body: str | None = None, *, named: str = "") -> None:
        """The worker copies a message to the dead-letter queue; `named` is the id in the letter, if it is another."""
        text = self.bodies[message_id] if body is None else body
        document = json.dumps({"message_id": named or message_id, "body_encoding": "plain", "body": text})
        self.add("mns", "SendMessage", f"queues/{DEAD}", WORKER, message_id="copy", body=document)

    def park(
        self,
        message_id: str,
        copy_id: str,
        *,
        body: str | None = None,
        key: str = WORKER,
        delay_seconds: int = 60,
        retention_seconds: int = 345_600,
        **changes: Any,
    ) -> None:
        """The worker sends a message again; `changes` replace what it writes beside the body, None leaves it out."""
        before = self._histories.get(message_id, {})
        history = {
            "origin_id": message_id,
            "first_enqueued_ms": self._pushed_ms.get(message_id, 0),
            "first_received_ms": self._received_ms.get(message_id, 0),
            "attempts": 0,
            **before,
            "receipts": before.get("receipts", 0) + self._receipts.get(message_id, 0),
            **changes,
        }
        self.bodies[copy_id] = self.bodies[message_id] if body is None else body
        self._histories[copy_id] = history
        self.add(
            "mns",
            "SendMessage",
            f"queues/{QUEUE}",
            key,
            message_id=copy_id,
            body=self.bodies[copy_id],
            next_visible_ms=self.now_ms + delay_seconds * 1000,
            expires_ms=self.now_ms + retention_seconds * 1000,
            user_properties={
                f"remediator-{name.replace('_', '-')}": str(value)
                for name, value in history.items()
                if value is not None
            },
        )

    def judge(self, **expected: Any) -> Verdict:
        """What the witness makes of it."""
        known = {
            "account_id": ACCOUNT,
            "queue": QUEUE,
            "dead_letter_queue": DEAD,
            "rules": (watch(READ, default_rule_id(READ)),),
            "worker_access_keys": frozenset({WORKER}),
        }
        return judge(self.entries, Expectations(**{**known, **expected}))
