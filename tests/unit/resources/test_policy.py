"""The published definition of a public policy, row by row: who gets in by a statement.

The rows are those of "Block Public Access" (https://www.alibabacloud.com/help/en/oss/user-guide/block-public-access)
and "Policy syntax and elements"; rows that neither page has say what is done instead of guessing.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumer.core.printable import quoted
from consumer.resources.oss.policy import Admits, Meaning, admits_everyone, needs_vpc, opens, read, reading
from tests.ids import ascii_id

ALLOW: dict[str, Any] = {"Effect": "Allow", "Action": ["oss:GetObject"], "Resource": ["acs:oss:*:*:photos/*"]}
EVERYONE = {**ALLOW, "Principal": ["*"]}
PARTNER = {**ALLOW, "Principal": ["1111111111111111"]}


def policy(*statements: object, **document: object) -> str:
    return json.dumps({"Version": "1", "Statement": list(statements), **document})


FIXED = [
    "1111111111111111",
    ["1111111111111111"],
    ["1111111111111111", "2222222222222222"],
    ["arn:sts::1234567890123456:assumed-role/reader/session-1"],
    ["acs:ram::1234567890123456:role/reader"],
    ["acs:ram::1234567890123456:user/alice@example.com"],
]

ANYONE: list[Any] = [
    "*",
    ["*"],
    [],
    None,
    "",
    [""],
    [" "],
    {},
    {"RAM": ["1111111111111111"]},
    {"RAM": ["*"]},
    ["1111111111111111", "*"],
    ["**"],
    ["1234*"],
    ["*1111111111111111"],
    ["111111111111111?"],
    ["arn:sts::*:assumed-role/*/*"],
    ["arn:sts::1234567890123456:assumed-role/reader/*"],
    [None],
    [["1111111111111111"]],
    [1111111111111111],
    1111111111111111,
    True,
    [{}],
]


def _is_documented(principal: object) -> bool:
    listed = principal if isinstance(principal, list) else [principal]
    return all(isinstance(each, str) and each.strip() for each in listed)


@pytest.mark.parametrize("principal", FIXED, ids=ascii_id)
def test_fixed_principals_are_not_public(principal: object) -> None:
    """An account's or a user's id, the ARN of a user, a role or an assumed role, without any wildcard."""
    assert reading({**ALLOW, "Principal": principal}).admits is Admits.NAMED


@pytest.mark.parametrize("principal", ANYONE, ids=ascii_id)
def test_every_other_principal_is_everyone(principal: object) -> None:
    """An empty list equals `["*"]` by the page; a wildcard is not fixed; null, blanks and shapes are undocumented."""
    assert reading({**ALLOW, "Principal": principal}).admits is Admits.EVERYONE


@pytest.mark.parametrize(
    "principal", [principal for principal in ANYONE if not _is_documented(principal)], ids=ascii_id
)
def test_no_condition_restricts_a_principal_of_unknown_form(principal: object) -> None:
    """null, blanks and other shapes are never called closed; a list of texts is, and so is the empty one."""
    condition = {"StringEquals": {"acs:SourceVpc": "vpc-1"}}

    assert reading({**ALLOW, "Principal": principal, "Condition": condition}).admits is Admits.EVERYONE
    assert reading({**ALLOW, "Condition": condition}).admits is Admits.EVERYONE
    assert reading({**ALLOW, "NotPrincipal": ["1"], "Condition": condition}).admits is Admits.EVERYONE
    assert reading({**PARTNER, "NotPrincipal": ["1"], "Condition": condition}).admits is Admits.EVERYONE
    assert reading({**EVERYONE, "NotPrincipal": ["1"], "Condition": condition}).admits is Admits.EVERYONE
    assert reading({**ALLOW, "Principal": [], "Condition": condition}).admits is Admits.RESTRICTED


def test_a_statement_without_a_principal_is_public() -> None:
    """Naming nobody, and naming nearly everyone, NotPrincipal beside a fixed Principal included."""
    assert reading(ALLOW).admits is Admits.EVERYONE
    assert reading({**ALLOW, "NotPrincipal": ["1111111111111111"]}).admits is Admits.EVERYONE
    assert reading({**PARTNER, "NotPrincipal": ["1111111111111111"]}).admits is Admits.EVERYONE


@pytest.mark.parametrize(
    "principal",
    [
        "alice",
        ["anonymous"],
        ["\uff11\uff12\uff13\uff14"],
        ["\uff0a"],
        [" 1111111111111111"],
        ["1111111111111111,2222222222222222"],
        ["acs:ram::1:group/all"],
        ["acs:ram:::role/reader"],
        ["1111111111111111\n"],
    ],
    ids=ascii_id,
)
def test_a_principal_of_no_known_form_is_unclear(principal: object) -> None:
    """It may be somebody's grant, so it is not taken away; it is not known to be one, so it is no compliance."""
    found = reading({**ALLOW, "Principal": principal})

    first = principal[0] if isinstance(principal, list) else principal
    doubt = f"Principal {quoted(first)} is neither an id nor the ARN of a user or role"
    assert found == Meaning(Admits.UNCLEAR, doubt)


