"""What grows with what a publisher can invent keeps to the bound that docs/guarantees.md names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sized
from pathlib import Path
from typing import Any

import pytest

from consumer.aliyun import name_lookup
from consumer.aliyun.oss import session, tls_sessions
from consumer.announcements import outbox, records, selection
from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.engine import backoff, lease_keeper, read_backs, unsettled
from consumer.engine.backoff import Attempts
from consumer.engine.in_flight import Books
from consumer.engine.poll_board import PollBoard
from consumer.engine.read_backs import ReadBack, ReadBacks
from consumer.engine.unsettled import Unsettled
from consumer.guards import contest, limits, refusals
from consumer.guards.breaker import Breaker, BreakerPolicy
from consumer.guards.chain import Guards, Intent, Permit
from consumer.guards.contest import ContestPolicy, LocalContest
from consumer.guards.limits import Limit, Window
from consumer.guards.refusals import Refusals
from consumer.guards.rule import Mode, Rule, Selector
from consumer.reevaluation import requester
from consumer.remediations.base import Change
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions
from consumer.resources.oss.bucket import BucketInfo
from consumer.resources.oss.kind import BUCKETS
from consumer.telemetry import catch_up, exposure, http_loop, log_writer, redaction, scrapes, status, unknown
from consumer.telemetry.catch_up import CatchUps
from consumer.telemetry.exposure import OpenExposures
from consumer.telemetry.label_values import BoundedValues
from consumer.telemetry.redaction import Redactor
from consumer.telemetry.unknown import Unknowns
from tests.unit.fakes import Clock
from tests.unit.telemetry.records import SETTLED_AT_MS, event, message, report

ROOT = Path(__file__).parents[2]
_ROW = re.compile(r"^\| [^|]+ \| `([A-Za-z]+\._[a-z_]+)` \| ([^|]+) \| [^|]+ \|$", re.MULTILINE)

NUMBERS = {
    "LeaseKeeper._planned": lease_keeper._TIDY_AT_LEAST,
    "Attempts._failures": backoff._REMEMBERED,
    "Unsettled._known": unsettled._REMEMBERED,
    "ReadBacks._awaited": read_backs._REMEMBERED,
    "Unknowns._hidden": unknown._REMEMBERED,
    "OpenExposures._open": exposure._REMEMBERED,
    "CatchUps._notified": catch_up._REMEMBERED,
    "Letters._answered_at_ms": exposure._REMEMBERED,
    "LocalContest._histories": contest._MOST_RESOURCES,
    "Refusals._refused": refusals._REMEMBERED,
    "Window._turns": limits._LONGEST_LINE,
    "Reevaluation._waiting": requester.MOST_WAITING,
    "Outbox._waiting": outbox.MOST_WAITING,
    "Digests._entries": records.MOST_IN_DIGEST,
    "News._announced": selection.REMEMBERED,
    "Endings._latest": status.MOST_ENDINGS,
    "BoundedValues._admitted": 40,
    "Redactor._secrets": redaction._REMEMBERED,
    "LogWriter._lines": log_writer.MOST_CHARACTERS,
    "HttpLoop._connections": http_loop.MOST_CONNECTIONS,
    "Scrapes._waiting": scrapes.MOST_WAITING,
    "NameLookup._running": name_lookup._MOST_AT_ONCE,
    "OssSession._local": session.CONNECTIONS_PER_THREAD,
    "TlsSessions._endpoints": tls_sessions.MOST_ENDPOINTS,
}
"""The bounds that are constants; the others are keys of the configuration."""


def documented() -> dict[str, str]:
    """Each container in the document's table, and its bound."""
    return dict(_ROW.findall((ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")))


def test_every_bound_is_documented_as_it_is() -> None:
    """A number is the constant's; anything else is a key of the configuration."""
    keys = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    for name, bound in documented().items():
        number = re.match(r"[0-9,]+", bound)
        if number:
            assert int(number[0].replace(",", "")) == NUMBERS[name], name
        else:
            (key,) = re.findall(r"`[a-z]+\.([a-z_]+)`", bound)
            assert f"`{key}`" in keys, name
    assert set(NUMBERS) <= set(documented())


def test_every_container_in_the_document_exists() -> None:
    """By its class and its attribute."""
    code = {path: path.read_text(encoding="utf-8") for path in (ROOT / "consumer").rglob("*.py")}
    for name in documented():
        owner, _, attribute = name.partition(".")
        assert [path for path, text in code.items() if f"class {owner}" in text and f"self.{attribute}" in text], name


MOST = 10
Filled = tuple[Sized, Callable[[int], object]]


def _attempts() -> Filled:
    found = Attempts(MOST)
    return found._failures, lambda n: found.failed(f"message {n}")


def _unsettled() -> Filled:
    found = Unsettled(MOST)
    return found._known, lambda n: found.copied(f"message {n}", Ending(Outcome.REJECTED))


def _exposures() -> Filled:
    found = OpenExposures(MOST)

    def fill(number: int) -> None:
        invented = event(resource_id=f"bucket-{number}", region=f"xx-{number}", account_id=f"{number:010}")
        found.observe(report(Outcome.HELD, event=invented, disposition=Disposition.HIDDEN))

    return found._open, fill


def _notified() -> Filled:
    found = CatchUps((), 0, MOST)
    return found._notified, lambda n: found.report(report(event=event(resource_id=f"bucket-{n}")))


def _letters() -> Filled:
    found = OpenExposures(MOST)

    def fill(number: int) -> None:
        found.observe(report(Outcome.ALREADY_COMPLIANT, event=event(resource_id=f"bucket-{number}")))

    return found._letters._answered_at_ms, fill


def _unknowns() -> Filled:
    found = Unknowns(
        OpenExposures(),
        PollBoard(),
        lambda: Books(0, dict.fromkeys(Disposition, 0), 0, 0, 0),
        longest_hide_seconds=60.0,
        dead_letters=True,
        remembered=MOST,
        wall=Clock(SETTLED_AT_MS / 1000),
    )

    def fill(number: int) -> None:
        held = message(message_id=f"message {number}")
        found.report(report(Outcome.HELD, message=held, disposition=Disposition.HIDDEN, hidden_seconds=900.0))

    return found._hidden, fill


def _contest() -> Filled:
    found = LocalContest(ContestPolicy(), most_resources=MOST)
    return found._histories, lambda n: found.fixed("rule", BUCKETS.resource("1", f"xx-{n}", f"bucket-{n}"), float(n))


def _read_backs() -> Filled:
    found = ReadBacks(remembered=MOST, monotonic=Clock())
    rule = Rule("rule", Selector(), BucketAcl(BucketAclOptions()), Mode.ENFORCE, 60.0)

    def fill(number: int) -> None:
        resource = BUCKETS.resource("1", f"xx-{number}", f"bucket-{number}")
        change = Change("public-read", "private")
        permit = Guards().permit(Intent(rule, resource, resource.region, change), dict)
        assert isinstance(permit, Permit)
        found.put(resource, ReadBack(rule, change, BucketInfo("1", "", "", "public-read"), permit, 1_000.0))

    return found._awaited, fill


def _refusals() -> Filled:
    found = Refusals(MOST)

    def fill(number: int) -> None:
        bucket = BUCKETS.resource("1", "cn-hangzhou", f"bucket-{number}")
        found.resource_alone(bucket, "oss:PutBucketAcl", float(number))

    return found._refused, fill


def _breaker() -> Filled:
    found = Breaker(BreakerPolicy(attempts=MOST, min_attempts=MOST, max_failure_share=1.0), "acl")

    def fill(number: int) -> None:
        admission: Any = found.admit(f"bucket-{number}", 0.0)
        found.record(admission, failed=bool(number % 2), now=0.0)

    return found._failed, fill


def _suspects() -> Filled:
    found = Breaker(BreakerPolicy(attempts=MOST, min_attempts=1, max_failure_share=0.1, cool_down_seconds=1.0), "acl")

    def fill(number: int) -> None:
        admission: Any = found.admit(f"bucket-{number}", 10.0 * number)
        found.record(admission, failed=True, now=10.0 * number)

    return found._suspects, fill


def _labels() -> Filled:
    found = BoundedValues(unknown_at_most=MOST)
    return found._admitted, lambda n: found.of(f"Code{n}")


@pytest.mark.parametrize(
    "make",
    [
        *(_attempts, _unsettled, _read_backs, _exposures, _notified, _letters, _unknowns),
        *(_contest, _refusals, _breaker, _suspects, _labels),
    ],
)
def test_it_keeps_to_its_bound(make: Callable[[], Filled]) -> None:
    """However many different ones come; and it is used at all."""
    held, fill = make()
    for number in range(10 * MOST):
        fill(number)
        assert len(held) <= MOST
    assert held


def test_turns_keep_to_their_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliveries that wait for a full limit share the last turn."""
    monkeypatch.setattr(limits, "_LONGEST_LINE", MOST)
    window = Window(Limit(1, 60.0))
    for _ in range(10 * MOST):
        window.next_turn(0.0)
    assert len(window._turns) == MOST


def test_secrets_keep_to_their_bound() -> None:
    """Temporary credentials come anew every hour for as long as the process lives."""
    found = Redactor()
    for number in range(2 * redaction._REMEMBERED):
        found.learn(f"secret/{number}")
    assert len(found._secrets) <= redaction._REMEMBERED
    assert found.clean(f"secret/{2 * redaction._REMEMBERED - 1}") == redaction.REDACTED
