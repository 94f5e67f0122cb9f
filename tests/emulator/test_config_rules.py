"""Each managed rule's judgement of one bucket, by what is configured on it and by the rule's parameters."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from emulator.cloudconfig.configuration import BUCKET, BucketConfiguration
from emulator.cloudconfig.rules import CATALOGUE, DEFAULT_RULES, configured
from emulator.cloudconfig.verdict import Compliance

_PLAIN = BucketConfiguration(name="b", owner_id="1", region="cn-hangzhou", created=0.0)

GOOD, BAD, NOT_JUDGED = Compliance.COMPLIANT, Compliance.NON_COMPLIANT, Compliance.NOT_APPLICABLE


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "1", "Statement": list(statements)})


_OPEN = _policy({"Effect": "Allow", "Action": ["oss:GetObject"], "Principal": ["*"], "Resource": ["acs:oss:*:1:b/*"]})
_ONE_USER = _policy({"Effect": "Allow", "Action": ["oss:*"], "Principal": ["2034"], "Resource": ["acs:oss:*:1:b"]})
_HTTPS = _policy(
    {"Effect": "Deny", "Principal": ["*"], "Condition": {"Bool": {"acs:SecureTransport": ["false"]}}, "Action": ["*"]}
)

CASES: list[tuple[str, dict[str, Any], dict[str, str], Compliance]] = [
    ("oss-bucket-public-read-prohibited", {"acl": "private"}, {}, GOOD),
    ("oss-bucket-public-read-prohibited", {"acl": "public-read"}, {}, BAD),
    ("oss-bucket-public-read-prohibited", {"acl": "public-read-write"}, {}, BAD),
    ("oss-bucket-public-write-prohibited", {"acl": "private"}, {}, GOOD),
    ("oss-bucket-public-write-prohibited", {"acl": "public-read"}, {}, GOOD),
    ("oss-bucket-public-write-prohibited", {"acl": "public-read-write"}, {}, BAD),
    ("oss-bucket-anonymous-prohibited", {"acl": "private", "policy": _OPEN}, {}, NOT_JUDGED),
    ("oss-bucket-anonymous-prohibited", {"acl": "public-read", "policy": _OPEN}, {}, BAD),
    ("oss-bucket-anonymous-prohibited", {"acl": "public-read", "policy": _ONE_USER}, {}, GOOD),
    ("oss-bucket-anonymous-prohibited", {"acl": "public-read"}, {}, BAD),
    ("oss-bucket-policy-no-any-anonymous", {}, {}, GOOD),
    ("oss-bucket-policy-no-any-anonymous", {"policy": _OPEN}, {}, BAD),
    ("oss-bucket-policy-no-any-anonymous", {"policy": _OPEN.replace('["*"]', '"*"')}, {}, BAD),
    ("oss-bucket-policy-no-any-anonymous", {"policy": _OPEN.replace('["*"]', "[]")}, {}, BAD),
    ("oss-bucket-policy-no-any-anonymous", {"policy": _OPEN.replace('"Principal"', '"NotPrincipal"')}, {}, BAD),
    ("oss-bucket-policy-no-any-anonymous", {"policy": _HTTPS}, {}, GOOD),
    ("oss-bucket-policy-no-any-anonymous", {"policy": "no policy at all"}, {}, GOOD),
    ("oss-bucket-only-https-enabled", {}, {}, BAD),
    ("oss-bucket-only-https-enabled", {"policy": _HTTPS}, {}, GOOD),
    ("oss-bucket-only-https-enabled", {"policy": _HTTPS.replace('["*"]', "[]")}, {}, GOOD),
    ("oss-bucket-only-https-enabled", {"policy": _HTTPS.replace('"Principal"', '"NotPrincipal"')}, {}, BAD),
    ("oss-bucket-only-https-enabled", {"policy": _HTTPS.replace("false", "true")}, {}, BAD),
    ("oss-bucket-only-https-enabled", {"policy": _OPEN}, {}, BAD),
    ("oss-bucket-server-side-encryption-enabled", {}, {}, BAD),
    ("oss-bucket-server-side-encryption-enabled", {"sse_algorithm": "AES256"}, {}, GOOD),
    ("oss-default-encryption-kms", {"sse_algorithm": "AES256"}, {}, BAD),
    ("oss-default-encryption-kms", {"sse_algorithm": "KMS"}, {}, GOOD),
    ("oss-encryption-byok-check", {"sse_algorithm": "KMS"}, {}, BAD),
    ("oss-encryption-byok-check", {"sse_algorithm": "AES256", "kms_key_id": "k"}, {}, BAD),
    ("oss-encryption-byok-check", {"sse_algorithm": "KMS", "kms_key_id": "k"}, {}, GOOD),
    ("oss-bucket-versioning-enabled", {}, {}, BAD),
    ("oss-bucket-versioning-enabled", {"versioning": "Suspended"}, {}, BAD),
    ("oss-bucket-versioning-enabled", {"versioning": "Enabled"}, {}, GOOD),
    ("oss-bucket-logging-enabled", {}, {}, BAD),
    ("oss-bucket-logging-enabled", {"log_bucket": "logs"}, {}, GOOD),
    ("oss-bucket-logging-prefix-match", {}, {}, BAD),
    ("oss-bucket-logging-prefix-match", {"log_bucket": "logs", "log_prefix": "x/"}, {}, BAD),
    ("oss-bucket-logging-prefix-match", {"log_bucket": "logs", "log_prefix": "oss-accesslog/"}, {}, GOOD),
    ("oss-bucket-logging-prefix-match", {"log_bucket": "logs", "log_prefix": "x/"}, {"LogPrefix": "x/"}, GOOD),
    ("oss-bucket-referer-limit", {}, {}, BAD),
    ("oss-bucket-referer-limit", {"referers": ("http://a",)}, {}, GOOD),
    ("oss-bucket-referer-limit", {"referers": ("http://a",)}, {"allowEmptyReferer": "false"}, BAD),
    (
        "oss-bucket-referer-limit",
        {"referers": ("http://a",), "allow_empty_referer": False},
        {"allowEmptyReferer": "false"},
        GOOD,
    ),
    ("oss-bucket-referer-limit", {"referers": ("http://a", "http://b")}, {"allowReferers": "http://a"}, BAD),
    ("oss-bucket-referer-limit", {"referers": ("http://a",)}, {"allowReferers": "http://a, http://b"}, GOOD),
    ("oss-bucket-tls-version-check", {}, {}, BAD),
    ("oss-bucket-tls-version-check", {"tls_enabled": True, "tls_versions": ("TLSv1.2", "TLSv1.3")}, {}, GOOD),
    ("oss-bucket-tls-version-check", {"tls_enabled": False, "tls_versions": ("TLSv1.2",)}, {}, BAD),
    ("oss-bucket-tls-version-check", {"tls_enabled": True, "tls_versions": ("TLSv1.0", "TLSv1.2")}, {}, BAD),
    (
        "oss-bucket-tls-version-check",
        {"tls_enabled": True, "tls_versions": ("TLSv1.2",)},
        {"tlsVersion": "TLSv1.3"},
        BAD,
    ),
    ("oss-zrs-enabled", {}, {}, BAD),
    ("oss-zrs-enabled", {"redundancy": "ZRS"}, {}, GOOD),
    ("required-tags", {}, {}, GOOD),
    ("required-tags", {}, {"tag1Key": "owner"}, BAD),
    ("required-tags", {"tags": (("owner", "me"),)}, {"tag1Key": "owner"}, GOOD),
    ("required-tags", {"tags": (("owner", "me"),)}, {"tag1Key": "owner", "tag1Value": "you"}, BAD),
    ("required-tags", {"tags": (("owner", "me"),)}, {"tag1Key": "owner", "tag1Value": "you, me"}, GOOD),
    ("required-tags", {"tags": (("owner", "me"),)}, {"tag1Key": "owner", "tag2Key": "cost"}, BAD),
]


@pytest.mark.parametrize(("identifier", "settings", "parameters", "expected"), CASES)
def test_a_rule_judges_a_bucket(
    identifier: str, settings: dict[str, Any], parameters: dict[str, str], expected: Compliance
) -> None:
    """The rule's own page says what it wants; an annotation explains exactly the non-compliant ones."""
    verdict = configured(identifier, parameters=parameters).evaluate(replace(_PLAIN, **settings))
    assert verdict.compliance is expected
    assert (verdict.annotation is not None) is (expected is BAD)


