"""Whether anyone can reach a bucket, by which path, and what of it cannot be told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumer.resources.oss.public_access import AccessPath, Exposure, exposure

EVERYONE = {"Effect": "Allow", "Action": "oss:GetObject", "Principal": ["*"], "Resource": "acs:oss:*:*:photos/*"}
PARTNER = {**EVERYONE, "Principal": ["1111111111111111"]}


def policy(*statements: Any) -> str:
    return json.dumps({"Version": "1", "Statement": list(statements)})


@pytest.mark.parametrize(
    ("acl", "text", "paths"),
    [
        ("private", None, ()),
        ("private", policy(PARTNER), ()),
        ("public-read", None, (AccessPath.ACL,)),
        ("public-read-write", None, (AccessPath.ACL,)),
        ("Private", None, (AccessPath.ACL,)),
        ("", None, (AccessPath.ACL,)),
        ("private", policy(EVERYONE), (AccessPath.POLICY,)),
        ("private", policy({**EVERYONE, "Principal": []}), (AccessPath.POLICY,)),
        ("public-read", policy(EVERYONE), (AccessPath.ACL, AccessPath.POLICY)),
    ],
)
def test_each_path_counts(acl: str, text: str | None, paths: tuple[AccessPath, ...]) -> None:
    """By the ACL, by the policy, by both or by none; an unknown ACL is not known to be private."""
    assert exposure(acl, text) == Exposure(paths)


def test_a_restriction_makes_a_grant_private() -> None:
    """Everyone, but from one network only."""
    condition = {"StringEquals": {"acs:SourceVpc": "vpc-1"}}

    assert not exposure("private", policy({**EVERYONE, "Condition": condition}))


@pytest.mark.parametrize("text", [policy("odd"), "[]", '{"a":1,"a":2}', json.dumps({"statement": [EVERYONE]})])
def test_what_is_not_understood_is_not_called_closed(text: str) -> None:
    """No path is known, and still it is not certain that nobody gets in."""
    found = exposure("private", text)

    assert found
    assert found.paths == ()
    assert found.doubts


@pytest.mark.parametrize(
    ("text", "why"), [(policy("odd"), "statement 1: 'odd' is not an object"), ("[]", "it is not a JSON object")]
)
def test_a_person_reads_what_is_not_understood(text: str, why: str) -> None:
    """Of the statements, and of the text as a whole."""
    assert exposure("private", text).doubts.endswith(f"is not understood, so a person has to look: {why}")
