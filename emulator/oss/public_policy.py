"""Whether a bucket policy is public, as Block Public Access and GetBucketPolicyStatus mean it. Pure.

The definition is that of the service's pages "Block Public Access" and "Policy syntax and elements":
https://www.alibabacloud.com/help/en/oss/user-guide/block-public-access . A policy is public if one Allow statement
is; Action and Resource do not matter. Where the pages are silent, nothing counts as restricted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network, ip_network
from typing import Any

_ACCOUNT_OR_USER = re.compile(r"[0-9]+")
_ROLE = re.compile(r"acs:ram::[0-9]+:role/[^*?\s]+|arn:sts::[0-9]+:assumed-role/[^*?\s]+")
_SHORTEST_MASK = {4: 8, 6: 32}


class Unreadable(ValueError):
    """The text is no policy, or can be read in more than one way."""


def public_policy(policy: str | None) -> bool:
    """Whether a policy's text is public; one that cannot be understood is."""
    if policy is None:
        return False
    try:
        return any(_public(statement) for statement in statements(policy))
    except Unreadable:
        return True


def statements(policy: str) -> list[dict[str, Any]]:
    """The statements of a policy's text; raises Unreadable, also for a key that is named twice."""
    try:
        document = json.loads(policy, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error
    found = document.get("Statement") if isinstance(document, dict) else None
    listed = [found] if isinstance(found, dict) else found
    if not isinstance(listed, list) or not all(isinstance(statement, dict) for statement in listed):
        raise Unreadable("there is no list of statements")
    return listed


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Unreadable("a key is named twice")
    return made


def _public(statement: dict[str, Any]) -> bool:
    """Deny never makes a policy public; whatever is not exactly Deny is taken for Allow."""
    return statement.get("Effect") != "Deny" and not (names_fixed_principals(statement) or restricted(statement))


def names_fixed_principals(statement: dict[str, Any]) -> bool:
    """Whether every principal is an account, a user or a role, without a wildcard; an empty list is everyone."""
    if "NotPrincipal" in statement or "Principal" not in statement:
        return False
    return _all(statement["Principal"], _fixed_principal)


def restricted(statement: dict[str, Any]) -> bool:
    """Whether one of the conditions narrows the callers; all conditions have to hold, so one is enough."""
    return any(
        operator in (judge := _RESTRICTING[key]) and _all(values, judge[operator])
        for operator, key, values in conditions(statement)
        if key in _RESTRICTING
    )


def conditions(statement: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Operator, key and values of every condition that has the documented form."""
    blocks = statement.get("Condition")
    for operator, keys in blocks.items() if isinstance(blocks, dict) else ():
        if isinstance(keys, dict):
            for key, values in keys.items():
                yield operator, key, values


def _all(values: Any, judge: Callable[[str], bool]) -> bool:
    """Several values are an "or", so each has to pass; no value at all is none that passes."""
    listed = values if isinstance(values, list) else [values]
    return bool(listed) and all(isinstance(value, str) and judge(value) for value in listed)


def _fixed_principal(value: str) -> bool:
    return bool(_ACCOUNT_OR_USER.fullmatch(value) or _ROLE.fullmatch(value))


def _fixed(value: str) -> bool:
    return bool(value.strip()) and "*" not in value and "?" not in value


def _narrow_range(value: str) -> bool:
    """IPv4 with a mask of /8 or longer, IPv6 with /32 or longer."""
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _SHORTEST_MASK[4 if isinstance(network, IPv4Network) else 6]


_Judge = Callable[[str], bool]
_FIXED_TEXT: dict[str, _Judge] = {"StringEquals": _fixed, "StringLike": _fixed}
_RESTRICTING: dict[str, dict[str, _Judge]] = {
    "acs:SourceVpc": _FIXED_TEXT,
    "acs:SourceVpcId": _FIXED_TEXT,
    "acs:SourceVpcIp": {**_FIXED_TEXT, "IpAddress": _narrow_range},
    "acs:AccessId": _FIXED_TEXT,
    "acs:SourceIp": {"IpAddress": _narrow_range},
}
"""By condition key: the operators that can narrow by it, and which values then do."""
