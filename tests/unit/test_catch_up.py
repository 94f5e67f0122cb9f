"""Catch-up's pure parts: the event that it writes, the file that it remembers by, and what it decides."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.aliyun.retry import Retrier, RetryPolicy
from consumer.core.errors import ConfigurationError, InvalidMessage
from consumer.core.evaluation import Violation
from consumer.core.event import Event, decode
from consumer.core.observers import Hooks
from consumer.core.outcome import Outcome
from consumer.guards.rule import Observed
from consumer.operator.catch_up.plan import Decision, Planned, PlanOptions, QueuedWork, counts, plan, recent
from consumer.operator.catch_up.sending import EventSender, Sending
from consumer.operator.catch_up.sent import Sent
from consumer.operator.dry_run import DryRunResult
from consumer.reevaluation.catch_up import event_body, key_of
from tests.unit.fakes import FakeDeadLetters

NOW_MS = 1_790_000_000_000
HOUR_MS = 3_600_000


def violation(**changes: Any) -> Violation:
    """One listed result."""
    fields: dict[str, Any] = {
        "config_rule_id": "cr-1",
        "config_rule_name": "OSS存储空间ACL禁止公共读",
        "config_rule_arn": "acs:config::1234567890123456:rule/cr-1",
        "identifier": "oss-bucket-public-read-prohibited",
        "resource_type": "ACS::OSS::Bucket",
        "resource_id": "photos",
        "resource_name": "photos",
        "region": "cn-hangzhou",
        "account_id": "1234567890123456",
        "risk_level": "1",
        "annotation": '{"configuration":"public-read"}',
        "trigger": "ScheduledNotification",
        "evaluated_at_ms": NOW_MS - HOUR_MS,
        "since_ms": NOW_MS - 24 * HOUR_MS,
    }
    return Violation(**{**fields, **changes})


def test_the_event_says_what_the_list_says() -> None:
    """Every field that the worker reads, from the first evaluation on."""
    assert decode(event_body(violation(), NOW_MS)) == Event(
        config_rule_id="cr-1",
        config_rule_name="OSS存储空间ACL禁止公共读",
        source_identifier="oss-bucket-public-read-prohibited",
        resource_type="ACS::OSS::Bucket",
        resource_id="photos",
        region="cn-hangzhou",
        account_id="1234567890123456",
        risk_level="critical",
        evaluated_at_ms=NOW_MS - 24 * HOUR_MS,
        notified_at_ms=NOW_MS,
        request_id=f"catch-up-{key_of(violation())}",
        caught_up=True,
    )


def test_the_event_has_the_keys_of_the_documented_one() -> None:
    """Of https://help.aliyun.com/en/document_detail/309463.html, and the two that say where it comes from."""
    found = json.loads(event_body(violation(), NOW_MS))
    assert found.keys() == {
        "annotation", "riskLevel", "dataType", "evaluationResultIdentifier", "eventType", "invokingEventMessageType",
        "complianceType", "accountId", "requestId", "eventName", "notificationCreationTime", "remediatorOrigin",
    }  # fmt: skip
    assert found["evaluationResultIdentifier"].keys() == {"orderingTimestamp", "evaluationResultQualifier"}
    assert found["evaluationResultIdentifier"]["evaluationResultQualifier"].keys() == {
        "resourceId", "configRuleName", "configRuleId", "captureTime", "resourceName", "configRuleArn", "regionId",
        "resourceOwnerId", "resourceType", "sourceIdentifier",
    }  # fmt: skip
    assert isinstance(found["accountId"], int)


@given(text=st.text(max_size=1024), moment=st.integers(0, 10**14))
def test_whatever_the_list_says_is_an_event_or_is_refused(text: str, moment: int) -> None:
    """Names, ids and times are anybody's: the body is text that any queue takes, and decodes or says why not."""
    found = violation(resource_id=text, config_rule_name=text, region=text, account_id=text, since_ms=moment)
    body = event_body(replace(found, annotation=text, risk_level=text, trigger=text), NOW_MS)
    assert body.isascii()
    assert body.isprintable()
    with suppress(InvalidMessage):
        assert isinstance(decode(body), Event)


