"""What callers who are not the owner may do by ACL and policy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.oss.grants import Anyone, by_acl, by_policy


def _policy(*statements: dict[str, Any]) -> str:
    usual = {"Effect": "Allow", "Principal": ["*"], "Action": ["oss:GetObject"], "Resource": ["acs:oss:*:*:b/*"]}
    return json.dumps({"Version": "1", "Statement": [usual | statement for statement in statements]})


def test_by_acl() -> None:
    """Each ACL lets everybody do what its name says."""
    assert by_acl("private") == Anyone()
    assert by_acl("public-read") == Anyone(read=True)
    assert by_acl("public-read-write") == Anyone(read=True, write=True)


@pytest.mark.parametrize(
    ("fields", "get", "put"),
    [
        ({}, True, False),
        ({"Principal": "*"}, True, False),
        ({"Principal": []}, True, False),
        ({"Action": "oss:*"}, True, True),
        ({"Action": ["OSS:Put*"]}, False, True),
        ({"NotAction": ["oss:Get*"]}, False, True),
        ({"Principal": ["1234"]}, False, False),
        ({"NotPrincipal": ["1234"]}, True, False),
        ({"Effect": "Deny"}, False, False),
        ({"Condition": {"IpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}}}, False, False),
        ({"Condition": {"Bool": {"acs:SecureTransport": ["true"]}}}, True, False),
    ],
)
def test_anybody(fields: dict[str, Any], get: bool, put: bool) -> None:
    """A statement reaches anybody unless it names somebody or is restricted to somewhere."""
    policy = _policy(fields)
    assert by_policy(policy, "oss:GetObject", None) is get
    assert by_policy(policy, "oss:PutObject", None) is put


def test_named_account() -> None:
    """A policy that names an account lets that account in and nobody else, NotPrincipal everybody else."""
    policy = _policy({"Principal": ["42"]})
    assert by_policy(policy, "oss:GetObject", "42")
    assert not by_policy(policy, "oss:PutObject", "42")
    assert not by_policy(policy, "oss:GetObject", "43")
    assert not by_policy(_policy({"NotPrincipal": ["42"]}), "oss:GetObject", "42")


def test_deny_takes_back() -> None:
    """An unconditional Deny outweighs an Allow."""
    assert not by_policy(_policy({}, {"Effect": "Deny"}), "oss:GetObject", None)


@pytest.mark.parametrize("policy", [None, "", "nonsense", '{"Statement": 7}'])
def test_no_policy(policy: str | None) -> None:
    """No policy, or none that can be read, lets nobody in."""
    assert not by_policy(policy, "oss:GetObject", None)
