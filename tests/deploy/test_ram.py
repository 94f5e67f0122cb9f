"""The committed RAM policies: what the rules of the example need, and nothing beyond."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from consumer.config import build_rules, load
from consumer.operator.permissions import Purpose, policy
from consumer.operator.ram_policy import scope
from deploy.ram import __main__ as generator

_POLICIES = sorted(generator.policies())


def _policy(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((generator.FOLDER / name).read_text(encoding="utf-8"))
    return loaded


def _actions(name: str) -> set[str]:
    return {action for statement in _policy(name)["Statement"] for action in statement["Action"]}


def test_the_policies_are_what_the_configuration_makes() -> None:
    """`python -m deploy.ram` writes them; none is left over."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in generator.FOLDER.glob("*.json")}
    committed.pop("trust.json")
    assert committed == generator.policies()


@pytest.mark.parametrize("name", _POLICIES)
def test_nothing_is_granted_by_wildcard(name: str) -> None:
    """Each action stands there by name, and queues by theirs."""
    for statement in _policy(name)["Statement"]:
        assert statement["Effect"] == "Allow"
        assert not [action for action in statement["Action"] if "*" in action]
        if not all(action.startswith("config:List") for action in statement["Action"]):
            # "All Resource" is all that the pages of these operations offer: there is no narrower one.
            assert not [resource for resource in statement["Resource"] if resource == "*"]
        assert not [each for each in statement["Resource"] if each.startswith("acs:mns") and "*" in each]


def test_a_worker_that_observes_may_change_nothing() -> None:
    """The example's rules observe, so its role can only read buckets."""
    on_buckets = {action for action in _actions("worker-as-configured.json") if action.startswith("oss:")}
    assert on_buckets
    assert all(action.startswith("oss:Get") for action in on_buckets)


def test_enforcing_adds_the_change_and_nothing_else() -> None:
    """The difference between trying and doing is one action for these rules."""
    assert _actions("worker-enforcing.json") - _actions("worker-as-configured.json") == {"oss:PutBucketAcl"}


def test_the_worker_never_creates_anything() -> None:
    """Neither a queue nor a bucket: PutBucketAcl on a missing bucket would, were oss:PutBucket granted."""
    worker = {action for name in _POLICIES if name.startswith("worker") for action in _actions(name)}
    assert not {action for action in worker if "Create" in action or action == "oss:PutBucket"}


def test_the_trust_policy_names_the_service_account_of_the_manifests() -> None:
    """Namespace and name are the example's; another pod of the cluster cannot take the role."""
    (statement,) = _policy("trust.json")["Statement"]
    wanted = statement["Condition"]["StringEquals"]
    assert wanted["oidc:sub"] == ["system:serviceaccount:config-remediator:config-remediator"]
    assert wanted["oidc:aud"] == ["sts.aliyuncs.com"]


def test_catch_up_may_touch_no_bucket_and_take_no_message() -> None:
    """It lists, and sends to one queue."""
    assert _actions("catch-up.json") == {
        "config:ListConfigRules",
        "config:ListConfigRuleEvaluationResults",
        "mns:SendMessage",
    }
    on_mns = [
        statement for statement in _policy("catch-up.json")["Statement"] if "mns:SendMessage" in statement["Action"]
    ]
    assert [each["Resource"] for each in on_mns] == [
        ["acs:mns:cn-shanghai:1234567890123456:/queues/config-events/messages"]
    ]


def test_the_region_of_a_bucket_stays_open() -> None:
    """No page says how RAM spells it, and a name that fits no request would deny every repair: docs/commands.md."""
    config = load(generator.EXAMPLE, {})
    rules = [
        replace(rule, selector=replace(rule.selector, regions=frozenset({"cn-hangzhou"})))
        for rule in build_rules(config)
    ]
    document = policy(rules, scope(config), [Purpose.RUN])
    found = {
        each for statement in document["Statement"] for each in statement["Resource"] if each.startswith("acs:oss")
    }
    assert found == {f"acs:oss:*:{config.account_id}:*"}
