"""Cloud Config's lists through the gateway: what they say, and everything else that could come in their place."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

from consumer.aliyun.cloud_config import CloudConfig
from consumer.aliyun.credentials import Credentials
from consumer.aliyun.retry import Retrier, RetryPolicy
from consumer.core.errors import DamagedReply, NotAuthenticated, Retryable, ServiceError, Throttled, Unavailable
from consumer.core.evaluation import Violation
from consumer.core.observers import Hooks
from consumer.guards.rule import Selector
from consumer.operator.catch_up.listing import Lister, Listing
from tests.integration.conftest import FixedCredentials, Recorder
from tests.unit.telemetry.records import rule

pytest.importorskip("alibabacloud_config20200907")

QUALIFIER = {
    "ConfigRuleArn": "acs:config::1234567890123456:rule/cr-1",
    "ConfigRuleId": "cr-1",
    "ConfigRuleName": "OSS存储空间ACL禁止公共读",
    "RegionId": "cn-hangzhou",
    "ResourceId": "photos",
    "ResourceName": "photos",
    "ResourceOwnerId": 1234567890123456,
    "ResourceType": "ACS::OSS::Bucket",
}
RESULT = {
    "Annotation": '{"configuration":"public-read"}',
    "ComplianceType": "NON_COMPLIANT",
    "EvaluationResultIdentifier": {"EvaluationResultQualifier": QUALIFIER, "OrderingTimestamp": 1_790_000_000_000},
    "InvokingEventMessageType": "ScheduledNotification",
    "LastNonCompliantRecordTimestamp": 1_780_000_000_000,
    "ResultRecordedTimestamp": 1_790_000_000_100,
    "RiskLevel": 1,
}
"""One result, with every field that the response models of alibabacloud-config20200907 4.2.3 read and we use."""

RULE = {"ConfigRuleId": "cr-1", "ConfigRuleName": "a name", "ConfigRuleState": "ACTIVE", "SourceIdentifier": "a-rule"}


def results(*entries: object, **more: object) -> dict[str, object]:
    """An answer with these results."""
    return {"RequestId": "A7", "EvaluationResults": {"EvaluationResultList": list(entries), "MaxResults": 100, **more}}


def changed(**changes: object) -> dict[str, object]:
    """A result that is different in one place of its qualifier, or of its own."""
    qualifier = {**QUALIFIER, **{name: value for name, value in changes.items() if name in QUALIFIER}}
    own = {name: value for name, value in changes.items() if name not in QUALIFIER}
    identifier = {"EvaluationResultQualifier": qualifier, "OrderingTimestamp": 1_790_000_000_000}
    return {**RESULT, "EvaluationResultIdentifier": identifier, **own}


class Service:
    """What answers in Cloud Config's place: for each action one body after the other, the last one again and again."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[bytes]] = {"ListConfigRules": [json.dumps({"RequestId": "A"}).encode()]}
        self.status = 200
        self.asked: list[dict[str, str]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
                action = self.headers.get("x-acs-action", "")
                parameters = dict(parse_qsl(urlsplit(self.path).query)) | dict(parse_qsl(body))
                service.asked.append({"action": action, **parameters})
                left = service.bodies[action]
                answer = left.pop(0) if len(left) > 1 else left[0]
                self.send_response(service.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.send_header("Connection", "close")
                self.end_headers()
                with suppress(ConnectionError):
                    self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def answer(self, action: str, *bodies: object) -> None:
        """Answer an action with these."""
        self.bodies[action] = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in bodies]

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()
    yield found
    found.close()


def gateway(service: Service, recorder: Recorder) -> CloudConfig:
    """The gateway, which asks the service."""
    return CloudConfig(service.url, FixedCredentials(Credentials("an-id", "a-key", "a-token")), Hooks((recorder,)))


def listed(service: Service, recorder: Recorder) -> Listing:
    """What a whole listing comes to, with pauses that take no time."""
    service.answer("ListConfigRules", {"RequestId": "A", "ConfigRules": {"ConfigRuleList": [RULE]}})
    retrier = Retrier(RetryPolicy(attempts=3), Hooks((recorder,)), threading.Event(), pause=lambda _: None)
    ours = rule()
    wanted = type(ours)("a", Selector(config_rule_ids=frozenset({"cr-1"})), ours.remediation, ours.mode, 900)
    lister = Lister(gateway(service, recorder), retrier, [wanted], aggregator_id="")
    found = lister.rules()
    lister.violations(found, lambda: None)
    return found


def test_a_result_is_read_as_it_is(service: Service, recorder: Recorder) -> None:
    """The newest evaluation, and when the non-compliance began."""
    service.answer("ListConfigRuleEvaluationResults", results(RESULT, NextToken="next"))
    page = gateway(service, recorder).violations("cr-1", "", 100)
    assert page.items == (
        Violation(
            config_rule_id="cr-1",
            config_rule_name="OSS存储空间ACL禁止公共读",
            config_rule_arn="acs:config::1234567890123456:rule/cr-1",
            identifier="",
            resource_type="ACS::OSS::Bucket",
            resource_id="photos",
            resource_name="photos",
            region="cn-hangzhou",
            account_id="1234567890123456",
            risk_level="1",
            annotation='{"configuration":"public-read"}',
            trigger="ScheduledNotification",
            evaluated_at_ms=1_790_000_000_000,
            since_ms=1_780_000_000_000,
        ),
    )
    assert (page.next_token, page.unreadable) == ("next", 0)
    (asked,) = service.asked
    assert asked == {
        "action": "ListConfigRuleEvaluationResults",
        "ConfigRuleId": "cr-1",
        "ComplianceType": "NON_COMPLIANT",
        "MaxResults": "100",
    }
    assert [(call.operation, call.code, call.request_id) for call in recorder.calls] == [
        ("ListConfigRuleEvaluationResults", "ok", "A7")
    ]


def test_the_form_for_an_account_group(service: Service, recorder: Recorder) -> None:
    """Names the group, and one member if only that one is meant."""
    service.answer("ListAggregateConfigRuleEvaluationResults", results(RESULT))
    asking = gateway(service, recorder)
    asking.violations("cr-1", "token", 7, aggregator_id="ca-1", account_id="2222222222222222")
    assert service.asked[0] == {
        "action": "ListAggregateConfigRuleEvaluationResults",
        "AggregatorId": "ca-1",
        "ConfigRuleId": "cr-1",
        "ComplianceType": "NON_COMPLIANT",
        "MaxResults": "7",
        "NextToken": "token",
        "ResourceAccountId": "2222222222222222",
    }


@pytest.mark.parametrize(
    ("began", "since_ms", "known"),
    [
        (None, 1_790_000_000_000, False),
        (0, 1_790_000_000_000, False),
        (-5, 1_790_000_000_000, False),
        ("1780000000000", 1_780_000_000_000, True),
        (1_800_000_000_000, 1_790_000_000_000, True),
        (10**30, 1_790_000_000_000, False),
        ({"a": 1}, 1_790_000_000_000, False),
    ],
)
def test_an_unusable_beginning_is_the_newest_evaluation(
    service: Service, recorder: Recorder, began: object, since_ms: int, known: bool
) -> None:
    """Never later than that: a beginning that lies ahead would hide the violation as too young."""
    service.answer("ListConfigRuleEvaluationResults", results(changed(LastNonCompliantRecordTimestamp=began)))
    (found,) = gateway(service, recorder).violations("cr-1", "", 100).items
    assert (found.since_ms, found.since_known) == (since_ms, known)


@pytest.mark.parametrize(
    "entry",
    [
        changed(ResourceId=None),
        changed(ResourceId=""),
        changed(ResourceId=["photos"]),
        changed(ResourceId="x" * 5_000),
        changed(ResourceOwnerId=None),
        changed(ResourceOwnerId=True),
        changed(ConfigRuleId={"a": 1}),
        changed(ResourceType=7.5),
        changed(ComplianceType=5),
        changed(ComplianceType=None),
        {"ComplianceType": "NON_COMPLIANT"},
        {**RESULT, "EvaluationResultIdentifier": {"OrderingTimestamp": 1}},
    ],
    ids=lambda entry: json.dumps(entry)[:60],
)
def test_a_result_that_cannot_be_read_is_counted(
    service: Service, recorder: Recorder, entry: dict[str, object]
) -> None:
    """It is named and the list is not complete: leaving it out in silence would call a resource compliant."""
    service.answer("ListConfigRuleEvaluationResults", results(RESULT, entry))
    found = listed(service, recorder)
    assert (len(found.violations), found.unreadable, found.complete) == (1, 1, False)


def test_what_is_compliant_is_no_violation(service: Service, recorder: Recorder) -> None:
    """Also when it comes although only the others were asked for."""
    service.answer("ListConfigRuleEvaluationResults", results(changed(ComplianceType="COMPLIANT"), RESULT))
    found = listed(service, recorder)
    assert (len(found.violations), found.unreadable, found.complete) == (1, 0, True)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"<html>a portal</html>",
        b'{"RequestId": "A7"}',
        b'{"RequestId": "A7", "EvaluationResults": []}',
        b'{"RequestId": "A7", "EvaluationResults": {}}',
        b'{"EvaluationResults": "none"}',
        b'{"EvaluationResults": {"EvaluationResultList": {}}}',
        b'{"EvaluationResults": {"EvaluationResultList": "photos"}}',
        b'{"EvaluationResults": {"EvaluationResultList": ["photos"]}}',
        b'{"EvaluationResults": {"EvaluationResultList": [5]}}',
        b'{"EvaluationResults": {"EvaluationResultList": [], "NextToken": 5}}',
        b'{"EvaluationResults": {"EvaluationResultList": [], "NextToken": {"a": 1}}}',
        json.dumps(results(NextToken="x" * 10_000)).encode(),
        json.dumps(results(*[RESULT] * 101)).encode(),
        b'{"EvaluationResults": ' * 5_000,
        b"[" * 100_000,
        b"\xff\xfe" * 100,
        json.dumps(results(*[changed(Annotation="x" * 200_000)] * 20)).encode(),
    ],
    ids=lambda answer: repr(answer[:50]),
)
def test_what_is_no_list_is_an_error_and_never_an_empty_list(
    service: Service, recorder: Recorder, answer: bytes
) -> None:
    """Wrong types, other documents, too much of anything: one outcome in bounded time, and no complete list."""
    service.answer("ListConfigRuleEvaluationResults", answer)
    with pytest.raises(Retryable):
        gateway(service, recorder).violations("cr-1", "", 100)
    found = listed(service, recorder)
    assert not found.complete
    assert found.rules[0].error
    assert found.violations == []


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        b'{"RequestId": "A7"}',
        b'{"RequestId": "A7", "ConfigRules": []}',
        b'{"ConfigRules": "none"}',
        b'{"ConfigRules": {"ConfigRuleList": [5]}}',
        json.dumps({"ConfigRules": {"ConfigRuleList": [RULE] * 101}}).encode(),
        json.dumps({"ConfigRules": {"ConfigRuleList": [{**RULE, "ConfigRuleId": 7.5}]}}).encode(),
    ],
    ids=lambda answer: repr(answer[:50]),
)
def test_a_list_of_rules_that_is_none_is_reported(service: Service, recorder: Recorder, answer: bytes) -> None:
    """Which rules there are is then unknown, and no id is called missing for it."""
    service.answer("ListConfigRuleEvaluationResults", results())
    retrier = Retrier(RetryPolicy(attempts=2), Hooks((recorder,)), threading.Event(), pause=lambda _: None)
    service.answer("ListConfigRules", answer)
    ours = rule()
    wanted = type(ours)("a", Selector(config_rule_ids=frozenset({"cr-1"})), ours.remediation, ours.mode, 900)
    found = Lister(gateway(service, recorder), retrier, [wanted], aggregator_id="").rules()
    assert (found.complete, found.rules, found.not_found) == (False, [], ())
    assert found.problems[0].startswith("The rules of the account cannot be listed: config ListConfigRules: ")


