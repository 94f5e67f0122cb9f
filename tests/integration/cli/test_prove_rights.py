"""`check --prove`: every repair that can be proved, rights that are there or missing, and those it needs itself."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from consumer.resources.ram_actions import actions_of
from emulator.client import Emulator
from tests.integration.cli.conftest import Cli
from tests.integration.cli.proving import (
    CANARY,
    TAGS,
    canary,
    changes_of,
    configured,
    journaled,
    proof,
    proofs,
    prove,
    state_of,
)

RULES = """
[[rules]]
name = "encryption"
remediation = "oss.encryption"
mode = "enforce"
source_identifiers = ["oss-bucket-server-side-encryption-enabled"]

[[rules]]
name = "tls"
remediation = "oss.tls-version"
mode = "enforce"
rule_names = ["TLS *"]

[[rules]]
name = "referer"
remediation = "oss.referer"
mode = "enforce"
config_rule_ids = ["cr-referer"]
options = {referers = ["https://*.example.com"]}

[[rules]]
name = "logging"
remediation = "oss.logging"
mode = "enforce"
config_rule_ids = ["cr-logging"]
options = {target_bucket = "access-logs-{region}"}

[[rules]]
name = "tags"
remediation = "oss.tags"
mode = "enforce"
config_rule_ids = ["cr-tags"]
options = {tags = {cost-center = "unknown"}}

[[rules]]
name = "public-read"
remediation = "oss.bucket-acl"
mode = "enforce"
config_rule_ids = ["cr-read"]

[[rules]]
name = "policy"
remediation = "oss.bucket-policy-public"
mode = "enforce"
config_rule_ids = ["cr-policy"]

[[rules]]
name = "zrs"
remediation = "oss.report"
mode = "enforce"
config_rule_ids = ["cr-zrs"]
"""
PROVED = {"encryption", "tls", "referer", "logging", "tags", "public-read"}


def _compliant(emulator: Emulator) -> None:
    """A canary that complies with all of them."""
    emulator.create_buckets(["access-logs-cn-hangzhou"], acl="private")
    canary(
        emulator,
        https_config={"tls_enabled": True, "tls_versions": ["TLSv1.2", "TLSv1.3"]},
        referer={"allow_empty": True, "truncate_path": False, "allowed": ["https://*.example.com"]},
        logging={"target_bucket": "access-logs-cn-hangzhou", "target_prefix": "oss-accesslog/"},
        tagging={**TAGS, "cost-center": "unknown"},
    )


def test_every_harmless_break_is_repaired_by_the_worker(cli: Cli, channel: Emulator, tmp_path: Path) -> None:
    """One after the other on the same canary, which complies with all; what has no harmless break is left out."""
    _compliant(channel)
    configured(cli, RULES, more="public = true\n")
    journaled(cli, tmp_path)
    before = state_of(channel)
    with cli.working():
        result = prove(cli)
    ended = {each["rule"]: (each["status"], each["result"]) for each in proofs(result)}
    assert result.status == 0, result.out
    assert {name for name, end in ended.items() if end == ("ok", "repaired")} == PROVED, result.out
    assert {name for name, end in ended.items() if end == ("skipped", "not_begun")} == {"policy", "zrs"}
    assert state_of(channel) == before


def test_opening_the_canary_has_to_be_allowed(cli: Cli, channel: Emulator) -> None:
    """Without canary.public nothing is ever made public; asked for by name, such a rule fails the check."""
    _compliant(channel)
    configured(cli, RULES)
    result = prove(cli, "--rule", "public-read")
    assert (result.status, proof(result)["result"]) == (1, "not_begun")
    assert "canary.public" in proof(result)["remedy"]
    assert changes_of(channel) == []


def test_where_no_rule_can_be_proved_the_check_fails(cli: Cli, channel: Emulator) -> None:
    """Nothing was shown, so nothing is green."""
    _compliant(channel)
    configured(cli, RULES[RULES.index('\n[[rules]]\nname = "policy"') :])
    result = prove(cli)
    assert result.status == 1
    assert proofs(result)[-1]["message"] == "no rule can be proved on this canary"


def test_a_right_that_the_worker_lacks_is_named(cli: Cli, channel: Emulator, tmp_path: Path) -> None:
    """This is what it is for: the refused request shows before a real event needs it."""
    canary(channel)
    configured(cli)
    journaled(cli, tmp_path)
    before = state_of(channel)
    channel.faults.add("error", "PutBucketEncryption", service="oss", status=403, code="AccessDenied", count=1)
    with cli.working():
        result = prove(cli)
    found = proof(result)
    assert (result.status, found["result"], found["seen_in"]) == (1, "kept", "journal")
    assert "permission_missing" in found["message"]
    assert "oss PutBucketEncryption: AccessDenied" in found["message"]
    assert "config-remediator ram-policy" in found["remedy"]
    assert (found["restored"], state_of(channel)) == (True, before)


def _granted(policy: Any, arn: str) -> set[str]:
    return {
        action
        for statement in policy["Statement"]
        for action in statement["Action"]
        if any(fnmatchcase(arn, pattern) for pattern in statement["Resource"])
    }


@pytest.mark.parametrize("worker", [True, False], ids=["with a worker", "with nobody"])
def test_its_own_policy_covers_what_it_sends(worker: bool, cli: Cli, channel: Emulator, tmp_path: Path) -> None:
    """Every request that is signed with the key of whoever proves, on the canary alone."""
    _compliant(channel)
    configured(cli, RULES, more="public = true\n", **({} if worker else {"wait_seconds": 1}))
    journaled(cli, tmp_path)
    person = channel.add_identity()
    channel.journal_reads(True)
    signed = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": person.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": person.access_key_secret,
    }
    arguments = ("check", "--prove", "-o", "json", "--rule", "encryption", "--rule", "public-read")
    if worker:
        with cli.working():
            assert cli.run(*arguments, **signed).status == 0
    else:
        assert cli.run(*arguments, **signed).status == 1
    policy = cli.run("ram-policy", "--for", "prove").document
    sent = [each for each in channel.journal() if each.access_key_id == person.access_key_id]
    assert {"ListObjects", "PublishMessage", "DeleteBucketEncryption", "PutBucketAcl"} <= {
        each.operation for each in sent
    }
    for each in sent:
        if each.service == "oss":
            assert each.resource == CANARY
            allowed = _granted(policy, f"acs:oss:*:{channel.endpoints.account_id}:{CANARY}")
        else:
            allowed = {action for statement in policy["Statement"] for action in statement["Action"]}
        assert set(actions_of(each.service, each.operation)) <= allowed, each
