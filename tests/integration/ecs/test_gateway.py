"""The ECS gateway: the vendor's generic client over real HTTP, within our bounds and in our words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from consumer.aliyun import openapi
from consumer.aliyun.credentials import Credentials
from consumer.aliyun.ecs.client import EcsSettings
from consumer.core.errors import (
    AccountSuspended,
    ConfigurationError,
    DamagedReply,
    NotAuthenticated,
    PermanentError,
    PermissionMissing,
    ResourceGone,
    ServiceError,
    Throttled,
    Unanswered,
    Unavailable,
    UnknownRefusal,
)
from consumer.resources.ecs.security_group import NoSuchRule
from emulator.client import Emulator
from tests.integration.conftest import Recorder
from tests.integration.ecs.bench import GROUP, OFFICE, OUT, SSH, Bench
from tests.serving import serving

MEMBER = "9876543210987654"


def test_what_a_group_is(bench: Bench) -> None:
    """Owner from STS, age and management from the list of groups, and no egress rule among the ingress rules."""
    bench.emulator.create_security_groups([GROUP], permissions=[SSH, OUT], tags={"team": "a"})
    group = bench.group()
    found = group.identity()
    assert (found.owner_id, found.region, found.managed) == (bench.account_id, bench.region, False)
    assert found.incarnation.endswith("Z")
    assert not found.made_since(4_000_000_000_000)
    assert group.tags() == {"team": "a"}
    (listed,) = group.ingress()
    assert (listed.rule_id, listed.rule.source, listed.rule.protocol) == (SSH["id"], "0.0.0.0/0", "TCP")
    assert group.granted == {
        "sts:GetCallerIdentity",
        "ecs:DescribeSecurityGroups",
        "ecs:DescribeSecurityGroupAttribute",
    }
    assert len(group.request_ids) == len(bench.recorder.calls) == 4
    assert {call.code for call in bench.recorder.calls} == {"ok"}


def test_sts_is_called_once_for_each_key(bench: Bench) -> None:
    """Whose credentials they are does not change while they are the same."""
    bench.emulator.create_security_groups([GROUP])
    for _ in range(3):
        bench.group().identity()
    assert [call.operation for call in bench.recorder.calls].count("GetCallerIdentity") == 1


def test_a_member_s_group_is_looked_at_with_the_member_s_credentials(bench: Bench) -> None:
    """And belongs to that account."""
    theirs = bench.emulator.add_identity(account_id=MEMBER, temporary=True)
    key = Credentials(theirs.access_key_id, theirs.access_key_secret, str(theirs.security_token))
    bench.emulator.create_security_groups([GROUP], owner_id=MEMBER)
    ecs = bench.client(Credentials("nobody", "x", ""), **{f"account_{MEMBER}": key})
    assert bench.group(account_id=MEMBER, ecs=ecs).identity().owner_id == MEMBER


def test_nothing_is_gone_that_the_wrong_account_does_not_see(bench: Bench) -> None:
    """The API hides other accounts' groups, so with another account's key every group looks deleted."""
    theirs = bench.emulator.add_identity(account_id=MEMBER)
    bench.emulator.create_security_groups([GROUP], permissions=[SSH])
    ecs = bench.client(Credentials(theirs.access_key_id, theirs.access_key_secret, ""))
    with pytest.raises(NotAuthenticated, match=f"are those of account {MEMBER}") as caught:
        bench.group(ecs=ecs).identity()
    assert caught.value.code == "wrong_account"
    with pytest.raises(ResourceGone):
        bench.group("sg-none").identity()


def test_a_key_that_is_renewed_is_looked_up_anew(bench: Bench) -> None:
    """Temporary keys of one account come and go."""
    bench.emulator.create_security_groups([GROUP])
    for _ in range(2):
        made = bench.emulator.add_identity(temporary=True)
        key = Credentials(made.access_key_id, made.access_key_secret, str(made.security_token))
        assert bench.group(ecs=bench.client(key)).identity().owner_id == bench.account_id


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "Throttling", Throttled),
        (400, "Throttling.User", Throttled),
        (503, "ServiceUnavailable", Unavailable),
        (500, "InternalError", Unavailable),
        (502, "Odd", Unavailable),
        (403, "Forbidden.RAM", PermissionMissing),
        (403, "NoPermission", PermissionMissing),
        (404, "InvalidAccessKeyId.NotFound", NotAuthenticated),
        (400, "SignatureDoesNotMatch", NotAuthenticated),
        (400, "InvalidSecurityToken.Expired", NotAuthenticated),
        (400, "InvalidTimeStamp.Expired", NotAuthenticated),
        (403, "Account.Arrearage", AccountSuspended),
        (404, "InvalidSecurityGroupId.NotFound", ResourceGone),
        (400, "InvalidParam.SecurityGroupRuleId", NoSuchRule),
        (404, "InvalidSecurityGroupRuleId.NotFound", NoSuchRule),
        (400, "InvalidSecurityGroupRule.RuleNotExist", NoSuchRule),
        (403, "InvalidOperation.ResourceManagedByCloudProduct", PermanentError),
        (404, "InvalidRegionId.NotFound", PermanentError),
        (400, "NobodyKnowsThis", UnknownRefusal),
    ],
)
def test_what_a_refusal_means(bench: Bench, status: int, code: str, error: type[ServiceError]) -> None:
    """By its code, then by its status; with the service's id of the request."""
    bench.emulator.create_security_groups([GROUP], permissions=[SSH])
    bench.emulator.faults.add("error", "RevokeSecurityGroup", service="ecs", status=status, code=code)
    with pytest.raises(ServiceError) as caught:
        bench.group().revoke([SSH["id"]])
    assert type(caught.value) is error
    assert (caught.value.code, caught.value.status, caught.value.service) == (code, status, "ecs")
    assert caught.value.request_id
    assert bench.emulator.endpoints.access_key_secret not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "web_page"}, Unanswered),
        ({"kind": "not_xml"}, Unanswered),
        ({"kind": "damaged_xml"}, DamagedReply),
        ({"kind": "redirect"}, DamagedReply),
        ({"kind": "truncated"}, Unanswered),
        ({"kind": "reset_before"}, Unanswered),
        ({"kind": "lost_reply"}, Unanswered),
        ({"kind": "stall", "seconds": 600}, Unanswered),
        ({"kind": "drip", "seconds": 0.2}, Unanswered),
    ],
    ids=lambda fault: fault["kind"] if isinstance(fault, dict) else "",
)
def test_what_is_no_answer(
    emulator: Emulator, recorder: Recorder, fault: dict[str, Any], error: type[ServiceError]
) -> None:
    """Within the deadline of the whole call, and worth another try: nothing is known to have happened."""
    bench = Bench(emulator, recorder, call_timeout_seconds=0.5)
    emulator.create_security_groups([GROUP])
    group = bench.group()
    group.identity()
    emulator.faults.add(**{"operation": "DescribeSecurityGroupAttribute", "service": "ecs", **fault})
    with pytest.raises(error):
        group.ingress()
    assert [call.operation for call in recorder.calls].count("DescribeSecurityGroupAttribute") == 4