def test_a_list_that_goes_round_in_a_circle_ends(service: Service, recorder: Recorder) -> None:
    """The same token again is no further page."""
    service.answer("ListConfigRuleEvaluationResults", results(RESULT, NextToken="a"))
    found = listed(service, recorder)
    assert "round in a circle" in found.rules[0].error
    assert len(service.asked) == 1 + 2


def test_a_list_without_end_is_cut(service: Service, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither time nor memory depends on what a service answers, and what was cut is said."""
    monkeypatch.setattr("consumer.operator.catch_up.listing.MOST_VIOLATIONS", 150)
    pages = [results(*[changed(ResourceId=f"b{n}")] * 100, NextToken=f"t{n}") for n in range(9)]
    service.answer("ListConfigRuleEvaluationResults", *pages)
    found = listed(service, recorder)
    assert (len(found.violations), found.complete) == (200, False)
    assert "one run takes 150 results" in found.rules[0].error


def test_a_page_that_is_too_large_is_requested_in_small_ones(service: Service, recorder: Recorder) -> None:
    """A hundred results that each quote a policy may not fit into a bounded reply."""
    large = results(*[changed(Annotation="x" * 20_000)] * 100)
    service.answer("ListConfigRuleEvaluationResults", large, large, large, results(RESULT, NextToken="b"), results())
    found = listed(service, recorder)
    assert (len(found.violations), found.complete) == (1, True)
    sizes = [asked["MaxResults"] for asked in service.asked if "MaxResults" in asked]
    assert sizes == ["100", "100", "100", "10", "100"]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "Throttling.User", Throttled),
        (400, "InvalidSecurityToken.Expired", NotAuthenticated),
        (404, "InvalidAccessKeyId.NotFound", NotAuthenticated),
        (503, "ServiceUnavailable", Unavailable),
        (500, "Whatever", Unavailable),
    ],
)
def test_a_refusal_says_what_to_do_next(
    service: Service, recorder: Recorder, status: int, code: str, kind: type[ServiceError]
) -> None:
    """By the part of the code before its dot, or by the status; the whole code reaches the metrics."""
    service.status = status
    service.answer("ListConfigRuleEvaluationResults", {"RequestId": "B1", "Code": code, "Message": "no"})
    with pytest.raises(kind) as refused:
        gateway(service, recorder).violations("cr-1", "", 100)
    assert refused.value.code == code
    assert [(call.code, call.request_id) for call in recorder.calls] == [(code, "B1")]


def test_a_code_without_end_is_cut(service: Service, recorder: Recorder) -> None:
    """It is shown to people and written to logs."""
    service.status = 400
    service.answer("ListConfigRuleEvaluationResults", {"RequestId": "B" * 10**5, "Code": "x" * 10**5, "Message": "no"})
    with pytest.raises(ServiceError) as refused:
        gateway(service, recorder).violations("cr-1", "", 100)
    assert len(str(refused.value)) < 500


def test_a_service_that_is_gone_ends_the_list_soon(service: Service, recorder: Recorder) -> None:
    """Three rules that nobody answers about are enough; the others are named, and nothing is called compliant."""
    rules = [{**RULE, "ConfigRuleId": f"cr-{number}"} for number in range(50)]
    service.answer("ListConfigRules", {"RequestId": "A", "ConfigRules": {"ConfigRuleList": rules}})
    service.answer("ListConfigRuleEvaluationResults", {"RequestId": "B", "Code": "ServiceUnavailable", "Message": "no"})
    retrier = Retrier(RetryPolicy(attempts=2), Hooks((recorder,)), threading.Event(), pause=lambda _: None)
    ours = rule()
    wanted = type(ours)("a", Selector(rule_names=("*",)), ours.remediation, ours.mode, 900)
    lister = Lister(gateway(service, recorder), retrier, [wanted], aggregator_id="")
    found = lister.rules()
    service.status = 503
    lister.violations(found, lambda: None)
    assert [bool(each.error) for each in found.rules] == [True] * 50
    assert found.rules[3].error.startswith("not listed")
    assert len(service.asked) == 1 + 3 * 2


def test_a_secret_is_in_no_error(service: Service, recorder: Recorder) -> None:
    """Whatever comes back, its text is ours."""
    service.answer("ListConfigRuleEvaluationResults", b'{"EvaluationResults": "a-key a-token"}')
    with pytest.raises(DamagedReply) as refused:
        gateway(service, recorder).violations("cr-1", "", 100)
    assert "a-key" not in str(refused.value)