def test_every_rule_of_the_catalogue_is_judged_both_ways() -> None:
    """No rule for buckets can be added without a bucket that passes and one that fails."""
    for identifier in (name for name, managed in CATALOGUE.items() if managed.resource_type == BUCKET):
        outcomes = {expected for name, _, _, expected in CASES if name == identifier}
        assert {GOOD, BAD} <= outcomes, identifier


def test_the_documented_annotation_of_a_public_bucket() -> None:
    """The sample of the documentation: what is granted, what is wanted, and where it stands."""
    verdict = configured("oss-bucket-public-read-prohibited").evaluate(replace(_PLAIN, acl="public-read"))
    assert verdict.annotation is not None
    assert verdict.annotation.as_text() == (
        '{"configuration":"public-read","desiredValue":"read","operator":"NotContains",'
        '"property":"$.AccessControlList.Grant"}'
    )


def test_default_rules_have_stable_ids_and_localised_names() -> None:
    """A consumer that maps by identifier or English name has to fail here, as it would in the field."""
    for identifier in DEFAULT_RULES:
        rule = configured(identifier)
        assert rule.id == configured(identifier).id
        assert rule.id.startswith("cr-")
        assert len(rule.id) == 23
        assert identifier not in rule.name
        assert not rule.name.isascii()
