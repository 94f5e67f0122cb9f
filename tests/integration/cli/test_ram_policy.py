"""The printed policy covers every request that the code makes, and nothing it never makes."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.config import load
from consumer.operator.permissions import reads
from tests.integration.cli.conftest import Cli
from tests.integration.cli.granting import REEVALUATE, every_rule, granted, needed, rule
from tests.integration.remediations.cases import ALL


def test_a_policy_names_the_queues_the_buckets_and_the_regions(cli: Cli) -> None:
    """Nothing is granted on another queue, on another account's bucket, and with --bucket on no other bucket."""
    policy = cli.run("ram-policy", "--bucket", "prod-*").document
    resources = {resource for statement in policy["Statement"] for resource in statement["Resource"]}
    account, region = "1234567890123456", "cn-hangzhou"
    assert resources == {
        f"acs:oss:*:{account}:prod-*",
        f"acs:mns:{region}:{account}:/queues/config-events",
        f"acs:mns:{region}:{account}:/queues/config-events/messages",
        f"acs:mns:{region}:{account}:/queues/config-events-dead",
        f"acs:mns:{region}:{account}:/queues/config-events-dead/messages",
    }


_SOME = """
[[rules]]
name = "logs"
remediation = "oss.bucket-acl"
mode = "enforce"
config_rule_ids = ["cr-read"]
resources = ["logs-?", "[ab]rchive-*"]

[[rules]]
name = "groups"
remediation = "ecs.revoke-public-ingress"
mode = "observe"
config_rule_ids = ["cr-ports"]
regions = ["cn-hangzhou", "ap-southeast-1"]
"""


def _on(policy: dict[str, Any], action: str) -> list[str]:
    (found,) = [statement["Resource"] for statement in policy["Statement"] if action in statement["Action"]]
    return list(found)


def test_a_worker_may_touch_no_more_than_its_rules_are_about(cli: Cli) -> None:
    """The rules' own patterns and regions; a set, which RAM does not know, becomes what covers it. People may more."""
    account = "1234567890123456"
    cli.configure(_SOME)
    policy = cli.run("ram-policy").document
    assert _on(policy, "oss:PutBucketAcl") == [f"acs:oss:*:{account}:*rchive-*", f"acs:oss:*:{account}:logs-*"]
    assert _on(policy, "ecs:DescribeSecurityGroupAttribute") == [
        f"acs:ecs:ap-southeast-1:{account}:securitygroup/*",
        f"acs:ecs:cn-hangzhou:{account}:securitygroup/*",
    ]
    assert _on(cli.run("ram-policy", "--for", "undo").document, "oss:PutBucketAcl") == [f"acs:oss:*:{account}:*"]


def test_a_member_account_s_role_gets_what_is_done_there(cli: Cli) -> None:
    """Its own resources, no queue and no further role; an account that is none of the configuration's is refused."""
    member = "9876543210987654"
    cli.configure(more=f'\n[accounts]\nallowed = ["{member}"]\nrole_name = "fixer"\n')
    policy = cli.run("ram-policy", "--account", member).document
    assert {each for statement in policy["Statement"] for each in statement["Resource"]} == {f"acs:oss:*:{member}:*"}
    assert "oss:PutBucketAcl" in granted(policy, f"acs:oss:*:{member}:photos") | granted(
        policy, f"acs:oss:*:{member}:*"
    )
    own = cli.run("ram-policy").document
    assert not [each for statement in own["Statement"] for each in statement["Resource"] if f":{member}:photos" in each]
    assert granted(own, f"acs:ram::{member}:role/fixer") == {"sts:AssumeRole"}
    for stranger in ("1234567890123456", "1111111111111111"):
        refused = cli.run("ram-policy", "--account", stranger)
        assert (refused.status, refused.out) == (2, "")
        assert (
            refused.err
            == f"config-remediator ram-policy: {stranger} is no member account; accounts.allowed names {member}\n"
        )


def test_a_worker_with_the_narrow_policy_is_not_reported_as_one_without_rights(cli: Cli) -> None:
    """`check` looks at no bucket of which the policy knows nothing, and says why not."""
    cli.configure(_SOME.split('[[rules]]\nname = "groups"')[0])
    (found,) = [each for each in cli.run("check", "-o", "json").document if each["check"] == "oss"]
    assert found["status"] == "skipped"
    assert "rules.resources" in found["message"]


def test_optional_actions_can_be_left_out(cli: Cli) -> None:
    """`--required-only` drops what a repair can do without, and what only a metric needs; not what a command needs."""
    optional = {"oss:DeleteBucket", "mns:BatchPeekMessage"}
    assert optional <= granted(cli.run("ram-policy").document)
    assert not optional & granted(cli.run("ram-policy", "--required-only").document)
    assert "mns:GetQueueAttributes" in granted(cli.run("ram-policy", "--required-only", "--for", "provision").document)


def test_the_retention_of_the_workers_own_queue_is_no_option(cli: Cli) -> None:
    """Unknown it counts as a minute, and what waits comes back twice in one; the dead-letter queue's only shows."""
    document = cli.run("ram-policy", "--required-only").document
    on = [
        resource.rpartition("/")[2]
        for statement in document["Statement"]
        if "mns:GetQueueAttributes" in statement["Action"]
        for resource in statement["Resource"]
    ]
    assert on == ["config-events"]


