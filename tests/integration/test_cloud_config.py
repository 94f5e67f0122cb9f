"""The Cloud Config gateway: the vendor's package over real HTTP, where that optional extra is installed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from consumer.cloud_config import CloudConfig
from consumer.credentials import Credentials
from consumer.errors import ConfigurationError, PermissionMissing, ServiceError, Throttled, Unanswered
from consumer.hooks import Hooks
from tests.integration.conftest import FixedCredentials, Recorder

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

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


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


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "NoPermission", PermissionMissing),
        (429, "Throttling.User", Throttled),
        (404, "AccountNotExisted", ServiceError),
        (503, "ServiceUnavailable", ServiceError),
    ],
)
def test_a_refusal_is_told_by_its_code(
    service: Service, recorder: Recorder, status: int, code: str, kind: type[ServiceError]
) -> None:
    """The service's own word for it reaches the metrics."""
    service.status, service.answer = status, {"RequestId": "B1", "Code": code, "Message": "no"}

    with pytest.raises(kind) as refused:
        gateway(service.url, recorder).evaluate("photos")

    assert refused.value.code == code
    assert [call.code for call in recorder.calls] == [code]


def test_an_endpoint_where_nobody_answers_is_told(recorder: Recorder) -> None:
    """That is a failure like any other, and it is counted."""
    with pytest.raises(Unanswered):
        gateway("http://127.0.0.1:9", recorder).evaluate("photos")
    assert [call.code for call in recorder.calls] == ["network"]


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch, recorder: Recorder) -> None:
    """Whoever switches it on is told what to install."""
    monkeypatch.setitem(__import__("sys").modules, "alibabacloud_config20200907.client", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'config-remediator\[reevaluate\]'"):
        CloudConfig("https://config.cn-shanghai.aliyuncs.com", OWN, Hooks((recorder,)))
