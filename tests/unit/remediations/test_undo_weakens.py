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


@pytest.mark.parametrize(
    ("name", "options", "before", "after"),
    [
        ("oss.bucket-acl", {}, "public-read", "private"),
        ("oss.bucket-acl", {"drop": "write"}, "public-read-write", "public-read"),
        ("oss.bucket-acl", {}, "unknown", "private"),
        ("oss.bucket-policy-public", {}, PUBLIC, NAMED),
        ("oss.bucket-policy-public", {}, PUBLIC, "null"),
        ("oss.bucket-policy-public", {}, policy([]), "null"),
        ("oss.bucket-policy-public", {}, "not a policy", "null"),
        ("oss.block-public-access", {}, "false", "true"),
        ("oss.https-only", {}, "null", PUBLIC),
        ("oss.encryption", {}, "null", '{"algorithm":"AES256"}'),
        ("oss.tls-version", {}, "{}", "{}"),
        ("oss.versioning", {}, '""', '"Enabled"'),
        ("oss.logging", {"target_bucket": "logs"}, "null", "{}"),
        ("oss.referer", {"referers": ["https://a.example"]}, "{}", "{}"),
    ],
)
def test_taking_a_protection_back_is_reported(name: str, options: dict[str, Any], before: str, after: str) -> None:
    """What broke the rule is put back, so undo has to ask once more."""
    assert remediation(name, **options).weakens(Change(before, after))


@pytest.mark.parametrize(
    ("name", "options", "before", "after"),
    [
        ("oss.bucket-acl", {}, "private", "public-read"),
        ("oss.tags", {"tags": {"a": "b"}}, "{}", '{"a":"b"}'),
        ("oss.zrs", {"acknowledge_one_way_and_cost": True}, "LRS", "ZRS"),
    ],
)
def test_what_protects_nothing_is_taken_back_without_a_word(
    name: str, options: dict[str, Any], before: str, after: str
) -> None:
    """A private ACL, tags, and what cannot be taken back at all."""
    assert not remediation(name, **options).weakens(Change(before, after))


def test_undo_says_who_gets_in() -> None:
    """An open policy is told from one that merely breaks the rule, such as a grant to one network."""
    repair = remediation("oss.bucket-policy-public")

    assert "anyone" in repair.weakens(Change(PUBLIC, "null"))
    assert repair.weakens(Change(NAMED, "null")) == "the bucket is again in the state that the rule forbids"
    assert repair.weakens(Change(PUBLIC, PUBLIC)) == "the bucket is again in the state that the rule forbids"