@pytest.mark.parametrize("claim", [True, 1, "catch-up ", ["catch-up"], {"catch-up": 1}, None])
def test_only_the_exact_mark_counts(claim: object) -> None:
    """Anything else in its place is like no mark, and no error."""
    body = json.loads(event_body(violation(), NOW_MS))
    body["remediatorOrigin"] = claim
    found = decode(json.dumps(body))
    assert isinstance(found, Event)
    assert not found.caught_up


def test_a_key_is_one_violations_from_its_beginning_to_its_end() -> None:
    """Another evaluation with the same finding is the same violation; one that began anew is not."""
    key = key_of(violation())
    assert key == key_of(violation(evaluated_at_ms=NOW_MS, annotation="", region="", config_rule_name="renamed"))
    for changes in ({"since_ms": 1}, {"resource_id": "b"}, {"config_rule_id": "cr-2"}, {"account_id": "22222"}):
        assert key_of(violation(**changes)) != key


def decided(choice: PlanOptions = PlanOptions(), seen: QueuedWork = QueuedWork(), **changes: Any) -> Planned:  # noqa: B008 - frozen values
    """What is done about one violation that the rule public-read takes."""
    rehearsed = {name: changes.pop(name) for name in ("outcome", "mode") if name in changes}
    each = DryRunResult(rehearsed.get("outcome"), "", "because", "public-read", rehearsed.get("mode", "enforce"), None)
    (found,) = plan([(violation(**changes), each)], choice, seen, NOW_MS)
    return found


@pytest.mark.parametrize(
    ("outcome", "decision"),
    [
        (None, Decision.SEND),
        (Outcome.EXEMPT, Decision.EXEMPT),
        (Outcome.NOT_OURS, Decision.NOT_TAKEN),
        (Outcome.REJECTED, Decision.NOT_TAKEN),
        (Outcome.INVALID, Decision.INVALID),
    ],
)
def test_what_the_worker_would_end_at_once_is_not_sent(outcome: Outcome | None, decision: Decision) -> None:
    """By the worker's own decision about the very body."""
    assert decided(outcome=outcome).decision is decision


def test_the_age_counts_from_the_beginning() -> None:
    """Not from an evaluation that found the same again."""
    choice = PlanOptions(min_age_seconds=7_200)
    assert decided(choice, evaluated_at_ms=NOW_MS).decision is Decision.SEND
    assert decided(choice, since_ms=NOW_MS - HOUR_MS).decision is Decision.TOO_YOUNG
    assert decided(choice, since_ms=NOW_MS + HOUR_MS).decision is Decision.TOO_YOUNG


@pytest.mark.parametrize(
    ("mode", "observed", "include", "decision"),
    [
        ("observe", Observed.KEEP, False, Decision.OBSERVED),
        ("observe", Observed.KEEP, True, Decision.SEND),
        ("observe", Observed.DELETE, False, Decision.SEND),
        ("enforce", Observed.KEEP, False, Decision.SEND),
    ],
)
def test_a_rule_that_keeps_gets_no_copies(mode: str, observed: Observed, include: bool, decision: Decision) -> None:
    """Each run would add one message for each resource, and none would ever leave."""
    choice = PlanOptions(observed={"public-read": observed}, include_observing=include)
    assert decided(choice, mode=mode).decision is decision


def test_what_is_known_of_its_event() -> None:
    """Seen, remembered, or unknown; never absent."""
    mine = ("cr-1", "1234567890123456", "photos")
    assert (decided(seen=QueuedWork(waiting={mine})).decision, decided(seen=QueuedWork(waiting={mine})).event) == (
        Decision.WAITING,
        "waiting",
    )
    assert decided(seen=QueuedWork(dead_letters={mine})).event == "dead_letter"
    before = decided(seen=QueuedWork(sent={key_of(violation()): NOW_MS - 1}))
    assert (before.decision, before.event, before.sent_at_ms) == (Decision.SENT_BEFORE, "sent", NOW_MS - 1)
    assert decided(seen=QueuedWork(waiting={("cr-2", *mine[1:])})).event == "unknown"


