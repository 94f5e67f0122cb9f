"""What anybody may do, decided from values alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.oss.bucket import Bucket
from emulator.oss.public_access import NOBODY, Anyone, anyone, by_acl, by_policy, policy_allows, public_policy


def _policy(**fields: Any) -> str:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": ["*"],
        "Action": ["oss:GetObject"],
        "Resource": ["acs:oss:*:*:b/*"],
    }
    return json.dumps({"Version": "1", "Statement": [statement | fields]})


def test_by_acl() -> None:
    """Each ACL lets everybody do what its name says."""
    assert by_acl("private") == NOBODY
    assert by_acl("public-read") == Anyone(read=True)
    assert by_acl("public-read-write") == Anyone(read=True, write=True)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Anyone(read=True)),
        ({"Principal": "*"}, Anyone(read=True)),
        ({"Action": "oss:*"}, Anyone(read=True, write=True)),
        ({"Action": ["OSS:Put*"]}, Anyone(write=True)),
        ({"Principal": ["1234"]}, NOBODY),
        ({"Effect": "Deny"}, NOBODY),
        ({"Condition": {"IpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}}}, NOBODY),
        ({"Condition": {"IpAddress": {"acs:SourceIp": ["0.0.0.0/0"]}}}, Anyone(read=True)),
        ({"Condition": {"NotIpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}}}, Anyone(read=True)),
        ({"Condition": {"Bool": {"acs:SecureTransport": ["true"]}}}, Anyone(read=True)),
        ({"Condition": {"StringEquals": {"acs:SourceVpc": ["vpc-1"]}}}, NOBODY),
    ],
)
def test_by_policy(fields: dict[str, Any], expected: Anyone) -> None:
    """A statement reaches everybody unless it names somebody or is restricted to somewhere."""
    policy = _policy(**fields)
    assert by_policy(policy) == expected
    assert public_policy(policy) is bool(expected)


def test_not_principal_and_not_action() -> None:
    """Everybody except someone is everybody; everything except something is the rest."""
    statement = {"Effect": "Allow", "NotPrincipal": ["1"], "NotAction": ["oss:Get*", "oss:List*"], "Resource": "*"}
    assert by_policy(json.dumps({"Version": "1", "Statement": [statement]})) == Anyone(write=True)


def test_no_principal() -> None:
    """A statement that names no principal is public, as the service's own answer to the SDK's tests shows."""
    statement = {"Effect": "Allow", "Action": ["oss:PutObject"], "Resource": ["acs:oss:*:*:b/*"]}
    policy = json.dumps({"Version": "1", "Statement": [statement]})
    assert public_policy(policy)
    assert by_policy(policy) == Anyone(write=True)


def test_deny_takes_back() -> None:
    """An unconditional Deny for everybody outweighs an Allow; it does not make the statement less public."""
    statements = [json.loads(_policy(Effect=effect))["Statement"][0] for effect in ("Allow", "Deny")]
    policy = json.dumps({"Version": "1", "Statement": statements})
    assert by_policy(policy) == NOBODY
    assert public_policy(policy)


def test_block_public_access() -> None:
    """Block Public Access of the bucket or of its account ends all of it."""
    bucket = Bucket("b", "1", "cn-hangzhou", 0.0, "public-read", policy=_policy(Action="oss:PutObject"))
    assert anyone(bucket) == Anyone(read=True, write=True)
    assert anyone(bucket, account_blocks=True) == NOBODY
    bucket.public_access_block = True
    assert anyone(bucket) == NOBODY


def test_named_account() -> None:
    """A policy that names an account lets that account in and nobody else."""
    policy = _policy(Principal=["42"])
    assert policy_allows(policy, "oss:GetObject", "42")
    assert not policy_allows(policy, "oss:PutObject", "42")
    assert not policy_allows(policy, "oss:GetObject", None)
    assert not policy_allows(None, "oss:GetObject", "42")


@pytest.mark.parametrize("text", ["{}", "[]", "nonsense", '{"Statement": 7}'])
def test_not_a_policy(text: str) -> None:
    """What is not a policy lets nobody in."""
    assert by_policy(text) == NOBODY
    assert not public_policy(text)
