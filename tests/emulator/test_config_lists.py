"""Lists of rules and results, one rule, and whole-rule evaluations, through the vendor's own client.

What has to come back is what the client's response models read (alibabacloud-config20200907 4.2.3); errors are those of
the pages of the operations, https://www.alibabacloud.com/help/en/cloud-config/latest/api-config-2020-09-07-overview .
"""

from __future__ import annotations

from typing import Any

import pytest
from alibabacloud_config20200907 import models
from alibabacloud_config20200907.client import Client
from alibabacloud_tea_openapi.models import Config
from Tea.exceptions import TeaException

from emulator.client import ControlError, Emulator
from emulator.flow import Flow

READ, WRITE = "oss-bucket-public-read-prohibited", "oss-bucket-public-write-prohibited"
GROUP = "ca-emulated000000000000"
MEMBER = "2222222222222222"


def client(emulator: Emulator, key_id: str = "", secret: str = "", token: str | None = None) -> Any:
    """The vendor's client with a key, by default the emulator's own."""
    host = emulator.control.url.removeprefix("http://")
    known = (emulator.endpoints.access_key_id, emulator.endpoints.access_key_secret)
    key_id, secret = (key_id, secret) if key_id else known
    return Client(
        Config(access_key_id=key_id, access_key_secret=secret, security_token=token, endpoint=host, protocol="http")
    )


@pytest.fixture
def two_rules(emulator: Emulator) -> tuple[str, str]:
    """Ids of the rules; three own buckets and one of a member, each public-read, judged."""
    emulator.create_buckets(["own-a", "own-b", "own-c"], acl="public-read")
    emulator.create_buckets(["member-a"], acl="public-read", owner_id=MEMBER, region="cn-beijing")
    emulator.config.evaluate()
    rules = {judged.identifier: judged.rule_id for judged in emulator.compliance()}
    return rules[READ], rules[WRITE]


def refusal(call: Any, request: Any) -> tuple[int, str]:
    """Status and code of a refused call."""
    with pytest.raises(TeaException) as refused:
        call(request)
    return int(refused.value.data["statusCode"]), str(refused.value.code)


def found(results: Any) -> list[tuple[str, str]]:
    """Bucket and compliance of each result on a page."""
    return [
        (result.evaluation_result_identifier.evaluation_result_qualifier.resource_id, result.compliance_type)
        for result in results.evaluation_result_list
    ]


def test_results_of_a_rule(emulator: Emulator, two_rules: tuple[str, str]) -> None:
    """What is non-compliant now on the account's own resources, which is how a missed event is caught up with."""
    request = models.ListConfigRuleEvaluationResultsRequest(
        config_rule_id=two_rules[0], compliance_type="NON_COMPLIANT"
    )
    results = client(emulator).list_config_rule_evaluation_results(request).body.evaluation_results
    assert found(results) == [(name, "NON_COMPLIANT") for name in ("own-a", "own-b", "own-c")]
    assert results.next_token is None
    first = results.evaluation_result_list[0]
    qualifier = first.evaluation_result_identifier.evaluation_result_qualifier
    assert (qualifier.config_rule_id, qualifier.region_id) == (two_rules[0], "cn-hangzhou")
    assert qualifier.config_rule_arn == f"acs:config::{emulator.endpoints.account_id}:rule/{two_rules[0]}"
    assert qualifier.resource_owner_id == int(emulator.endpoints.account_id)
    assert first.result_recorded_timestamp == first.evaluation_result_identifier.ordering_timestamp > 1_600_000_000_000
    assert (first.risk_level, first.remediation_enabled, "public-read" in first.annotation) == (1, False, True)


def test_results_are_filtered(emulator: Emulator, two_rules: tuple[str, str]) -> None:
    """By compliance, by lists of regions and resource types; without a rule, of every rule."""
    call = client(emulator).list_config_rule_evaluation_results
    for fields, names in (
        ({"config_rule_id": two_rules[1], "compliance_type": "NON_COMPLIANT"}, []),
        ({"config_rule_id": two_rules[1], "compliance_type": "COMPLIANT"}, ["own-a", "own-b", "own-c"]),
        ({"config_rule_id": two_rules[0], "regions": "cn-beijing"}, []),
        ({"config_rule_id": two_rules[0], "regions": "cn-beijing,cn-hangzhou"}, ["own-a", "own-b", "own-c"]),
        ({"config_rule_id": two_rules[0], "resource_types": "ACS::ECS::Instance"}, []),
        ({}, ["own-a", "own-a", "own-b", "own-b", "own-c", "own-c"]),
    ):
        body = call(models.ListConfigRuleEvaluationResultsRequest(**fields)).body
        assert [name for name, _ in found(body.evaluation_results)] == names


