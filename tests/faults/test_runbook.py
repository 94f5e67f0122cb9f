"""The runbook says what really happens: each fault it names is provoked, and what it says to look for is there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from emulator.cloudconfig.rules import default_rule_id
from tests.faults.replica import REPOSITORY, Replica
from tests.faults.stage import READ_RULE, Pace, Stage, until

_ENTRY = re.compile(r"^## (?=[A-Z]\w+$)", re.MULTILINE)
_READ = default_rule_id(READ_RULE)


@dataclass(frozen=True, slots=True)
class Case:
    """One fault, and what shows it."""

    alert: str
    operation: str = ""
    status: int = 503
    code: str = "InternalError"
    kind: str = "error"
    message: str = ""
    buckets: int = 3
    poison: bool = False
    pace: Pace = field(default_factory=lambda: Pace(workers=4))
    settings: tuple[tuple[str, str], ...] = ()
    metric: str = ""
    """A sample of /metrics, as a regular expression without the prefix."""
    ready: str = ""
    """How the answer of /readyz begins; empty where it stays ready."""
    logged: tuple[tuple[str, object], ...] = ()
    """Fields of one line of the log."""
    named: tuple[str, ...] = ()
    """Words of the entry that are true by this."""

    def __str__(self) -> str:
        return f"{self.alert}-{self.operation}-{self.code}-{self.kind}"


def _settled(**fields: str) -> tuple[tuple[str, object], ...]:
    return (("event", "delivery.settled"), *fields.items())


def _failed_poll(code: str) -> tuple[tuple[str, object], ...]:
    return (("event", "poll.failed"), ("code", code))


_POLL, _DELETE, _HIDE, _SEND = "BatchReceiveMessage", "BatchDeleteMessage", "ChangeMessageVisibility", "SendMessage"
_DENIED_BY_POLICY = "Access denied by bucket policy."
_QUIET_BREAKER = (("REMEDIATOR__BREAKER__MIN_ATTEMPTS", "1000"), ("REMEDIATOR__BREAKER__ATTEMPTS", "1000"))

CASES = (
    Case(
        "ExposureTooLong",
        "PutBucketAcl",
        code="ServiceUnavailable",
        settings=_QUIET_BREAKER,
        logged=_settled(outcome="failed", reason="ServiceUnavailable", error_class="Unavailable"),
        metric=r'oldest_open_exposure_timestamp_seconds\{rule="public-read"\}',
        named=("`failed` with", "`ServiceUnavailable`"),
    ),
    Case(
        "ExposureTooLong",
        "PutBucketAcl",
        403,
        "AccessDenied",
        logged=_settled(outcome="held", reason="permission_missing"),
        metric=r'oldest_open_exposure_timestamp_seconds\{rule="public-read"\}',
        named=("`held` with `permission_missing`",),
    ),
    Case(
        "ExposureTooLong",
        "PutBucketAcl",
        403,
        "AccessDenied",
        message=_DENIED_BY_POLICY,
        logged=_settled(outcome="rejected", reason="AccessDenied", error_class="DeniedByResource"),
        metric=r'given_up_resources\{reason="AccessDenied",rule="public-read"\} 3.0',
        named=("`rejected`", "`AccessDenied`, the bucket's own policy"),
    ),
    *(
        Case(
            "NotPolling",
            _POLL,
            status,
            code,
            ready=f"last poll failed: {code}",
            logged=_failed_poll(code),
            metric=r'exposures_unknown\{reason="not_polling"\} 1.0',
            named=(f"`{code}`", "`/readyz` says the last error", "`poll.failed` names the code"),
        )
        for status, code in (
            (403, "InvalidAccessKeyId"),
            (403, "SignatureDoesNotMatch"),
            (403, "AccessDenied"),
            (404, "QueueNotExist"),
        )
    ),
    Case("NotPolling", _POLL, kind="stall", ready="last poll failed: timeout", named=("`timeout`",)),
    Case(
        "PollingPaused",
        _SEND,
        403,
        "AccessDenied",
        buckets=10,
        # Parked messages do not count, so what waits has to be hidden for this.
        settings=(("REMEDIATOR__ENGINE__MAX_UNDELETED", "5"), ("REMEDIATOR__PAUSE__ENABLED", "true")),
        logged=(("event", "polling.paused"),),
        metric=r'polling_paused\{reason="undeleted_(limit|reserve)"\} 1.0',
        named=("`polling.paused`", "`undeleted_reserve`", "`undeleted_limit`"),
    ),
    Case(
        "PermissionMissing",
        "PutBucketAcl",
        403,
        "AccessDenied",
        logged=_settled(reason="permission_missing", error_class="PermissionMissing"),
        metric=r'permission_missing\{action="oss:PutBucketAcl",resource="acs:oss:\*:\d+:\*"\} 3.0',
        named=('`"reason": "permission_missing"`', "`acs:oss:*:ACCOUNT:*`"),
    ),
    Case(
        "PermissionMissing",
        _DELETE,
        403,
        "AccessDenied",
        metric=r'permission_missing\{action="mns:BatchDeleteMessage",resource="acs:mns:\*:\*:/queues/main/messages"\}',
        named=("`acs:mns:…:/queues/NAME/messages`", "`BatchDeleteMessage`"),
    ),
    Case(
        "SettlementsFailing",
        _DELETE,
        403,
        "AccessDenied",
        logged=(("event", "settle.failed"), ("action", "delete"), ("code", "AccessDenied")),
        metric=r'settle_errors_total\{action="delete",code="AccessDenied"\}',
        named=("`AccessDenied`",),
    ),
    Case(
        "SettlementsFailing",
        _SEND,
        404,
        "QueueNotExist",
        poison=True,
        logged=(("event", "settle.failed"), ("action", "dead_letter"), ("code", "QueueNotExist")),
        metric=r'settle_errors_total\{action="dead_letter",code="QueueNotExist"\}',
        named=("`QueueNotExist` for dead_letter",),
    ),
    Case(
        "SettlementsFailing",
        _DELETE,
        429,
        "TooManyRequests",
        metric=r'settle_errors_total\{action="delete",code="TooManyRequests"\}',
        named=("`TooManyRequests`",),
    ),
    Case(
        "ParkingFails",
        _SEND,
        403,
        "AccessDenied",
        settings=(("REMEDIATOR__PAUSE__ENABLED", "true"), ("REMEDIATOR__RETRY__HOLD_SECONDS", "900")),
        logged=(
            *(("event", "parking.interrupted"), ("level", "warning")),
            *(("reason", "AccessDenied"), ("missing_action", "mns:SendMessage")),
        ),
        metric=r'permission_missing\{action="mns:SendMessage",resource="acs:mns:\*:\*:/queues/main/messages"\}',
        named=("`AccessDenied`: `mns:SendMessage` is missing on the main queue", "`parking.interrupted`"),
    ),
    Case(
        "DeadLettersAppeared",
        poison=True,
        logged=_settled(outcome="invalid", disposition="dead_lettered", level="error"),
        metric=r'messages_settled_total\{disposition="dead_lettered"\} 1.0',
        named=("(`invalid`)", "level error"),
    ),
    Case(
        "DeadLettersAppeared",
        "GetBucketInfo",
        code="ServiceUnavailable",
        pace=Pace(workers=4, max_attempts=1),
        logged=_settled(outcome="exhausted", disposition="dead_lettered"),
        metric=r'given_up_resources\{reason="ServiceUnavailable",rule="public-read"\} 3.0',
        named=("(`exhausted`)",),
    ),
    Case(
        "HeldTooLong",
        settings=(("REMEDIATOR__PAUSE__ENABLED", "true"),),
        logged=_settled(outcome="held", reason="paused"),
        metric=r'held_total\{reason="paused",rule="public-read"\}',
        named=("`paused`",),
    ),
    Case(
        "PausedTooLong",
        settings=(("REMEDIATOR__PAUSE__ENABLED", "true"),),
        logged=_settled(outcome="held", detail="changes are paused by pause.enabled"),
        metric=r"paused 1.0",
        named=("`pause.enabled`",),
    ),
    Case(
        "LimitReached",
        settings=(("REMEDIATOR__LIMITS__MAX_CHANGES", "1"), ("REMEDIATOR__LIMITS__WINDOW_SECONDS", "600")),
        logged=_settled(outcome="held", reason="over_limit"),
        metric=r'changes_in_window\{rule="\(all\)"\} 1.0',
        named=('`rule="(all)"`',),
    ),
    Case(
        "BreakerOpen",
        "PutBucketAcl",
        code="ServiceUnavailable",
        buckets=8,
        settings=(("REMEDIATOR__BREAKER__MIN_ATTEMPTS", "4"), ("REMEDIATOR__BREAKER__COOL_DOWN_SECONDS", "600")),
        logged=_settled(outcome="held", reason="breaker_open"),
        metric=r'breaker_open\{rule="public-read"\} 1.0',
        named=("A disturbance", "`error_class`"),
    ),
    Case(
        "Throttled",
        "PutBucketAcl",
        code="MetaOperationQpsLimitExceeded",
        metric=r'api_requests_total\{code="MetaOperationQpsLimitExceeded",operation="PutBucketAcl",service="oss"\}',
        named=("`MetaOperationQpsLimitExceeded`",),
    ),
    Case(
        "Throttled",
        _POLL,
        429,
        "TooManyRequests",
        metric=r'api_requests_total\{code="TooManyRequests",operation="BatchReceiveMessage",service="mns"\}',
        ready="last poll failed: TooManyRequests",
        named=("`TooManyRequests`",),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_the_entry_names_is_what_happens(stage: Stage, case: Case) -> None:
    """In the metrics that its alert reads, in the log and at the probe; and the entry has the words."""
    entry = _entry(case.alert)
    for word in case.named:
        assert word in entry, f"{case.alert} does not say {word}"
    replica = stage.replica(case.pace, **dict(case.settings))
    replica.start()
    assert until(replica.ready), replica.text()
    if case.operation:
        fault: dict[str, Any] = {"seconds": 60} if case.kind == "stall" else {"status": case.status, "code": case.code}
        if case.message:
            fault["message"] = case.message
        stage.emulator.faults.add(case.kind, case.operation, **fault)
    if case.poison:
        stage.emulator.config.publish_raw("poison")
    else:
        stage.emulator.create_buckets(count=case.buckets, prefix="bucket-", acl="public-read")
    assert until(lambda: _shows(replica, case)), f"{replica.get('/readyz')}\n{replica.text()}"


def _shows(replica: Replica, case: Case) -> bool:
    status, reason = replica.get("/readyz")
    if case.ready and not reason.startswith(case.ready):
        return False
    if not case.ready and status != 200:
        return False
    if case.metric and not re.search(f"^remediator_{case.metric}", replica.get("/metrics")[1], re.MULTILINE):
        return False
    wanted = dict(case.logged)
    return not wanted or any(wanted.items() <= line.items() for line in _simple(replica))


def _simple(replica: Replica) -> list[dict[str, Any]]:
    """The log's lines, with the fields that can be compared."""
    return [
        {name: value for name, value in line.items() if isinstance(value, str | int | float | bool)}
        for line in replica.lines()
    ]


def _entry(alert: str) -> str:
    """The runbook's entry, its lines joined."""
    page = (REPOSITORY / "docs" / "runbook.md").read_text(encoding="utf-8")
    entries = {part.split("\n", 1)[0]: part for part in _ENTRY.split(page)[1:]}
    return " ".join(entries[alert].split())