RESTRICTING: list[dict[str, Any]] = [
    {"StringEquals": {"acs:SourceVpc": ["vpc-t4nlw426y44rd3iq4xxxx"]}},
    {"StringEquals": {"acs:SourceVpc": "vpc-1"}},
    {"StringLike": {"acs:SourceVpc": ["vpc-1", "vpc-2"]}},
    {"StringEquals": {"acs:SourceVpcId": ["vpc-1"]}},
    {"StringEquals": {"acs:AccessId": ["LTAI5tXxxXxxXxx"]}},
    {"IpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}},
    {"IpAddress": {"acs:SourceIp": "203.0.113.7"}},
    {"IpAddress": {"acs:SourceIp": ["10.0.0.0/8", "2001:db8::/32"]}},
    {"IpAddress": {"acs:SourceIp": ["2408:4005::/32", "::ffff:203.0.113.7"]}},
    {"IpAddress": {"acs:SourceVpcIp": ["192.168.0.0/16"]}},
    {"StringEquals": {"acs:SourceVpcIp": ["192.168.0.1"]}},
    {"Bool": {"acs:SecureTransport": "true"}, "IpAddress": {"acs:SourceIp": "203.0.113.7"}},
    {"IpAddress": {"acs:SourceIp": ["0.0.0.0/0"]}, "StringEquals": {"acs:SourceVpc": ["vpc-1"]}},
    {"IpAddress": {"acs:SourceIp": ["140.205.0.0/16"]}, "StringNotLike": {"acs:SourceVpc": "vpc-*"}},
]

NOT_RESTRICTING: list[Any] = [
    {},
    None,
    "odd",
    [],
    {"IpAddress": "odd"},
    {"IpAddress": {"acs:SourceIp": ["0.0.0.0/0"]}},
    {"IpAddress": {"acs:SourceIp": ["8.0.0.0/7"]}},
    {"IpAddress": {"acs:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}},
    {"IpAddress": {"acs:SourceIp": ["203.0.113.7", "0.0.0.0/0"]}},
    {"IpAddress": {"acs:SourceIp": ["::/0"]}},
    {"IpAddress": {"acs:SourceIp": ["2000::/3"]}},
    {"IpAddress": {"acs:SourceIp": ["2408::/31"]}},
    {"IpAddress": {"acs:SourceIp": ["::ffff:0:0/96"]}},
    {"IpAddress": {"acs:SourceIp": []}},
    {"IpAddress": {"acs:SourceIp": [""]}},
    {"IpAddress": {"acs:SourceIp": ["*"]}},
    {"IpAddress": {"acs:SourceIp": ["10.*"]}},
    {"IpAddress": {"acs:SourceIp": ["10.0.0.0/8,0.0.0.0/0"]}},
    {"IpAddress": {"acs:SourceIp": ["10.0.0.0/8 0.0.0.0/0"]}},
    {"IpAddress": {"acs:SourceIp": [" 10.0.0.0/8"]}},
    {"IpAddress": {"acs:SourceIp": ["10.0.0.0/8\n"]}},
    {"IpAddress": {"acs:SourceIp": [None]}},
    {"IpAddress": {"acs:SourceIp": [167772161]}},
    {"IpAddress": {"acs:SourceIp": {"": "10.0.0.0/8"}}},
    {"StringEquals": {"acs:SourceIp": ["10.0.0.0/8"]}},
    {"StringLike": {"acs:SourceIp": ["10.0.0.1"]}},
    {"StringLike": {"acs:SourceVpc": ["*"]}},
    {"StringLike": {"acs:SourceVpc": ["vpc-*"]}},
    {"StringEquals": {"acs:SourceVpc": ["vpc-*"]}},
    {"StringLike": {"acs:SourceVpc": ["vpc-?"]}},
    {"StringLike": {"acs:SourceVpc": ["vpc-1", "*"]}},
    {"StringLike": {"acs:SourceVpcId": ["vpc-*"]}},
    {"StringLike": {"acs:AccessId": ["LTAI*"]}},
    {"StringEquals": {"acs:SourceVpc": []}},
    {"StringEquals": {"acs:SourceVpc": [""]}},
    {"StringEquals": {"acs:SourceVpc": ["vpc-1, vpc-2"]}},
    {"StringEquals": {"acs:SourceVpc": ["${acs:SourceVpc}"]}},
    {"StringEquals": {"acs:SourceVpc": [1]}},
    {"StringEquals": {"acs:SourceVpc": [None]}},
    {"IpAddress": {"acs:SourceVpc": ["vpc-1"]}},
    {"IpAddress": {"acs:SourceVpcIp": ["0.0.0.0/0"]}},
    {"StringLike": {"acs:SourceVpcIp": ["192.168.*"]}},
    {"Bool": {"acs:SecureTransport": "true"}},
    {"StringLike": {"acs:Referer": ["https://example.com"]}},
    {"StringLike": {"acs:UserAgent": ["curl/8"]}},
    {"DateLessThan": {"acs:CurrentTime": "2030-01-01T00:00:00Z"}},
    {"StringLike": {"oss:Prefix": ["public/"]}},
    {"NumericLessThan": {"oss:MaxKeys": "10"}},
    {"NotIpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}},
    {"StringNotLike": {"acs:SourceVpc": ["vpc-1"]}},
    {"StringNotEquals": {"acs:SourceVpc": ["vpc-1"]}},
    {"StringEqualsIfExists": {"acs:SourceVpc": "vpc-1"}},
    {"IpAddressIfExists": {"acs:SourceIp": ["203.0.113.7"]}},
    {"ForAllValues:StringEquals": {"acs:SourceVpc": ["vpc-1"]}},
    {"ipaddress": {"acs:SourceIp": ["203.0.113.7"]}},
    {"IpAddress": {"ACS:SourceIp": ["203.0.113.7"]}},
    {"IpAddress": {"acs:sourceip": ["203.0.113.7"]}},
    {"Null": {"acs:SourceVpc": "false"}},
    {"Guess": {"acs:SourceVpc": "vpc-1"}},
]


@pytest.mark.parametrize("condition", RESTRICTING, ids=ascii_id)
def test_one_restricting_test_is_enough(condition: dict[str, Any]) -> None:
    """Several tests are an "and": everyone, but from there only."""
    assert reading({**EVERYONE, "Condition": condition}).admits is Admits.RESTRICTED


@pytest.mark.parametrize("condition", NOT_RESTRICTING, ids=ascii_id)
def test_every_other_condition_keeps_nobody_out(condition: object) -> None:
    """Not a wide range, not a wildcard, not a negation, not a guess at what a form could mean."""
    assert reading({**EVERYONE, "Condition": condition}).admits is Admits.EVERYONE
    assert reading({**PARTNER, "Condition": condition}).admits is Admits.NAMED


def test_action_and_resource_do_not_matter() -> None:
    """By the page's own note."""
    for changed in ({"Action": []}, {"Resource": "acs:oss:*:*:other"}, {"NotAction": ["oss:*"]}, {"Sid": "Deny"}):
        assert reading({**EVERYONE, **changed}).admits is Admits.EVERYONE


def test_a_denial_lets_nobody_in() -> None:
    """Whatever else is in it."""
    assert reading({**EVERYONE, "Effect": "Deny"}).admits is Admits.NOBODY
    assert not admits_everyone(policy({**EVERYONE, "Effect": "Deny"}))


@pytest.mark.parametrize(
    ("statement", "doubt"),
    [
        ({**EVERYONE, "Effect": "allow"}, "Effect is 'allow', neither Allow nor Deny"),
        ({**PARTNER, "Effect": "allow"}, "Effect is 'allow', neither Allow nor Deny"),
        ({**PARTNER, "Effect": "deny"}, "Effect is 'deny', neither Allow nor Deny"),
        ({**PARTNER, "Effect": ["Deny"]}, "Effect is ['Deny'], neither Allow nor Deny"),
        ({**PARTNER, "Effect": None}, "Effect is None, neither Allow nor Deny"),
        ({"Principal": ["*"]}, "Effect is None, neither Allow nor Deny"),
        ({**ALLOW, "principal": ["1111111111111111"]}, "'principal' is no element of a statement"),
        ({**PARTNER, "PRINCIPAL": ["*"]}, "'PRINCIPAL' is no element of a statement"),
        ({**PARTNER, "effect": "Allow"}, "'effect' is no element of a statement"),
        (
            {**EVERYONE, "condition": {"IpAddress": {"acs:SourceIp": ["203.0.113.7"]}}},
            "'condition' is no element of a statement",
        ),
        ({**EVERYONE, "Effect": "Deny", "Extra": 1}, "'Extra' is no element of a statement"),
        ("odd", "'odd' is not an object"),
        (None, "None is not an object"),
        ([EVERYONE], f"{quoted([EVERYONE])} is not an object"),
    ],
    ids=ascii_id,
)
def test_a_statement_of_another_form_is_unclear(statement: object, doubt: str) -> None:
    """Keys and values in other case, unknown elements, no statement at all."""
    found = reading(statement)

    assert found == Meaning(Admits.UNCLEAR, doubt)
    assert admits_everyone(policy(statement))


@pytest.mark.parametrize(
    ("text", "doubts"),
    [
        ("{}", "Version is None, not '1'"),
        ('{"Version":"1"}', "Statement is no list"),
        ('{"Version":"1","Statement":[]}', "Statement is empty"),
        ('{"Version":"1","Statement":null}', "Statement is no list; statement 1: None is not an object"),
        (policy(PARTNER, Version=1), "Version is 1, not '1'"),
        (policy(PARTNER, Version="2"), "Version is '2', not '1'"),
        (policy(PARTNER, statement=[]), "'statement' is no element of a policy"),
        (policy(PARTNER, Id="x"), "'Id' is no element of a policy"),
        (json.dumps({"Statement": [PARTNER]}), "Version is None, not '1'"),
        (json.dumps({"version": "1", "statement": [PARTNER]}), "'statement' is no element of a policy"),
        (json.dumps({"Version": "1", "Statement": PARTNER}), "Statement is no list"),
    ],
)
def test_a_policy_of_another_form_is_doubted(text: str, doubts: str) -> None:
    """What stands around the statements has a form as well; nothing else is taken for it."""
    assert read(text).doubts == doubts
    assert admits_everyone(text)


def test_the_single_statement_of_a_policy_is_read() -> None:
    """An object in the place of the list is not documented, but a grant in it is not overlooked."""
    assert read(json.dumps({"Version": "1", "Statement": EVERYONE})).public == (1,)


def test_doubts_name_the_statement() -> None:
    """Numbers from one, as a person counts."""
    found = read(policy(PARTNER, "odd", EVERYONE))

    assert found.public == (3,)
    assert found.doubts == "statement 2: 'odd' is not an object"


def test_doubts_are_few_however_many_there_are() -> None:
    """The text stands in logs and dead letters, and whoever owns a bucket decides how long its policy is."""
    doubts = read(policy(*["x" * 1000] * 50)).doubts

    assert len(doubts) < 500
    assert doubts.endswith("; and 45 more")
    assert read(policy(*["x"] * 5)).doubts.endswith("; statement 5: 'x' is not an object")


def test_what_undo_has_to_ask_about() -> None:
    """Only from closed to open: an open policy is not opened again."""
    closed, public = policy(PARTNER), policy(EVERYONE)

    assert opens(closed, public)
    assert opens(None, public)
    assert opens(closed, policy("odd")), "not known to be closed"
    assert not opens(public, public)
    assert not opens(public, None)
    assert not opens(public, closed)


@pytest.mark.parametrize(
    ("condition", "refused"),
    [
        ({"IpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}}, True),
        ({"NotIpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}}, True),
        ({"IpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}, "StringNotLike": {"acs:SourceVpc": "vpc-*"}}, False),
        ({"IpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}, "StringEquals": {"acs:SourceVpc": "vpc-1"}}, False),
        ({"StringEquals": {"acs:SourceVpc": "vpc-1"}}, False),
        ({}, False),
    ],
)
def test_addresses_need_a_network_to_be_written(condition: dict[str, Any], refused: bool) -> None:
    """EC 0030-00000008; the page's own examples satisfy it by StringNotLike and by StringEquals."""
    assert needs_vpc({**EVERYONE, "Condition": condition}) is refused
    assert needs_vpc({**EVERYONE, "Effect": "Deny", "Condition": condition}) is refused


def test_what_is_no_statement_needs_no_network() -> None:
    """It is nobody's to write again."""
    assert not needs_vpc("odd")