def test_pages_by_token(emulator: Emulator, two_rules: tuple[str, str]) -> None:
    """Each result once, whatever comes and goes between two pages."""
    call, seen, token = client(emulator).list_config_rule_evaluation_results, [], None
    while True:
        request = models.ListConfigRuleEvaluationResultsRequest(
            config_rule_id=two_rules[0], max_results=1, next_token=token
        )
        page = call(request).body.evaluation_results
        seen += [name for name, _ in found(page)]
        assert page.max_results == 1
        token = page.next_token
        if not token:
            break
        if len(seen) == 1:
            emulator.delete_bucket("own-a")
            emulator.config.evaluate()
    assert seen == ["own-a", "own-b", "own-c"]


def test_results_over_every_account(emulator: Emulator, two_rules: tuple[str, str]) -> None:
    """The Aggregate form also lists members' resources, or those of one of them."""
    call = client(emulator).list_aggregate_config_rule_evaluation_results
    for fields, names in (
        ({}, ["member-a", "own-a", "own-b", "own-c"]),
        ({"resource_owner_id": int(MEMBER)}, ["member-a"]),
        ({"resource_account_id": int(MEMBER)}, ["member-a"]),
        ({"resource_owner_id": 3333333333333333}, []),
    ):
        request = models.ListAggregateConfigRuleEvaluationResultsRequest(
            aggregator_id=GROUP, config_rule_id=two_rules[0], **fields
        )
        assert [name for name, _ in found(call(request).body.evaluation_results)] == names


def test_a_member_sees_its_own(emulator: Emulator, two_rules: tuple[str, str]) -> None:
    """And nothing through the management account's group."""
    key = emulator.add_identity(account_id=MEMBER)
    member = client(emulator, key.access_key_id, key.access_key_secret)
    request = models.ListConfigRuleEvaluationResultsRequest(config_rule_id=two_rules[0])
    assert found(member.list_config_rule_evaluation_results(request).body.evaluation_results) == [
        ("member-a", "NON_COMPLIANT")
    ]
    group = models.ListAggregateConfigRulesRequest(aggregator_id=GROUP)
    assert refusal(member.list_aggregate_config_rules, group) == (400, "Invalid.AggregatorId.Value")


def test_rules_by_page(emulator: Emulator, two_rules: tuple[str, str]) -> None:
    """With the total, the identifier of the managed rule, and the worst that was found."""
    pages = [
        client(emulator).list_config_rules(models.ListConfigRulesRequest(page_number=number, page_size=1)).body
        for number in (1, 2, 3)
    ]
    assert [page.config_rules.total_count for page in pages] == [2, 2, 2]
    assert [len(page.config_rules.config_rule_list) for page in pages] == [1, 1, 0]
    first, second = (page.config_rules.config_rule_list[0] for page in pages[:2])
    assert [rule.config_rule_id for rule in (first, second)] == list(two_rules)
    assert [rule.source_identifier for rule in (first, second)] == [READ, WRITE]
    assert (first.config_rule_state, first.risk_level) == ("ACTIVE", 1)
    assert (first.compliance.compliance_type, first.compliance.count) == ("NON_COMPLIANT", 3)
    assert (second.compliance.compliance_type, second.compliance.count) == ("COMPLIANT", 3)


def test_rules_are_filtered(emulator: Emulator, two_rules: tuple[str, str]) -> None:
    """By keyword, name, state, risk, compliance and type of resource."""
    for fields, count in (
        ({"keyword": "public-READ"}, 1),
        ({"keyword": two_rules[0]}, 1),
        ({"config_rule_state": "INACTIVE"}, 0),
        ({"risk_level": 1}, 2),
        ({"risk_level": 3}, 0),
        ({"compliance_type": "NON_COMPLIANT"}, 1),
        ({"resource_types": "ACS::OSS::Bucket"}, 2),
        ({"resource_types": "ACS::ECS::Instance"}, 0),
        ({"config_rule_name": "nobody's"}, 0),
    ):
        body = client(emulator).list_config_rules(models.ListConfigRulesRequest(**fields)).body
        assert body.config_rules.total_count == count
    group = models.ListAggregateConfigRulesRequest(aggregator_id=GROUP, compliance_type="NON_COMPLIANT")
    rule = client(emulator).list_aggregate_config_rules(group).body.config_rules.config_rule_list[0]
    assert (rule.compliance.compliance_type, rule.compliance.count) == ("NON_COMPLIANT", 4)


