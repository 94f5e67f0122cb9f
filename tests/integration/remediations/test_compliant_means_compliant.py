"""No repair ends well on a bucket that its managed rule still reports, whatever is set on it.

Cloud Config's verdict is the emulator's own reading of each rule's page; settings are drawn at random, half set, in
other case, with prefixes and lists, and the real SDK reads them over HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.core.outcome import SETTLED_BY, Settlement
from tests import policies
from tests.integration.remediations.workbench import BUCKET, Case, Workbench

_REFERERS = st.lists(
    st.sampled_from(["https://a.example", "https://A.example", "https://*", "*", "http://b.example"]), unique=True
)
_ENCRYPTIONS = st.none() | st.fixed_dictionaries(
    {
        "algorithm": st.sampled_from(["AES256", "SM4", "KMS"]),
        "kms_key_id": st.sampled_from([None, "key-1", "alias/acs/oss"]),
    }
)
_LOGGING = st.none() | st.fixed_dictionaries(
    {
        "target_bucket": st.sampled_from(["access-logs", BUCKET]),
        "target_prefix": st.sampled_from(["", "oss-accesslog", "oss-accesslog/", "OSS-accesslog/", "x/oss-accesslog/"]),
    }
)
_TLS = st.fixed_dictionaries(
    {
        "tls_enabled": st.booleans(),
        "tls_versions": st.lists(st.sampled_from(["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"]), unique=True),
    }
)
_TAGS = st.dictionaries(st.sampled_from(["env", "Env", "owner"]), st.sampled_from(["prod", "Prod", "test", ""]))
_ACLS = st.sampled_from(["private", "public-read", "public-read-write"])
_POLICIES = st.none() | policies.documented


@dataclass(frozen=True, slots=True)
class Rule:
    """One managed rule, the repair for it, and the settings it looks at."""

    case: Case
    settings: dict[str, st.SearchStrategy[Any]] = field(default_factory=dict)


def rule(
    identifier: str, remediation: str, options: dict[str, Any], parameters: dict[str, str], **drawn: Any
) -> tuple[str, Rule]:
    return identifier, Rule(Case(remediation, {}, identifier, options, parameters), drawn)


RULES = [
    rule("oss-bucket-public-read-prohibited", "oss.bucket-acl", {}, {}, acl=_ACLS, policy=_POLICIES),
    rule("oss-bucket-public-write-prohibited", "oss.bucket-acl", {}, {}, acl=_ACLS),
    rule("oss-bucket-public-write-prohibited", "oss.bucket-acl", {"drop": "write"}, {}, acl=_ACLS),
    rule("oss-bucket-anonymous-prohibited", "oss.bucket-acl", {}, {}, acl=_ACLS, policy=_POLICIES),
    rule("oss-bucket-policy-no-any-anonymous", "oss.bucket-policy-public", {}, {}, acl=_ACLS, policy=_POLICIES),
    rule("oss-bucket-only-https-enabled", "oss.https-only", {}, {}, policy=_POLICIES),
    rule("oss-bucket-tls-version-check", "oss.tls-version", {}, {}, https_config=_TLS),
    rule("oss-bucket-server-side-encryption-enabled", "oss.encryption", {}, {}, encryption=_ENCRYPTIONS),
    rule("oss-default-encryption-kms", "oss.encryption", {"algorithm": "KMS"}, {}, encryption=_ENCRYPTIONS),
    rule(
        "oss-encryption-byok-check",
        "oss.encryption",
        {"algorithm": "KMS", "kms_master_key_id": "key-1"},
        {},
        encryption=_ENCRYPTIONS,
    ),
    rule(
        "oss-bucket-versioning-enabled",
        "oss.versioning",
        {},
        {},
        versioning=st.sampled_from([None, "Enabled", "Suspended"]),
    ),
    rule("oss-bucket-logging-enabled", "oss.logging", {"target_bucket": "access-logs"}, {}, logging=_LOGGING),
    rule(
        "oss-bucket-logging-prefix-match",
        "oss.logging",
        {"target_bucket": "access-logs", "replace_prefix": True},
        {},
        logging=_LOGGING,
    ),
    rule(
        "oss-bucket-referer-limit",
        "oss.referer",
        {"referers": ["https://a.example"]},
        {},
        referer=st.fixed_dictionaries({"allow_empty": st.booleans(), "allowed": _REFERERS}),
    ),
    rule(
        "oss-bucket-referer-limit",
        "oss.referer",
        {"referers": ["https://a.example"], "exclusive": True, "forbid_empty_referer": True},
        {"allowReferers": "https://a.example", "allowEmptyReferer": "false"},
        referer=st.fixed_dictionaries({"allow_empty": st.booleans(), "allowed": _REFERERS}),
    ),
    rule(
        "required-tags", "oss.tags", {"tags": {"env": "prod"}}, {"tag1Key": "env", "tag1Value": "prod"}, tagging=_TAGS
    ),
    rule("required-tags", "oss.tags", {"tags": {"env": "prod"}, "any_value": True}, {"tag1Key": "env"}, tagging=_TAGS),
    rule(
        "oss-zrs-enabled",
        "oss.zrs",
        {"acknowledge_one_way_and_cost": True},
        {},
        redundancy=st.sampled_from(["LRS", "ZRS"]),
    ),
]


@pytest.mark.parametrize(("identifier", "drawn"), RULES, ids=[f"{name} {each.case.options}" for name, each in RULES])
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_message_is_deleted_only_where_the_rule_is_satisfied(
    bench: Workbench, identifier: str, drawn: Rule, data: st.DataObject
) -> None:
    """Fixed or already compliant: Cloud Config says so too, or that the rule does not apply."""
    wanted = {name: data.draw(strategy, label=name) for name, strategy in drawn.settings.items()}
    bench.emulator.create_buckets(["access-logs"])
    try:
        bench.create(Case(drawn.case.remediation, wanted, identifier, parameters=drawn.case.parameters))

        ending = bench.repair(drawn.case)

        if SETTLED_BY[ending.outcome] is Settlement.DELETE:
            assert bench.verdict(drawn.case) in ("COMPLIANT", "NOT_APPLICABLE"), (ending, wanted)
    finally:
        for bucket in list(bench.emulator.acls()):
            bench.emulator.delete_bucket(bucket)
