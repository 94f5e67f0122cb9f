"""Records as the engine hands them to its listeners, with values a test need not care about."""

from __future__ import annotations

from typing import Any

from consumer.core.event import Event
from consumer.core.message import Received
from consumer.core.observers import Report
from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.guards.rule import Mode, Rule, Selector
from consumer.reevaluation.catch_up import FINISHED, Finished, finished_body
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions

EVALUATED_AT_MS = 1_790_000_000_000
SETTLED_AT_MS = EVALUATED_AT_MS + 12_000
STAGES = (("wait", 0.5), ("decode", 0.001), ("inspect", 0.1), ("apply", 0.2), ("verify", 0.1), ("settle", 2.0))


def rule(name: str = "no-public-read", mode: Mode = Mode.ENFORCE) -> Rule:
    """A configured rule."""
    return Rule(name, Selector(), BucketAcl(BucketAclOptions()), mode, hold_seconds=900)


def message(**changes: Any) -> Received:
    """One receipt; queued three seconds after the evaluation."""
    fields: dict[str, Any] = {
        "message_id": "5F290C926D472878-2-14D9529A8FA-200000001",
        "body": "{}",
        "receipt_handle": "1-ODU4OTkzNDU5My0x",
        "dequeue_count": 1,
        "enqueued_at_ms": EVALUATED_AT_MS + 3_000,
        "first_dequeued_at_ms": EVALUATED_AT_MS + 4_000,
        "lease_seconds": 30.0,
    }
    return Received(**{**fields, **changes})


def event(**changes: Any) -> Event:
    """One event; notified a second after the evaluation."""
    fields: dict[str, Any] = {
        "config_rule_id": "cr-0123456789abcdef",
        "config_rule_name": "no public buckets",
        "source_identifier": "oss-bucket-public-read-prohibited",
        "resource_type": "ACS::OSS::Bucket",
        "resource_id": "holiday-photos",
        "region": "cn-hangzhou",
        "account_id": "1234567890123456",
        "risk_level": "critical",
        "evaluated_at_ms": EVALUATED_AT_MS,
        "notified_at_ms": EVALUATED_AT_MS + 1_000,
        "request_id": "2F5C7A90-0000-4000-8000-000000000001",
    }
    return Event(**{**fields, **changes})


def report(outcome: Outcome | None = Outcome.FIXED, **changes: Any) -> Report:
    """A settled delivery with this outcome; changes name fields of the report."""
    deleted = outcome in (Outcome.FIXED, Outcome.ALREADY_COMPLIANT, Outcome.GONE, Outcome.EXEMPT, Outcome.SUPERSEDED)
    fields: dict[str, Any] = {
        "message": message(),
        "outcome": outcome,
        "disposition": Disposition.DELETED if deleted else Disposition.HIDDEN,
        "ending": Ending(outcome, before="public-read", after="private") if outcome else None,
        "event": event(),
        "rule": "no-public-read",
        "remediation": "oss.bucket-acl",
        "mode": "enforce",
        "attempts": 0,
        "hidden_seconds": 0 if deleted else 900.0,
        "settled_at_ms": SETTLED_AT_MS,
        "request_ids": ("5FB604FB57C72EE21AA4A341", "8CE1254E65939FAD17CEAF63"),
        "stage_seconds": STAGES,
    }
    return Report(**{**fields, **changes})


def finished_run(at_ms: int, *, body: str = "", **changes: Any) -> Report:
    """The message that ends a run of catch-up, as it is settled."""
    text = body or finished_body(Finished(at_ms, 7, 3))
    ending = Ending(Outcome.NOT_OURS, "other_message", FINISHED)
    return report(Outcome.NOT_OURS, message=message(body=text), ending=ending, event=None, rule="", **changes)
