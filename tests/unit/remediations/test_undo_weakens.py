"""What is said before a repair is taken back: whether protection is lost with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumer.remediations.base import Change
from tests.unit.remediations.findings import remediation


def policy(principal: object) -> str:
    statement = {"Effect": "Allow", "Action": ["oss:GetObject"], "Principal": principal, "Resource": ["*"]}
    return json.dumps({"Version": "1", "Statement": [statement]})


PUBLIC, NAMED = policy(["*"]), policy(["1111111111111111"])


FORBIDDEN = "the bucket is again in the state that the rule forbids"
BY_POLICY = "anyone may be able to reach the bucket again, by its policy"
BY_ACL = "anyone may be able to reach the bucket again: its ACL is "


@pytest.mark.parametrize(
    ("name", "options", "before", "after", "lost"),
    [
        ("oss.bucket-acl", {}, "public-read", "private", BY_ACL + "public-read"),
        ("oss.bucket-acl", {"drop": "write"}, "public-read-write", "public-read", BY_ACL + "public-read-write"),
        ("oss.bucket-acl", {}, "unknown", "private", BY_ACL + "unknown"),
        ("oss.bucket-policy-public", {}, PUBLIC, NAMED, BY_POLICY),
        ("oss.bucket-policy-public", {}, PUBLIC, "null", BY_POLICY),
        ("oss.bucket-policy-public", {}, policy([]), "null", BY_POLICY),
        ("oss.bucket-policy-public", {}, "not a policy", "null", BY_POLICY),
        ("oss.bucket-policy-public", {}, NAMED, "null", FORBIDDEN),
        ("oss.bucket-policy-public", {}, PUBLIC, PUBLIC, FORBIDDEN),
        (
            "oss.block-public-access",
            {},
            "false",
            "true",
            "anyone may be able to reach the bucket again, by a public ACL or policy",
        ),
        ("oss.https-only", {}, "null", PUBLIC, FORBIDDEN),
        ("oss.encryption", {}, "null", '{"algorithm":"AES256"}', FORBIDDEN),
        ("oss.tls-version", {}, "{}", "{}", FORBIDDEN),
        ("oss.versioning", {}, '""', '"Enabled"', FORBIDDEN),
        ("oss.logging", {"target_bucket": "logs"}, "null", "{}", FORBIDDEN),
        ("oss.referer", {"referers": ["https://a.example"]}, "{}", "{}", FORBIDDEN),
    ],
)
def test_taking_a_protection_back_is_reported(
    name: str, options: dict[str, Any], before: str, after: str, lost: str
) -> None:
    """What broke the rule is put back, so undo has to ask once more; an open policy is told from one that breaks it."""
    assert remediation(name, **options).weakens(Change(before, after)) == lost


@pytest.mark.parametrize(
    ("name", "options", "before", "after"),
    [
        ("oss.bucket-acl", {}, "private", "public-read"),
        ("oss.bucket-acl", {}, "public-read", "public-read"),
        ("oss.report", {}, "", "changed"),
        ("oss.tags", {"tags": {"a": "b"}}, "{}", '{"a":"b"}'),
        ("oss.zrs", {"acknowledge_one_way_and_cost": True}, "LRS", "ZRS"),
    ],
)
def test_what_protects_nothing_is_taken_back_without_a_word(
    name: str, options: dict[str, Any], before: str, after: str
) -> None:
    """A private ACL, tags, and what cannot be taken back at all."""
    assert remediation(name, **options).weakens(Change(before, after)) == ""
