"""Who gets in by a bucket policy: the service's published definition of public, as one pure function.

The one place that decides whether anyone can get in: for repairs, their notes on other paths, undo, simulate. The
definition is the one that Block Public Access and GetBucketPolicyStatus decide by:

* "Block Public Access", https://www.alibabacloud.com/help/en/oss/user-guide/block-public-access
* "Policy syntax and elements",
  https://www.alibabacloud.com/help/en/oss/user-guide/authorization-syntax-and-elements

Where the two pages say nothing, a grant that is not provably restricted is public, and a statement of another form than
theirs is `UNCLEAR`: never called compliant, never rewritten, always left to a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from consumer.core.errors import Refused
from consumer.core.printable import quoted
from consumer.resources.addresses import are_narrow
from consumer.resources.oss.policy_document import parsed
from consumer.resources.oss.wildcards import has_wildcard

EVERYONE = "*"

_ELEMENTS = frozenset(
    {"Effect", "Action", "NotAction", "Principal", "NotPrincipal", "Resource", "NotResource", "Condition", "Sid"}
)
_FIXED_PRINCIPAL = re.compile(
    r"[0-9]{1,32}|(?:acs|arn|arn:acs):(?:ram|sts)::[0-9]{1,32}:(?:root|(?:user|role|assumed-role)/[\w.@/=+,-]+)",
    re.ASCII,
)
"""An account's or a user's id, or the ARN of one user or role."""

_FIXED_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
"""A network's or a key's id as the service gives them; anything else may be read as a pattern or a list."""

_NETWORK_KEYS = frozenset({"acs:SourceVpc", "acs:SourceVpcId", "acs:AccessId"})
_SOURCE_IP = "acs:SourceIp"
_VPC_IP = "acs:SourceVpcIp"
_TEXT_OPERATORS = frozenset({"StringEquals", "StringLike"})
_ADDRESS_OPERATOR = "IpAddress"
_MOST_LISTED = 5


class Admits(StrEnum):
    """Whom one statement lets in."""

    NOBODY = "nobody"
    """It denies."""
    NAMED = "named"
    """Accounts, users and roles that it names."""
    RESTRICTED = "restricted"
    """Everyone, written as documented, but only from networks, addresses or with keys of a condition: not public."""
    EVERYONE = "everyone"
    """Public."""
    UNCLEAR = "unclear"
    """It has another form than the service documents."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one statement means."""

    admits: Admits
    doubt: str = ""
    """Why it is unclear, for a person."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as it stands in the policy, and what it means."""

    raw: Any
    reading: Meaning

    @property
    def admits(self) -> Admits:
        """Whom it lets in."""
        return self.reading.admits


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that could be read."""

    document: Mapping[str, Any]
    statements: tuple[Statement, ...]
    doubt: str = ""
    """What is unlike the documented form around the statements; empty when nothing is."""

    @property
    def doubts(self) -> str:
        """What in it is not understood, for a person; empty when all of it is."""
        unclear = [
            f"statement {number}: {each.reading.doubt}"
            for number, each in enumerate(self.statements, 1)
            if each.admits is Admits.UNCLEAR
        ]
        return some([*filter(None, [self.doubt]), *unclear], "; ")

    @property
    def public(self) -> tuple[int, ...]:
        """The numbers, from 1, of the statements that let everyone in."""
        return tuple(number for number, each in enumerate(self.statements, 1) if each.admits is Admits.EVERYONE)


def some(texts: Sequence[str], between: str) -> str:
    """The first of several texts, and how many more there are: whoever writes a policy decides how many."""
    shown = between.join(texts[:_MOST_LISTED])
    return shown if len(texts) <= _MOST_LISTED else f"{shown}{between}and {len(texts) - _MOST_LISTED} more"


def read(text: str) -> Policy:
    """The policy with the meaning of each statement.

    Raises:
        Refused: its text cannot be read without guessing.
    """
    document = parsed(text)
    found = document.get("Statement", [])
    statements = tuple(Statement(raw, reading(raw)) for raw in _listed(found))
    return Policy(document, statements, _doubt_about(document))


def admits_everyone(policy: str | None) -> bool:
    """Whether the policy may let anyone at all in: what cannot be understood counts as if it did."""
    if policy is None:
        return False
    try:
        found = read(policy)
    except Refused:
        return True
    return bool(found.public or found.doubts)


def opens(before: str | None, after: str | None) -> bool:
    """Whether the second policy may let anyone in and the first does not: what undo has to ask about first."""
    return admits_everyone(after) and not admits_everyone(before)


def reading(statement: object) -> Meaning:
    """Whom a statement lets in: the table of "Block Public Access".

    Action and Resource do not matter, and a Deny never makes a policy public.
    """
    if not isinstance(statement, dict):
        return Meaning(Admits.UNCLEAR, f"{quoted(statement)} is not an object")
    if doubt := _doubt_of(statement):
        return Meaning(Admits.UNCLEAR, doubt)
    if statement["Effect"] == "Deny":
        return Meaning(Admits.NOBODY)
    if _names_everyone(statement):
        restricted = _is_restricted(statement) and _has_documented_principal(statement)
        return Meaning(Admits.RESTRICTED if restricted else Admits.EVERYONE)
    if unknown := [each for each in named(statement) if not is_fixed(each)]:
        return Meaning(Admits.UNCLEAR, f"Principal {quoted(unknown[0])} is neither an id nor the ARN of a user or role")
    return Meaning(Admits.NAMED)


def is_fixed(principal: str) -> bool:
    """Whether a principal is an id or the ARN of one user or role: somebody, not a pattern."""
    return bool(_FIXED_PRINCIPAL.fullmatch(principal))


def named(statement: Mapping[str, Any]) -> list[str]:
    """Whom a statement names beside everyone: every principal that is not a pattern, known form or not."""
    return [each for each in _listed(statement.get("Principal")) if _is_text(each) and not has_wildcard(each)]


def needs_vpc(statement: object) -> bool:
    """Whether the service may refuse to take the statement, for `acs:SourceIp` without a condition on the VPC.

    Any operator satisfies it: the page on EC 0030-00000008 advises StringNotLike for public addresses.
    https://www.alibabacloud.com/help/en/oss/user-guide/0030-00000008
    """
    keys = {key for _, key, _ in _tests(statement.get("Condition"))} if isinstance(statement, dict) else set()
    return _SOURCE_IP in keys and "acs:SourceVpc" not in keys


def _names_everyone(statement: Mapping[str, Any]) -> bool:
    """Whether a principal is anything but fixed texts.

    An empty list equals `["*"]` ("Policy syntax and elements"). NotPrincipal names nearly everyone.
    """
    principals = _listed(statement.get("Principal"))
    return "NotPrincipal" in statement or not principals or len(named(statement)) < len(principals)


def _has_documented_principal(statement: Mapping[str, Any]) -> bool:
    """Whether it is certain whom the statement's condition restricts: texts, or the empty list."""
    return "NotPrincipal" not in statement and all(map(_is_text, _listed(statement.get("Principal"))))