def test_one_rule(emulator: Emulator) -> None:
    """Its identifier and parameters, of which events say nothing; also through the group."""
    rule_id = emulator.config.add_rule("oss-bucket-logging-prefix-match", name="日志前缀", risk_level="Info")
    vendor = client(emulator)
    for rule in (
        vendor.get_config_rule(models.GetConfigRuleRequest(config_rule_id=rule_id)).body.config_rule,
        vendor.get_aggregate_config_rule(
            models.GetAggregateConfigRuleRequest(aggregator_id=GROUP, config_rule_id=rule_id)
        ).body.config_rule,
    ):
        assert (rule.config_rule_id, rule.config_rule_name, rule.risk_level) == (rule_id, "日志前缀", 3)
        assert rule.source.identifier == rule.managed_rule.identifier == "oss-bucket-logging-prefix-match"
        assert (rule.source.owner, rule.input_parameters) == ("ALIYUN", {"LogPrefix": "oss-accesslog/"})
        assert rule.compliance.compliance_type == "INSUFFICIENT_DATA"


@pytest.mark.parametrize("group", [False, True])
def test_a_whole_rule_is_evaluated(emulator: Emulator, two_rules: tuple[str, str], group: bool) -> None:
    """Every own resource, or every account's, is judged by that rule and reported again."""
    emulator.control.call("PUT", "/config/channel", {"delay_seconds": 3600})
    for name in ("own-a", "member-a"):
        emulator.change_bucket(name, acl="private")
    vendor = client(emulator)
    if group:
        start = models.StartAggregateConfigRuleEvaluationRequest(aggregator_id=GROUP, config_rule_id=two_rules[0])
        assert vendor.start_aggregate_config_rule_evaluation(start).body.result is True
    else:
        start = models.StartConfigRuleEvaluationRequest(config_rule_id=two_rules[0])
        assert vendor.start_config_rule_evaluation(start).body.result is True
    request = models.ListAggregateConfigRuleEvaluationResultsRequest(
        aggregator_id=GROUP, config_rule_id=two_rules[0], compliance_type="COMPLIANT"
    )
    body = vendor.list_aggregate_config_rule_evaluation_results(request).body
    assert [name for name, _ in found(body.evaluation_results)] == (["member-a", "own-a"] if group else ["own-a"])
    entry = emulator.journal(service="config", changed=True)[-1]
    assert (entry.operation, entry.resource) == (
        "StartAggregateConfigRuleEvaluation" if group else "StartConfigRuleEvaluation",
        two_rules[0],
    )


def test_what_does_not_exist(emulator: Emulator) -> None:
    """Documented: ConfigRuleNotExists, Invalid.AggregatorId.Value, Invalid.CompliancePackId.Value, each 400."""
    vendor, no_rule, no_group = client(emulator), (400, "ConfigRuleNotExists"), (400, "Invalid.AggregatorId.Value")
    rule: Any = {"config_rule_id": "cr-none"}
    group: Any = {"aggregator_id": "ca-none"}
    for call, request, expected in (
        (vendor.get_config_rule, models.GetConfigRuleRequest(**rule), no_rule),
        (vendor.start_config_rule_evaluation, models.StartConfigRuleEvaluationRequest(**rule), no_rule),
        (vendor.list_config_rule_evaluation_results, models.ListConfigRuleEvaluationResultsRequest(**rule), no_rule),
        (vendor.get_aggregate_config_rule, models.GetAggregateConfigRuleRequest(**group, **rule), no_group),
        (vendor.list_aggregate_config_rules, models.ListAggregateConfigRulesRequest(**group), no_group),
        (
            vendor.list_aggregate_config_rule_evaluation_results,
            models.ListAggregateConfigRuleEvaluationResultsRequest(**group),
            no_group,
        ),
        (
            vendor.start_aggregate_config_rule_evaluation,
            models.StartAggregateConfigRuleEvaluationRequest(**group, **rule),
            no_group,
        ),
        (
            vendor.start_config_rule_evaluation,
            models.StartConfigRuleEvaluationRequest(compliance_pack_id="cp-none"),
            (400, "Invalid.CompliancePackId.Value"),
        ),
        (vendor.get_config_rule, models.GetConfigRuleRequest(), (400, "MissingConfigRuleId")),
        (vendor.list_config_rules, models.ListConfigRulesRequest(page_size=101), (400, "InvalidParameter.PageSize")),
        (vendor.list_config_rules, models.ListConfigRulesRequest(page_number=0), (400, "InvalidParameter.PageNumber")),
        (
            vendor.list_config_rule_evaluation_results,
            models.ListConfigRuleEvaluationResultsRequest(next_token="eA=="),
            (400, "InvalidParameter.NextToken"),
        ),
    ):
        assert refusal(call, request) == expected