def test_what_waits_may_be_sent_to_the_workers_own_queue(cli: Cli) -> None:
    """Parking is no comfort that could be left out; whoever only looks or sets up has no business to send there."""
    queue = "acs:mns:cn-hangzhou:1234567890123456:/queues/config-events/messages"
    for arguments in ((), ("--required-only",), ("--for", "check"), ("--for", "dlq")):
        assert "mns:SendMessage" in granted(cli.run("ram-policy", *arguments).document, queue), arguments
    for purpose in ("peek", "provision", "undo"):
        assert "mns:SendMessage" not in granted(cli.run("ram-policy", "--for", purpose).document, queue), purpose


def test_catch_up_lists_sends_and_peeks(cli: Cli) -> None:
    """Nothing on any bucket, nothing that takes a message away; the account group only where there is one."""
    least = {"mns:SendMessage", "config:ListConfigRules", "config:ListConfigRuleEvaluationResults"}
    more = {"mns:BatchPeekMessage", "mns:PeekMessage", "config:StartConfigRuleEvaluation"}
    assert granted(cli.run("ram-policy", "--for", "catch-up", "--required-only").document) == least
    assert granted(cli.run("ram-policy", "--for", "catch-up").document) == least | more
    cli.configure(more=REEVALUATE)
    groups = {each.replace("config:List", "config:ListAggregate") for each in least}
    assert granted(cli.run("ram-policy", "--for", "catch-up", "--required-only").document) == least | groups


def test_member_roles_and_tags_are_granted_when_they_are_configured(cli: Cli) -> None:
    """Assuming a member's role and reading the tags that an exemption asks for are part of the policy."""
    exemption = '\n[[exemptions]]\nname = "site"\nowner = "web"\nreason = "public"\nexpires = 2100-01-01\n'
    exemption += 'tags = {public = "yes"}\n'
    cli.configure(more='\n[accounts]\nallowed = ["9999888877776666"]\n' + exemption)
    policy = cli.run("ram-policy").document
    assert granted(policy, "acs:ram::9999888877776666:role/config-remediator") >= {"sts:AssumeRole"}
    assert "oss:GetBucketTagging" in granted(policy)


def test_what_cannot_be_taken_back_needs_the_evaluators_word_granted(cli: Cli) -> None:
    """Its result on the resource, and which rule that was by; only where such a rule enforces."""
    for mode, asked in (("enforce", True), ("observe", False)):
        versioned = f'\n[[rules]]\nname = "v"\nremediation = "oss.versioning"\nmode = "{mode}"\nrule_names = ["*"]\n'
        cli.configure(more="\n[reevaluate]\nenabled = true\n" + versioned)
        policy = cli.run("ram-policy").document
        assert ({"config:GetConfigRule", "config:ListResourceEvaluationResults"} <= granted(policy)) is asked


@pytest.mark.parametrize(
    ("settings", "operations"),
    [
        ("enabled = false\nwait_for_agreement = true", set()),
        ("enabled = true", {"StartConfigRuleEvaluationByResource"}),
        (
            "enabled = true\nwait_for_agreement = true",
            {"StartConfigRuleEvaluationByResource", "ListResourceEvaluationResults"},
        ),
    ],
)
def test_cloud_config_is_granted_as_far_as_it_is_used(cli: Cli, settings: str, operations: set[str]) -> None:
    """The worker's requests to it, on everything because the service knows no narrower resource, and nobody else's."""
    cli.configure(more=f"\n[reevaluate]\n{settings}\n")

    def config_actions(purpose: str) -> set[str]:
        statements = cli.run("ram-policy", "--for", purpose).document["Statement"]
        return {
            action
            for statement in statements
            if statement["Resource"] == ["*"]
            for action in statement["Action"]
            if action.startswith("config:")
        }

    assert config_actions("run") == needed({("config", operation) for operation in operations})
    assert config_actions("undo") == set()


CANARY = '\n[canary]\nbucket = "the-canary"\n'


def test_a_policy_for_proofs_breaks_nothing_but_the_canary(cli: Cli) -> None:
    """What breaks and puts back is granted there alone, and for the rules that can be proved on it alone."""
    cli.configure(every_rule(), more=CANARY)
    policy = cli.run("ram-policy", "--for", "prove").document
    account = load(cli.path, {}).account_id
    changing = {
        (action, resource)
        for statement in policy["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
        if action.startswith("oss:") and not reads(action)
    }
    assert {resource for _, resource in changing} == {
        f"acs:oss:*:{account}:the-canary",
        f"acs:oss:*:{account}:access-logs-*/*",
    }
    assert {action for action, _ in changing} == {
        "oss:DeleteBucketEncryption",
        "oss:DeleteBucketLogging",
        "oss:DeleteBucketPolicy",
        "oss:DeleteBucketTagging",
        "oss:PutBucketEncryption",
        "oss:PutBucketHttpsConfig",
        "oss:PutBucketLogging",
        "oss:PutBucketPolicy",
        "oss:PutBucketReferer",
        "oss:PutBucketTagging",
        "oss:PutObject",
    }
    assert {action for action in granted(policy) if action.startswith("mns:") and not reads(action)} <= {
        "mns:PublishMessage",
        "mns:BatchPeekMessage",
        "mns:PeekMessage",
    }


def test_a_canary_that_may_be_opened_has_that_in_its_policy(cli: Cli) -> None:
    """And no canary is nothing to be granted."""
    cli.configure(rule(ALL[0]), more=f"{CANARY}public = true\n")
    assert "oss:PutBucketAcl" in granted(cli.run("ram-policy", "--for", "prove").document)
    cli.configure(rule(ALL[0]), more=CANARY)
    assert "oss:PutBucketAcl" not in granted(cli.run("ram-policy", "--for", "prove").document)
    cli.configure(rule(ALL[0]))
    assert cli.run("ram-policy", "--for", "prove").document["Statement"] == []