def _is_restricted(statement: Mapping[str, Any]) -> bool:
    """Whether one test narrows the callers; several are an "and", so one is enough."""
    return any(_narrows(*each) for each in _tests(statement.get("Condition")))


def _narrows(operator: str, key: str, values: Any) -> bool:
    """Whether a test lets only some networks, addresses or keys pass; its values are an "or", so each has to."""
    listed = _listed(values)
    if not listed or not all(map(_is_text, listed)):
        return False
    if key in _NETWORK_KEYS and operator in _TEXT_OPERATORS:
        return all(_FIXED_VALUE.fullmatch(each) for each in listed)
    if key == _SOURCE_IP:
        return operator == _ADDRESS_OPERATOR and are_narrow(listed)
    return key == _VPC_IP and operator in {_ADDRESS_OPERATOR, *_TEXT_OPERATORS} and are_narrow(listed)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _tests(condition: Any) -> Iterator[tuple[str, str, Any]]:
    """Operator, key and values of every test; what has another shape tests nothing."""
    for operator, keys in condition.items() if isinstance(condition, dict) else ():
        for key, values in keys.items() if isinstance(keys, dict) else ():
            yield operator, key, values


def _doubt_of(statement: Mapping[str, Any]) -> str:
    """What is unlike a statement of the documented form, its principals aside."""
    if unknown := sorted(statement.keys() - _ELEMENTS):
        return f"{quoted(unknown[0])} is no element of a statement"
    if statement.get("Effect") not in ("Allow", "Deny"):
        return f"Effect is {quoted(statement.get('Effect'))}, neither Allow nor Deny"
    return ""


def _doubt_about(document: Mapping[str, Any]) -> str:
    """What is unlike a policy of the documented form, its statements aside."""
    if unknown := sorted(document.keys() - {"Version", "Statement"}):
        return f"{quoted(unknown[0])} is no element of a policy"
    if document.get("Version") != "1":
        return f"Version is {quoted(document.get('Version'))}, not '1'"
    found = document.get("Statement")
    if not isinstance(found, list):
        return "Statement is no list"
    return "" if found else "Statement is empty"