def test_what_passes_is_tried_again(bench: Bench) -> None:
    """Each try is counted with its own code."""
    bench.emulator.create_security_groups([GROUP], permissions=[SSH])
    bench.emulator.faults.add("error", "DescribeSecurityGroup*", service="ecs", status=400, code="Throttling", count=2)
    assert bench.group().ingress()
    assert [call.code for call in bench.recorder.calls] == ["Throttling", "Throttling", "ok"]
    assert [each.reason for each in bench.recorder.retries] == ["Throttling", "Throttling"]


def test_no_proxy_of_the_environment_is_used(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor's own transport would go through it, with the signature in its headers."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    bench.emulator.create_security_groups([GROUP])
    assert bench.group().identity()


def test_150_rules_come_back_in_two_requests(bench: Bench) -> None:
    """The service takes a hundred at once."""
    bench.emulator.create_security_groups([GROUP], permissions=[OFFICE])
    (listed,) = bench.group().ingress()
    bench.group().authorize([replace(listed.rule, ports=f"{port}/{port}") for port in range(100, 250)])
    assert len(bench.group().ingress()) == 151
    assert bench.changes() == ["AuthorizeSecurityGroup"] * 2


@dataclass
class Answers:
    """What answers in the service's place, by operation."""

    url: str = ""
    by_operation: dict[str, list[Any]] = field(default_factory=dict)


@pytest.fixture
def answers() -> Iterator[Answers]:
    """An endpoint that gives the prepared answers in order, the last one again and again."""
    found = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            prepared = found.by_operation[self.headers["x-acs-action"]]
            answer = prepared.pop(0) if len(prepared) > 1 else prepared[0]
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serving(Handler) as found.url:
        yield found


def page(*rules: dict[str, Any], token: str = "", group: str = GROUP) -> dict[str, Any]:
    """One page of rules."""
    return {"SecurityGroupId": group, "Permissions": {"Permission": list(rules)}, "NextToken": token}


RULE = {"SecurityGroupRuleId": "sgr-1", "Direction": "ingress", "Policy": "Accept", "IpProtocol": "TCP"}


@pytest.mark.parametrize(
    "pages",
    [
        [{}],
        [[]],
        [b"null"],
        [b'"text"'],
        [b"{" * 100_000],
        [{"SecurityGroupId": GROUP}],
        [{"SecurityGroupId": GROUP, "Permissions": {"Permission": None}}],
        [{"SecurityGroupId": GROUP, "Permissions": {"Permission": ["a"]}}],
        [page(RULE, group="sg-other")],
        [page({**RULE, "SecurityGroupRuleId": ""})],
        [page({**RULE, "Direction": "egress"})],
        [page({**RULE, "SourceCidrIp": ["0.0.0.0/0"]})],
        [page({**RULE, "Priority": True})],
        [page(RULE, token="again")],
        [page(RULE, token="next"), page(RULE)],
        [b'{"SecurityGroupId": "' + b"x" * (2 << 20) + b'"}'],
    ],
)
def test_an_answer_that_says_less_is_damaged(bench: Bench, answers: Answers, pages: list[Any]) -> None:
    """Never taken for a group without rules; pages that do not end are bounded, and so is the size of one."""
    answers.by_operation["DescribeSecurityGroupAttribute"] = pages
    bench.settings = EcsSettings({"*": answers.url}, sts_endpoint=bench.emulator.control.url, call_timeout_seconds=5)
    key = bench.emulator.endpoints
    ecs = bench.client(Credentials(key.access_key_id, key.access_key_secret, ""))
    with pytest.raises((DamagedReply, Unanswered)):
        bench.group(ecs=ecs).ingress()


@pytest.mark.parametrize(
    "found",
    [
        {"SecurityGroupId": GROUP, "ServiceManaged": False},
        {"SecurityGroupId": GROUP, "CreationTime": "2021-08-31T03:12:29Z"},
        {"SecurityGroupId": "sg-other", "CreationTime": "2021-08-31T03:12:29Z", "ServiceManaged": False},
    ],
)
def test_a_description_that_says_less_is_damaged(bench: Bench, answers: Answers, found: dict[str, Any]) -> None:
    """Whether a service manages it and when it was made are not guessed."""
    answers.by_operation["DescribeSecurityGroups"] = [{"SecurityGroups": {"SecurityGroup": [found]}}]
    bench.settings = EcsSettings({"*": answers.url}, sts_endpoint=bench.emulator.control.url, call_timeout_seconds=5)
    key = bench.emulator.endpoints
    ecs = bench.client(Credentials(key.access_key_id, key.access_key_secret, ""))
    with pytest.raises(DamagedReply):
        bench.group(ecs=ecs).identity()


def test_endpoints() -> None:
    """A pattern, its form inside a VPC, and what the configuration overrides; a region is never more than one."""
    assert EcsSettings().url("cn-hangzhou") == "https://ecs.cn-hangzhou.aliyuncs.com"
    assert EcsSettings(internal=True).url("cn-hangzhou") == "https://ecs-vpc.cn-hangzhou.aliyuncs.com"
    own = EcsSettings({"cn-beijing": "https://one.example", "*": "https://all.example"}, internal=True)
    assert (own.url("cn-beijing"), own.url("cn-hangzhou")) == ("https://one.example", "https://all.example")
    with pytest.raises(ValueError, match="not a region id"):
        EcsSettings().url("evil.example/x#")


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """And how it is installed."""
    real = openapi.importlib.import_module

    def without(name: str) -> Any:
        if name.startswith("alibabacloud_tea_openapi"):
            raise ImportError(name=name)
        return real(name)

    monkeypatch.setattr(openapi.importlib, "import_module", without)
    with pytest.raises(ConfigurationError, match="alibabacloud_tea_openapi") as caught:
        openapi.prove_installed()
    assert "[ecs]" in caught.value.remedy