def test_throttling(emulator: Emulator) -> None:
    """A call too many is refused with the status and code of every service in this style."""
    emulator.set_options(config_calls_per_second=0)
    vendor = client(emulator)
    assert refusal(vendor.list_config_rules, models.ListConfigRulesRequest()) == (400, "Throttling.User")
    emulator.set_options(config_calls_per_second=None)
    vendor.list_config_rules(models.ListConfigRulesRequest())


def test_calls_are_counted_by_key_action_and_second() -> None:
    """Refused ones too; the next second begins anew."""
    clock = [1000.2]
    flow = Flow({"calls_per_second": 2}, lambda: clock[0], "calls_per_second")
    assert [flow.refuses("a", "Get") for _ in range(4)] == [False, False, True, True]
    assert not flow.refuses("a", "List")
    assert not flow.refuses("b", "Get")
    clock[0] = 1001.1
    assert [flow.refuses("a", "Get") for _ in range(3)] == [False, False, True]
    assert not any(Flow({}, lambda: 0.0, "calls_per_second").refuses("a", "Get") for _ in range(100))


def test_faults(emulator: Emulator) -> None:
    """An error before or after it is carried out, by the action's name; kinds that cannot happen there are refused."""
    emulator.config.add_rule(READ, rule_id="cr-read")
    vendor, start = client(emulator), models.StartConfigRuleEvaluationRequest(config_rule_id="cr-read")
    for kind, entries in (("error", 0), ("error_after", 1)):
        emulator.faults.add(
            kind, "Start*", service="config", count=1, status=503, code="ServiceUnavailable", message="Later."
        )
        assert refusal(vendor.start_config_rule_evaluation, start) == (503, "ServiceUnavailable")
        assert len(emulator.journal(service="config", changed=True)) == entries
    assert vendor.start_config_rule_evaluation(start).body.result is True
    with pytest.raises(ControlError, match="error, error_after, latency"):
        emulator.faults.add("drip", service="config")


def test_a_token_belongs_to_its_key(emulator: Emulator) -> None:
    """Each way to miss it has its own code (page of common error codes)."""
    key, other = (emulator.add_identity(temporary=True, lifetime_seconds=600) for _ in range(2))
    own = (emulator.endpoints.access_key_id, emulator.endpoints.access_key_secret)
    temporary = (key.access_key_id, key.access_key_secret)
    request = models.ListConfigRulesRequest()
    assert client(emulator, *temporary, key.security_token).list_config_rules(request).status_code == 200
    for signer, token, code in (
        (temporary, None, "MissingSecurityToken"),
        (temporary, other.security_token, "InvalidSecurityToken.MismatchWithAccessKey"),
        (temporary, "x", "InvalidSecurityToken.Malformed"),
        (own, key.security_token, "InvalidSecurityToken.MismatchWithAccessKey"),
        (own, "x", "InvalidSecurityToken.Malformed"),
    ):
        assert refusal(client(emulator, *signer, token).list_config_rules, request) == (400, code)


def test_a_result_says_since_when_it_has_been_so(emulator: Emulator, two_rules: tuple[str, str]) -> None:
    """ "The start time of the last non-compliance" (response models of the service's Java and Go clients): a later
    evaluation with the same finding moves only the evaluation's own time."""
    call = client(emulator).list_config_rule_evaluation_results
    request = models.ListConfigRuleEvaluationResultsRequest(config_rule_id=two_rules[0], max_results=1)

    def first() -> Any:
        return call(request).body.evaluation_results.evaluation_result_list[0]

    began = first()
    emulator.advance(200)
    emulator.config.evaluate()
    later = first()
    moved = (
        later.evaluation_result_identifier.ordering_timestamp - began.evaluation_result_identifier.ordering_timestamp
    )
    assert moved >= 200_000
    assert later.last_non_compliant_record_timestamp == began.last_non_compliant_record_timestamp
    emulator.change_bucket("own-a", acl="private")
    emulator.config.evaluate()
    fixed = first()
    assert (fixed.compliance_type, fixed.last_compliant_fixed_timestamp is None) == ("COMPLIANT", False)
    emulator.advance(200)
    emulator.change_bucket("own-a", acl="public-read")
    emulator.config.evaluate()
    assert first().last_non_compliant_record_timestamp > began.last_non_compliant_record_timestamp
    emulator.reset("clock")
