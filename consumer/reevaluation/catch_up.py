"""What catch-up sends to the worker's queue: events in the evaluator's own form, and that a run has finished. Pure.

Both are read by the worker like anything else on its queue, so they are hostile there until validated, and nothing that
they say about themselves permits a change: whoever may write to the queue could have written them.

Events: https://www.alibabacloud.com/help/en/cloud-config/latest/events-example-of-resource-non-compliance-events
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TypeGuard

from consumer.core.envelope import JsonObject, unwrap
from consumer.core.errors import InvalidMessage
from consumer.core.evaluation import Violation
from consumer.core.event import CATCH_UP, ORIGIN

FINISHED = "CatchUpFinished"
"""The `eventType` of the message that ends a run; the worker counts it as `not_ours` and deletes it."""

_RISK_LEVELS = {"1": "Critical", "2": "Warning", "3": "Info"}
_LARGEST_COUNT = 1 << 31
_MOST_RULES = 500
"""Of a message, which takes 64 KB."""
_LONGEST_NAME = 63


def key_of(violation: Violation) -> str:
    """Names one violation from its beginning to its end: the same in every run, another one once it was over."""
    parts = [
        violation.config_rule_id,
        violation.account_id,
        violation.resource_type,
        violation.resource_id,
        violation.since_ms,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def memory_key(violation: Violation, mode: str) -> str:
    """By what it is remembered that an event was sent for a violation while its rule was in this mode.

    What was sent to a rule that observes says nothing of one that enforces: that one gets an event of its own.
    """
    key = key_of(violation)
    return key if mode == "enforce" else hashlib.sha256(f"{key} {mode}".encode()).hexdigest()[:32]


def event_body(violation: Violation, now_ms: int) -> str:
    """The non-compliance event for a violation, as the topic delivers it.

    It was evaluated when the violation began, so that exposure counts from there, and it was notified now. The id of
    its request is the same in every run. Where the notification has no identifier of the managed rule, this one has,
    in the place that the form for the log service gives it.
    """
    return json.dumps(
        {
            "annotation": violation.annotation,
            "riskLevel": _RISK_LEVELS.get(violation.risk_level, violation.risk_level),
            "dataType": "NonCompliantNotification",
            "evaluationResultIdentifier": {
                "orderingTimestamp": violation.since_ms,
                "evaluationResultQualifier": _qualifier(violation),
            },
            "eventType": "ResourceCompliance",
            "invokingEventMessageType": violation.trigger,
            "complianceType": "NON_COMPLIANT",
            "accountId": _number(violation.account_id),
            "requestId": f"{CATCH_UP}-{key_of(violation)}",
            "eventName": "NonCompliant",
            "notificationCreationTime": now_ms,
            ORIGIN: CATCH_UP,
        },
        separators=(",", ":"),
    )


def _qualifier(violation: Violation) -> JsonObject:
    identifier = {"sourceIdentifier": violation.identifier} if violation.identifier else {}
    return {
        "resourceId": violation.resource_id,
        "configRuleName": violation.config_rule_name,
        "configRuleId": violation.config_rule_id,
        "captureTime": violation.evaluated_at_ms,
        "resourceName": violation.resource_name,
        "configRuleArn": violation.config_rule_arn,
        "regionId": violation.region,
        "resourceOwnerId": _number(violation.account_id),
        "resourceType": violation.resource_type,
        **identifier,
    }


def _number(account_id: str) -> int | str:
    """An account as the topic writes it; what is none stays as it is, for whoever reads it to refuse."""
    return int(account_id) if account_id.isascii() and account_id.isdigit() else account_id


@dataclass(frozen=True, slots=True)
class Finished:
    """One run over everything that the configuration takes."""

    at_ms: int
    """By the clock of the machine that ran it."""
    listed: int
    sent: int
    complete: bool = True
    """Whether everything that the evaluator lists was looked at, and everything meant was sent."""
    unmatched_rules: tuple[str, ...] = ()
    """Names of configured rules for which the evaluator has none."""
    recent: tuple[tuple[str, int], ...] = ()
    """By configured rule, how many of what was listed began within the last day, and is too old for its notification to
    be still on the way."""


def finished_body(finished: Finished) -> str:
    """The message that reports a run to the worker, so that it can be seen in the worker's metrics."""
    document = {
        "eventType": FINISHED,
        "eventName": FINISHED,
        "finishedAt": finished.at_ms,
        "listed": finished.listed,
        "sent": finished.sent,
        "complete": finished.complete,
        "unmatchedRules": finished.unmatched_rules[:_MOST_RULES],
        "recent": dict(finished.recent[: max(0, _MOST_RULES - len(finished.unmatched_rules))]),
        ORIGIN: CATCH_UP,
    }
    return json.dumps(document, separators=(",", ":"))


def read_finished(body: str) -> Finished | None:
    """What such a message says; None for anything else, and for one that says what cannot be."""
    try:
        found = unwrap(body)
    except InvalidMessage:
        return None
    numbers = [found.get(name) for name in ("finishedAt", "listed", "sent")]
    if found.get("eventType") != FINISHED or not all(_is_count(number) for number in numbers):
        return None
    at_ms, listed, sent = (int(str(number)) for number in numbers)
    complete, unmatched, recent = found.get("complete"), found.get("unmatchedRules"), found.get("recent", {})
    if not isinstance(complete, bool) or not _are_names(unmatched) or not _are_counts(recent):
        return None
    if max(listed, sent) >= _LARGEST_COUNT or at_ms >= 10**14:
        return None
    return Finished(at_ms, listed, sent, complete, tuple(unmatched), tuple(recent.items()))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _are_counts(value: object) -> TypeGuard[dict[str, int]]:
    return (
        isinstance(value, dict)
        and _are_names(list(value))
        and all(_is_count(number) and number < _LARGEST_COUNT for number in value.values())
    )


def _are_names(value: object) -> TypeGuard[list[str]]:
    return (
        isinstance(value, list)
        and len(value) <= _MOST_RULES
        and all(isinstance(name, str) and len(name) <= _LONGEST_NAME for name in value)
    )
