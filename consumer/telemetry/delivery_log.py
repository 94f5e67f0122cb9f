"""What the log says about deliveries and requests: stable event names, one canonical line per delivery.

`delivery.settled` carries everything an operator needs; the other events are details that lead to it. Fields that
do not apply are left out.
"""

from __future__ import annotations

import logging
from typing import Any

from consumer.core.event_times import doubt
from consumer.core.observers import ApiCall, LeaseRenewal, Report, Retry, SettleError
from consumer.core.outcome import Outcome
from consumer.reevaluation.agreement import Concluded, Conclusion
from consumer.telemetry.exposure import exposure_seconds, upstream_seconds
from consumer.telemetry.headline import SETTLED

_LEVELS: dict[Outcome, int] = {
    Outcome.FIXED: logging.INFO,
    Outcome.ALREADY_COMPLIANT: logging.INFO,
    Outcome.GONE: logging.INFO,
    Outcome.EXEMPT: logging.INFO,
    Outcome.SUPERSEDED: logging.INFO,
    Outcome.NOT_OURS: logging.INFO,
    Outcome.WOULD_FIX: logging.INFO,
    Outcome.HELD: logging.WARNING,
    Outcome.FAILED: logging.WARNING,
    Outcome.LEASE_LOST: logging.WARNING,
    Outcome.REJECTED: logging.ERROR,
    Outcome.INVALID: logging.ERROR,
    Outcome.EXHAUSTED: logging.ERROR,
}

_POLL = "BatchReceiveMessage"


class DeliveryLog:
    """Writes what the hooks report to a structlog logger."""

    def __init__(self, logger: Any) -> None:
        self._log = logger
        self._polls_fail = False

    def api_call(self, call: ApiCall) -> None:
        """Every request at debug; the first failed poll of a row, and the end of the row, for everybody."""
        failed = call.code not in ("ok", "empty")
        if not failed and not self._polls_fail and not self._log.is_enabled_for(logging.DEBUG):
            return
        fields = {
            "service": call.service,
            "operation": call.operation,
            "code": call.code,
            "seconds": _rounded(call.seconds),
            "request_id": call.request_id,
        }
        self._log.debug("api.failed" if failed else "api.answered", **fields)
        if call.operation == _POLL and failed is not self._polls_fail:
            self._polls_fail = failed
            if failed:
                self._log.warning("poll.failed", **fields)
            else:
                self._log.info("poll.recovered", **fields)

    def retry(self, retry: Retry) -> None:
        """A request is tried again."""
        self._log.debug(
            "api.retried",
            service=retry.service,
            operation=retry.operation,
            reason=retry.reason,
            delay_seconds=_rounded(retry.delay_seconds),
        )

    def renewal(self, renewal: LeaseRenewal) -> None:
        """A lease was kept or could not be."""
        match renewal.result:
            case "renewed":
                self._log.debug("lease.renewed", message_id=renewal.message_id)
            case "lost" | "expired":
                self._log.warning("lease.lost", message_id=renewal.message_id, reason=renewal.result)
            case "capped":
                self._log.warning("lease.capped", message_id=renewal.message_id)
            case code:
                self._log.warning("lease.renewal_failed", message_id=renewal.message_id, code=code)

    def settle_error(self, error: SettleError) -> None:
        """A settlement did not work out."""
        self._log.warning("settle.failed", message_id=error.message_id, action=error.action, code=error.code)

    def concluded(self, concluded: Concluded) -> None:
        """The evaluator agreed to a fix, or did not in time."""
        fix = concluded.fix
        agreed = concluded.conclusion is Conclusion.AGREED
        self._log.log(
            logging.INFO if agreed else logging.WARNING,
            f"reevaluation.{concluded.conclusion}",
            rule=fix.rule,
            resource=fix.subject.resource_id,
            region=fix.subject.region,
            account=fix.account_id,
            config_rule_id=fix.config_rule_id,
            waited_seconds=_rounded(concluded.waited_seconds),
        )

    def report(self, report: Report) -> None:
        """The canonical line."""
        level = logging.INFO if report.outcome is None else _LEVELS[report.outcome]
        fields = {**_delivery(report), **_work(report), **_event(report)}
        present = {name: value for name, value in fields.items() if value not in (None, "")}
        self._log.log(level, SETTLED, **present)


def _delivery(report: Report) -> dict[str, Any]:
    stages = (*upstream_seconds(report), *report.stage_seconds)
    return {
        "message_id": report.message.message_id,
        "outcome": report.outcome.value if report.outcome else None,
        "disposition": report.disposition.value,
        "attempts": report.attempts,
        "dequeue_count": report.message.dequeue_count,
        **_history(report),
        "hidden_seconds": report.hidden_seconds or None,
        "parked_seconds": report.parked_seconds or None,
        "parked_as": report.parked_as,
        "request_ids": list(report.request_ids) or None,
        "stage_seconds": {stage: _rounded(seconds) for stage, seconds in stages},
    }


def _history(report: Report) -> dict[str, Any]:
    """Where a parked copy comes from, as it says itself; for a message that came for the first time nothing."""
    message = report.message
    if message.carried.history is None:
        return {}
    return {
        "origin_id": message.origin_id,
        "receipts": message.receipts,
        "first_enqueued_ms": message.first_enqueued_ms,
        "first_received_ms": message.first_received_ms,
    }


def _work(report: Report) -> dict[str, Any]:
    rule = {"rule": report.rule, "remediation": report.remediation, "mode": report.mode}
    ending = report.ending
    if ending is None:
        return rule
    exposed = exposure_seconds(report)
    return {
        **rule,
        "ending": ending.outcome.value if ending.outcome is not report.outcome else None,  # what a lost lease hides
        "reason": ending.reason,
        "detail": ending.detail,
        "error_class": ending.error_class,
        "before": ending.before,
        "after": ending.after,
        "exposure_seconds": None if exposed is None else _rounded(exposed),
    }


def _event(report: Report) -> dict[str, Any]:
    event = report.event
    if event is None:
        return {}
    doubted = doubt(event.evaluated_at_ms, report.settled_at_ms, report.first_ms) is not None
    return {
        "resource_type": event.resource_type,
        "resource": event.resource_id,
        "region": event.region,
        "account": event.account_id,
        "config_rule_id": event.config_rule_id,
        "event_request_id": event.request_id,
        # What it claims, where that cannot be believed and the figures beside it are corrected.
        "claimed_evaluated_at_ms": event.evaluated_at_ms if doubted else None,
    }


def _rounded(seconds: float) -> float:
    return round(seconds, 6)