@pytest.mark.parametrize(
    ("choice", "changes", "decision"),
    [
        (PlanOptions(), {"mode": "observe"}, Decision.OBSERVED),
        (PlanOptions(rules=frozenset({"another"})), {}, Decision.FILTERED),
        (PlanOptions(), {"outcome": Outcome.EXEMPT}, Decision.EXEMPT),
        (PlanOptions(), {"outcome": Outcome.NOT_OURS}, Decision.NOT_TAKEN),
        (PlanOptions(min_age_seconds=10**6), {}, None),
    ],
)
def test_what_was_seen_of_its_event_is_said_whatever_is_decided(
    choice: PlanOptions, changes: dict[str, Any], decision: Decision | None
) -> None:
    """That its rule observes, or that an option leaves it out, does not take its message off the queue."""
    mine = ("cr-1", "1234567890123456", "photos")
    for seen, event in (
        (QueuedWork(waiting={mine}), "waiting"),
        (QueuedWork(dead_letters={mine}), "dead_letter"),
        (QueuedWork(waiting={mine}, dead_letters={mine}), "waiting"),
    ):
        found = decided(choice, seen, **changes)
        assert (found.decision, found.event) == (decision or Decision(event), event)


class FullMemory:
    """Has room for one event."""

    place = "a full disk"

    def __init__(self) -> None:
        self.keys: list[str] = []

    def known(self, keys: Sequence[str]) -> dict[str, int]:
        """Nothing from before."""
        return dict.fromkeys(set(keys) & set(self.keys), NOW_MS)

    def add(self, key: str, at_ms: int) -> None:
        """The second one does not fit."""
        if self.keys:
            raise ConfigurationError(f"no room at {at_ms}")
        self.keys.append(key)


@pytest.mark.parametrize(("listed", "failed"), [(1, 0), (2, 0), (4, 2)])
def test_what_cannot_be_remembered_ends_the_sending_and_not_the_account_of_it(listed: int, failed: int) -> None:
    """All that was sent is counted, and each of the others says why it was not, however many there are."""
    each = DryRunResult(None, "", "", "public-read", "enforce", None)
    planned = plan([(violation(resource_id=f"b{n}"), each) for n in range(listed)], PlanOptions(), QueuedWork(), NOW_MS)
    queue, result = FakeDeadLetters(), Sending()
    retrier = Retrier(RetryPolicy(1, 0.0, 0.0), Hooks(), threading.Event())
    sender = EventSender(queue, retrier, FullMemory(), rate=1, pause=lambda _: None, wall_ms=lambda: NOW_MS)  # type: ignore[arg-type]
    sender.send(planned, result, lambda: None)
    assert (len(result.ids), len(queue.bodies), len(result.failed)) == (min(listed, 2), min(listed, 2), failed)
    assert result.forgotten == (f"no room at {NOW_MS}" if listed > 1 else "")
    assert all("cannot be remembered" in why for why in result.failed.values())


def test_the_limit_is_for_what_is_sent() -> None:
    """What is left for another reason uses none of it, and the order is the list's."""
    each = DryRunResult(None, "", "", "public-read", "enforce", None)
    exempt = DryRunResult(Outcome.EXEMPT, "", "", "public-read", "enforce", None)
    found = [(violation(resource_id=f"b{n}"), exempt if n == 0 else each) for n in range(5)]
    planned = plan(found, PlanOptions(limit=2), QueuedWork(), NOW_MS)
    assert [one.decision for one in planned] == [
        Decision.EXEMPT, Decision.SEND, Decision.SEND, Decision.OVER_LIMIT, Decision.OVER_LIMIT,
    ]  # fmt: skip
    assert counts(planned) == {"send": 2, "exempt": 1, "over_limit": 2}


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"since_ms": NOW_MS - 2 * HOUR_MS}, 1),
        ({"since_ms": NOW_MS - 2 * HOUR_MS, "mode": "observe"}, 1),
        ({"since_ms": NOW_MS - 25 * HOUR_MS}, 0),
        ({"since_ms": NOW_MS - HOUR_MS // 2}, 0),
        ({"since_ms": NOW_MS + HOUR_MS}, 0),
        ({"since_ms": NOW_MS - 2 * HOUR_MS, "since_known": False}, 0),
        ({"since_ms": NOW_MS - 2 * HOUR_MS, "outcome": Outcome.EXEMPT}, 0),
        ({"since_ms": NOW_MS - 2 * HOUR_MS, "outcome": Outcome.NOT_OURS}, 0),
    ],
)
def test_what_counts_as_of_the_last_day(changes: dict[str, Any], number: int) -> None:
    """Sent or left: what is old enough for its event to have come, and whose beginning the list itself says."""
    choice = PlanOptions(observed={"public-read": Observed.KEEP})
    found = decided(choice, **{"evaluated_at_ms": NOW_MS, **changes})
    assert dict(recent([found], 3_600, NOW_MS)).get("public-read", 0) == number


