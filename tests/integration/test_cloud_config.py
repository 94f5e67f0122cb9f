"""The Cloud Config gateway: the vendor's package over real HTTP, where that optional extra is installed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from consumer.aliyun.cloud_config import CloudConfig
from consumer.aliyun.credentials import Credentials
from consumer.core.errors import ConfigurationError, PermissionMissing, ServiceError, Throttled, Unanswered
from consumer.core.evaluation import Judgement, Subject
from consumer.core.observers import Hooks
from consumer.core.outcome import Outcome
from consumer.reevaluation.agreement import LOOK_SECONDS, AgreementPolicy, Agreements, Concluded
from consumer.reevaluation.requester import Reevaluation
from consumer.telemetry.exposure import OpenExposures
from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.conftest import FixedCredentials, Recorder, Run
from tests.serving import serving
from tests.unit.fakes import Clock, instant_heartbeat
from tests.unit.telemetry.records import event, report
from tests.unit.telemetry.scrape import expose_open, metrics, value

OWN = FixedCredentials(Credentials("an-id", "a-key", "a-token"))


@dataclass
class Service:
    """What answers in Cloud Config's place."""

    url: str = ""
    status: int = 200
    answer: dict[str, Any] = field(default_factory=lambda: {"RequestId": "A7A0", "ConfigRuleId": "cr-1"})
    asked: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def service() -> Iterator[Service]:
    """An endpoint that takes every request and remembers its parameters and headers."""
    found = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.asked.append({**headers, **dict(parse_qsl(urlsplit(self.path).query)), **dict(parse_qsl(body))})
            answer = json.dumps(found.answer).encode()
            self.send_response(found.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serving(Handler) as found.url:
        yield found


def gateway(url: str, recorder: Recorder) -> CloudConfig:
    """The gateway, where its package is installed."""
    pytest.importorskip("alibabacloud_config20200907")
    return CloudConfig(url, OWN, Hooks((recorder,)))


def test_the_resource_is_named_and_the_token_sent(service: Service, recorder: Recorder) -> None:
    """One signed request in the service's own form, and one call counted."""
    gateway(service.url, recorder).evaluate("photos")

    (asked,) = service.asked
    assert asked["ResourceId"] == "photos"
    assert asked["x-acs-action"] == "StartConfigRuleEvaluationByResource"
    assert asked["x-acs-version"] == "2020-09-07"
    assert asked["x-acs-security-token"] == "a-token"
    assert "a-key" not in str(asked)
    (call,) = recorder.calls
    assert (call.service, call.operation, call.code) == ("config", "StartConfigRuleEvaluationByResource", "ok")
    assert call.request_id == "A7A0"


def test_results_are_requested_and_what_is_incomplete_is_left_out(service: Service, recorder: Recorder) -> None:
    """A result that does not say whose or when proves nothing."""
    qualifier = {"EvaluationResultQualifier": {"ConfigRuleId": "cr-1"}}
    service.answer = {
        "RequestId": "C2",
        "EvaluationResults": {
            "EvaluationResultList": [
                {
                    "ComplianceType": "COMPLIANT",
                    "EvaluationResultIdentifier": {**qualifier, "OrderingTimestamp": 1_790_000_000_000},
                },
                {"ComplianceType": "COMPLIANT", "EvaluationResultIdentifier": qualifier},
                {"ComplianceType": "COMPLIANT"},
            ]
        },
    }

    found = gateway(service.url, recorder).judgements(Subject("ACS::OSS::Bucket", "photos", "cn-hangzhou"))

    assert found == (Judgement("cr-1", "COMPLIANT", 1_790_000_000_000),)
    (asked,) = service.asked
    assert asked["x-acs-action"] == "ListResourceEvaluationResults"
    assert [asked[name] for name in ("ResourceType", "ResourceId", "Region", "MaxResults")] == [
        "ACS::OSS::Bucket",
        "photos",
        "cn-hangzhou",
        "100",
    ]
    assert [(call.operation, call.code, call.request_id) for call in recorder.calls] == [
        ("ListResourceEvaluationResults", "ok", "C2")
    ]


def test_nothing_found_is_no_result(service: Service, recorder: Recorder) -> None:
    """An answer without any list is one that knows of nothing."""
    service.answer = {"RequestId": "C3"}
    assert gateway(service.url, recorder).judgements(Subject("ACS::OSS::Bucket", "photos", "")) == ()
    assert "Region" not in service.asked[0]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "NoPermission", PermissionMissing),
        (429, "Throttling.User", Throttled),
        (404, "AccountNotExisted", ServiceError),
        (503, "ServiceUnavailable", ServiceError),
    ],
)
def test_a_refusal_is_recognised_by_its_code(
    service: Service, recorder: Recorder, status: int, code: str, kind: type[ServiceError]
) -> None:
    """The service's own word for it reaches the metrics."""
    service.status, service.answer = status, {"RequestId": "B1", "Code": code, "Message": "no"}

    with pytest.raises(kind) as refused:
        gateway(service.url, recorder).evaluate("photos")

    assert refused.value.code == code
    assert [call.code for call in recorder.calls] == [code]


