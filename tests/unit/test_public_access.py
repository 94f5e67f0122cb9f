"""Whether anyone can reach a bucket, and by which path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumer.resources.oss.policy import admits_everyone
from consumer.resources.oss.public_access import Path, granted

EVERYONE = {"Effect": "Allow", "Action": "oss:GetObject", "Principal": ["*"], "Resource": "acs:oss:*:*:photos/*"}


def policy(**changes: Any) -> str:
    return json.dumps({"Version": "1", "Statement": [{**EVERYONE, **changes}]})


@pytest.mark.parametrize(
    ("acl", "text", "paths"),
    [
        ("private", None, ()),
        ("public-read", None, (Path.ACL,)),
        ("public-read-write", None, (Path.ACL,)),
        ("private", policy(), (Path.POLICY,)),
        ("public-read", policy(), (Path.ACL, Path.POLICY)),
    ],
)
def test_each_path_counts(acl: str, text: str | None, paths: tuple[Path, ...]) -> None:
    """By the ACL, by the policy, by both or by none."""
    assert granted(acl, text) == paths


@pytest.mark.parametrize(
    "condition",
    [
        {"IpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}},
        {"StringEquals": {"acs:SourceVpc": "vpc-1"}},
        {"stringLike": {"ACS:SourceVpcId": ["vpc-*"]}},
        {"Bool": {"acs:SecureTransport": "true"}, "IpAddress": {"acs:SourceIp": "10.0.0.1"}},
    ],
)
def test_a_condition_on_the_caller_makes_a_grant_private(condition: dict[str, Any]) -> None:
    """Networks, addresses and accounts narrow everyone down to somebody."""
    assert not admits_everyone(policy(Condition=condition))


@pytest.mark.parametrize(
    "condition",
    [
        {},
        None,
        "odd",
        {"Bool": {"acs:SecureTransport": "true"}},
        {"IpAddress": {"acs:SourceIp": ["10.0.0.0/8", "0.0.0.0/0"]}},
        {"IpAddress": {"acs:SourceIp": "::/0"}},
        {"NotIpAddress": {"acs:SourceIp": "10.0.0.0/8"}},
        {"StringLike": {"acs:SourceVpc": "*"}},
        {"StringEqualsIfExists": {"acs:SourceVpc": "vpc-1"}},
        {"IpAddress": "odd"},
    ],
)
def test_other_conditions_keep_nobody_out(condition: object) -> None:
    """Not the protocol, not a negation, not a range of everything, and not what nobody understands."""
    assert admits_everyone(policy(Condition=condition))


def test_a_denial_or_a_grant_to_somebody_is_not_public() -> None:
    """Only an Allow to everyone is."""
    assert not admits_everyone(policy(Effect="Deny"))
    assert not admits_everyone(policy(Principal=["1111111111111111"]))
    assert not admits_everyone("[]")