KEYS = [f"{number:032x}" for number in range(5)]


def remembered(path: Path, *, forget_before_ms: int = 0) -> dict[str, int]:
    """What the next run knows."""
    with Sent(path, forget_before_ms=forget_before_ms, writable=False) as sent:
        return sent.known(KEYS)


def test_what_was_sent_is_remembered_and_forgotten(tmp_path: Path) -> None:
    """Each at once, the latest time counts, and none for longer than it should."""
    path = tmp_path / "state"
    with Sent(path, forget_before_ms=0, writable=True) as sent:
        for number, key in enumerate([*KEYS, KEYS[0]]):
            sent.add(key, 1_000 + number)
            assert remembered(path)[key] == 1_000 + number
    assert remembered(path) == {**{key: 1_000 + n for n, key in enumerate(KEYS)}, KEYS[0]: 1_005}
    assert remembered(path, forget_before_ms=1_004) == {KEYS[4]: 1_004, KEYS[0]: 1_005}
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", range(1, 48))
def test_a_line_that_was_cut_off_is_as_if_it_was_not_sent(tmp_path: Path, cut: int) -> None:
    """Wherever the power went; and what is added after it is not lost with it."""
    path = tmp_path / "state"
    with Sent(path, forget_before_ms=0, writable=True) as sent:
        sent.add(KEYS[0], 1_790_000_000_000)
        sent.add(KEYS[1], 1_790_000_000_000)
    path.write_bytes(path.read_bytes()[:-cut])
    assert set(remembered(path)) == {KEYS[0]}
    with Sent(path, forget_before_ms=0, writable=True) as sent:
        sent.add(KEYS[2], 1_790_000_000_001)
    assert set(remembered(path)) == {KEYS[0], KEYS[2]}


def test_two_runs_do_not_share_a_file(tmp_path: Path) -> None:
    """Each would send what the other one is about to send."""
    path = tmp_path / "state"
    with Sent(path, forget_before_ms=0, writable=True):
        with pytest.raises(ConfigurationError, match="in use by another catch-up"):
            Sent(path, forget_before_ms=0, writable=True)
        assert remembered(path) == {}, "looking is no harm"


def test_a_large_file_is_made_small_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what no longer counts."""
    monkeypatch.setattr("consumer.operator.catch_up.sent._COMPACT_BYTES", 100)
    path = tmp_path / "state"
    with Sent(path, forget_before_ms=0, writable=True) as sent:
        for number, key in enumerate(KEYS):
            sent.add(key, number)
    with Sent(path, forget_before_ms=3, writable=True):
        pass
    assert len(path.read_bytes().splitlines()) == 1 + 2
    assert set(remembered(path)) == set(KEYS[3:])


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    """Folders, devices, pipes, a full disk: one line each, and no hanging."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, Path("/dev/null/x"), tmp_path / "no" / "such"):
        with pytest.raises(ConfigurationError, match=r"^--state: "):
            Sent(path, forget_before_ms=0, writable=True)
    with (
        pytest.raises(ConfigurationError, match=r"^--state: "),
        Sent(Path("/dev/full"), forget_before_ms=0, writable=True) as sent,
    ):
        sent.add(KEYS[0], 1)
    with (
        pytest.raises(ConfigurationError, match=r"^--state: "),
        Sent(tmp_path / "pipe", forget_before_ms=0, writable=True) as sent,
    ):
        sent.add(KEYS[0], 1)
    assert remembered(tmp_path / "nothing") == {}