def test_an_endpoint_where_nobody_answers_is_reported(recorder: Recorder) -> None:
    """That is a failure like any other, and it is counted."""
    with pytest.raises(Unanswered):
        gateway("http://127.0.0.1:9", recorder).evaluate("photos")
    assert [call.code for call in recorder.calls] == ["refused"]


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch, recorder: Recorder) -> None:
    """Whoever switches it on is told what to install."""
    monkeypatch.setitem(__import__("sys").modules, "alibabacloud_config20200907.client", None)
    with pytest.raises(ConfigurationError, match=r"^reevaluate\.enabled: the package") as refused:
        CloudConfig("https://config.cn-shanghai.aliyuncs.com", OWN, Hooks((recorder,)))
    assert "pip install '.[reevaluate]' in a checkout" in refused.value.remedy


def test_an_exposure_is_closed_when_the_emulated_evaluator_agrees(
    channel: Emulator, credentials: FixedCredentials, recorder: Recorder
) -> None:
    """From the fix over the request and a disagreeing look to the look that agrees, with every request signed."""
    pytest.importorskip("alibabacloud_config20200907")
    clock, concluded = Clock(), list[Concluded]()
    channel.create_buckets(["photos"], acl="public-read")
    found_at_ms = channel.journal()[-1].time_ms
    broken = event(resource_id="photos", config_rule_id="cr-read", evaluated_at_ms=found_at_ms)
    asking = Reevaluation(
        CloudConfig(channel.control.url, credentials, Hooks((recorder,))),
        threading.Event(),
        instant_heartbeat(clock),
        account_id=broken.account_id,
        max_per_minute=60,
        agreements=Agreements(600, concluded.append, monotonic=clock),
    )
    exposures = OpenExposures(agreement=AgreementPolicy(broken.account_id, 600))
    found = metrics(exposures=exposures)
    expose_open(found, exposures)
    fixed = report(Outcome.FIXED, event=broken, settled_at_ms=found_at_ms + 1)
    channel.advance(5)
    found.report(fixed)
    asking.report(fixed)
    assert asking.request_next(0)
    clock.advance(LOOK_SECONDS)
    assert asking.request_next(0)
    assert concluded == []
    assert value(found, "oldest_open_exposure_timestamp_seconds", rule=fixed.rule) == found_at_ms / 1000

    channel.advance(5)
    channel.change_bucket("photos", acl="private")
    clock.advance(LOOK_SECONDS)
    assert asking.request_next(0)
    for each in concluded:
        found.concluded(each)

    assert [each.conclusion for each in concluded] == ["agreed"]
    assert value(found, "oldest_open_exposure_timestamp_seconds", rule=fixed.rule) is None
    assert {call.code for call in recorder.calls} == {"ok"}
    (entry,) = channel.journal(operation="StartConfigRuleEvaluationByResource")
    assert (entry.service, entry.resource) == ("config", "photos")


VERSIONING = """
[[rules]]
name = "versioned"
remediation = "oss.versioning"
mode = "enforce"
{selector}
hold_seconds = 1
"""
BY_ID, BY_NAME = 'config_rule_ids = ["cr-oss-bucket-versioning-enabled"]', 'rule_names = ["*"]'


@pytest.mark.parametrize(("selector", "true"), [(BY_ID, True), (BY_NAME, True), (BY_ID, False)])
def test_what_cannot_be_taken_back_is_done_only_if_the_evaluator_confirms_it(
    channel: Emulator, run: Run, selector: str, true: bool
) -> None:
    """Cloud Config itself calls the bucket non-compliant by a rule that it describes; or the event is invented."""
    pytest.importorskip("alibabacloud_config20200907")
    identifier = "oss-bucket-versioning-enabled"
    channel.config.set_channel(non_compliance=False)
    channel.config.add_rule(identifier, rule_id=f"cr-{identifier}")
    channel.create_buckets(["photos"])
    channel.config.publish(bucket="photos", rule=identifier)
    if not true:
        channel.config.remove_rule(identifier)
    evaluator = f'\n[reevaluate]\nenabled = true\nendpoint = "{channel.control.url}"\n'
    with run(VERSIONING.format(selector=selector) + evaluator) as running:
        metrics_of = running.service.metrics
        if true:
            eventually(lambda: value(metrics_of, "outcomes_total", rule="versioned", outcome="fixed") == 1)
        else:
            eventually(lambda: (value(metrics_of, "held_total", rule="versioned", reason="unconfirmed") or 0) > 0)
    changes = channel.journal(operation="PutBucketVersioning")
    assert len(changes) == (1 if true else 0)


def test_a_worker_counts_its_fix_as_open_until_it_has_looked(channel: Emulator, run: Run) -> None:
    """The message is settled and the bucket repaired; only the exposure waits for the evaluator's word."""
    pytest.importorskip("alibabacloud_config20200907")
    more = f'\n[reevaluate]\nenabled = true\nwait_for_agreement = true\nendpoint = "{channel.control.url}"\n'
    with run(more) as running:
        found = running.service.metrics
        channel.create_buckets(["photos"], acl="public-read")
        eventually(lambda: value(found, "reevaluations_total", result="asked") == 1)
        assert channel.acls() == {"photos": "private"}
        eventually(lambda: len(channel.journal(operation="BatchDeleteMessage")) == 1)
        assert value(found, "exposure_seconds_count", rule="public-read") == 1
        assert value(found, "oldest_open_exposure_timestamp_seconds", rule="public-read") is not None
        assert value(found, "reevaluations_total", result="agreed") == 0
