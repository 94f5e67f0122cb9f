"""When a bucket policy is public, row by row of the page that defines it.

"Block Public Access" (https://www.alibabacloud.com/help/en/oss/user-guide/block-public-access) and "Policy syntax and
elements"; where they are silent a statement is public.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.oss.public_policy import public_policy

VPC = {"StringEquals": {"acs:SourceVpc": ["vpc-t4nlw426y44rd3iq4aaaa"]}}


def _statement(**fields: Any) -> dict[str, Any]:
    made = {"Effect": "Allow", "Principal": ["*"], "Action": ["oss:GetObject"], "Resource": ["acs:oss:*:*:b/*"]}
    return {name: value for name, value in (made | fields).items() if value is not ...}


def _public(**fields: Any) -> bool:
    return public_policy(json.dumps({"Version": "1", "Statement": [_statement(**fields)]}))


@pytest.mark.parametrize(
    "principal",
    [
        "1234567890123456",
        ["277379621561579999", "202147604049359999"],
        "acs:ram::1234567890123456:role/reader",
        "arn:sts::1234567890123456:assumed-role/reader/session",
    ],
)
def test_fixed_principals(principal: Any) -> None:
    """Accounts, users and roles without a wildcard make a statement not public."""
    assert not _public(Principal=principal)


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        ["*"],
        [],  # documented: an empty list is the same as ["*"]
        ["1234567890123456", "*"],
        "arn:sts::1234567890123456:assumed-role/reader/*",
        "arn:sts::1234567890123456:assumed-role/reader/?",
        ["1234567890123456", 7],
        [""],
        None,
        ...,
        {"RAM": ["1234567890123456"]},
        "everyone",
    ],
)
def test_everyone(principal: Any) -> None:
    """A wildcard, nobody at all, and whatever the page does not know are everyone."""
    assert _public(Principal=principal)


def test_not_principal() -> None:
    """Everyone but one is nearly everyone; a Principal beside it changes nothing."""
    assert _public(Principal=..., NotPrincipal=["1234567890123456"])
    assert _public(Principal=["1234567890123456"], NotPrincipal=["1234567890123456"])


@pytest.mark.parametrize("key", ["acs:SourceVpc", "acs:SourceVpcId", "acs:SourceVpcIp", "acs:AccessId"])
@pytest.mark.parametrize("operator", ["StringEquals", "StringLike"])
def test_fixed_values(key: str, operator: str) -> None:
    """Each of these keys restricts by fixed values: several are an "or", so none may hold a wildcard."""
    assert not _public(Condition={operator: {key: ["one", "two"]}})
    assert not _public(Condition={operator: {key: "one"}})
    for value in (["one", "tw*"], ["one", "tw?"], [], [""], "*", 7, None, {"one": "two"}):
        assert _public(Condition={operator: {key: value}})


@pytest.mark.parametrize(
    ("ranges", "public"),
    [
        ("10.1.2.3", False),
        ("10.0.0.0/8", False),
        ("10.0.0.0/7", True),
        ("0.0.0.0/0", True),
        ("2001:db8::/32", False),
        ("2001:db8::/31", True),
        ("::/0", True),
        (["10.0.0.0/8", "2001:db8::1"], False),
        (["10.0.0.0/8", "0.0.0.0/1"], True),
        ([], True),
        ("*", True),
        ("10.*", True),
        ("not-an-address", True),
        (167837955, True),
    ],
)
def test_source_ip(ranges: Any, public: bool) -> None:
    """Addresses restrict when every IPv4 range has /8 or longer and every IPv6 range /32 or longer."""
    assert _public(Condition={"IpAddress": {"acs:SourceIp": ranges}}) is public


@pytest.mark.parametrize(
    "condition",
    [
        {"NotIpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}},
        {"StringNotEquals": {"acs:SourceVpc": ["vpc-1"]}},
        {"StringNotLike": {"acs:SourceVpc": ["vpc-1"]}},
        {"Bool": {"acs:SecureTransport": ["true"]}},
        {"DateLessThan": {"acs:CurrentTime": ["2026-01-01T00:00:00Z"]}},
        {"NumericEquals": {"acs:SourceVpc": ["1"]}},
        {"StringEquals": {"acs:PrincipalArn": ["acs:ram::1:role/reader"]}},
        {"StringEquals": {"oss:Prefix": ["logs/"]}},
        {"StringEquals": {"acs:SourceIp": ["10.1.2.3"]}},
        {"IpAddress": {"acs:SourceVpc": ["10.1.2.3"]}},
        {"stringequals": {"acs:SourceVpc": ["vpc-1"]}},
        {"StringEquals": {"ACS:sourcevpc": ["vpc-1"]}},
        {"StringEquals": ["acs:SourceVpc"]},
        {"StringEquals": None},
        ["acs:SourceVpc"],
        "vpc-1",
        None,
    ],
)
def test_conditions_that_do_not_restrict(condition: Any) -> None:
    """Negations, other operators, other keys and other forms leave a statement public."""
    assert _public(Condition=condition)


def test_conditions_are_an_and() -> None:
    """One restricting condition is enough, beside whatever others, in one block or in two."""
    assert not _public(Condition={**VPC, "Bool": {"acs:SecureTransport": "true"}})
    both = {"acs:SourceVpc": ["vpc-*"], "acs:AccessId": ["LTAI5tReader"]}
    assert not _public(Condition={"StringLike": both})
    assert not _public(Condition={"NotIpAddress": {"acs:SourceIp": "10.0.0.0/8"}, **VPC})


def test_one_public_statement_is_enough() -> None:
    """Statements are an "or"; a Deny, whomever it names, makes nothing public and nothing not public."""
    deny = _statement(Effect="Deny")
    for statements, public in (
        ([deny], False),
        ([_statement(Condition=VPC), deny], False),
        ([deny, _statement()], True),
        ([_statement(Condition=VPC), _statement()], True),
        ([], False),
    ):
        assert public_policy(json.dumps({"Version": "1", "Statement": statements})) is public


def test_action_and_resource_do_not_matter() -> None:
    """The page says so of both, even of an action that gives nothing away."""
    assert _public(Action=["oss:GetBucketLocation"], Resource=["acs:oss:*:*:b"])


@pytest.mark.parametrize("effect", ["allow", "ALLOW", "deny", "", None, ...])
def test_unknown_effect(effect: Any) -> None:
    """Only what is exactly Deny denies."""
    assert _public(Effect=effect)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        '{"Statement": 7}',
        '{"Statement": [7]}',
        '{"Version": "1", "Statement": [{"Effect": "Deny", "Effect": "Allow", "Principal": "1"}]}',
        '{"Statement": [], "Statement": [{"Effect": "Deny"}]}',
        "[" * 100_000,
    ],
)
def test_what_cannot_be_understood_is_public(text: str) -> None:
    """No policy, or one that may be read in two ways, is never called not public."""
    assert public_policy(text)


def test_no_policy() -> None:
    """A bucket without a policy is not public by policy."""
    assert not public_policy(None)


def test_one_statement_without_a_list() -> None:
    """A single statement may stand without a list around it."""
    assert public_policy(json.dumps({"Version": "1", "Statement": _statement()}))
    assert not public_policy(json.dumps({"Version": "1", "Statement": _statement(Principal="1")}))
