"""Whether a bucket policy lets anyone in, by the service's own definition, written from its pages.

"Block Public Access" and "Policy syntax and elements" of the OSS documentation, as read in November 2026: a policy is
public if one Allow statement is; such a statement is not public if every principal is fixed, or if one condition binds
the caller to fixed networks or keys. What the pages do not settle counts as public.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Sequence
from typing import Any

_FIXED_KEYS = frozenset({"acs:SourceVpc", "acs:SourceVpcId", "acs:SourceVpcIp", "acs:AccessId"})
_FIXED_OPERATORS = frozenset({"StringEquals", "StringLike", "IpAddress"})
_SHORTEST_PREFIX = {4: 8, 6: 32}


def is_public(policy: str | None) -> bool:
    """Whether a stored policy lets anyone in; one that cannot be read might."""
    if policy is None:
        return False
    try:
        found = list(statements(policy))
    except (ValueError, RecursionError):
        return True
    return any(_lets_anyone_in(statement) for statement in found)


def statements(policy: str) -> Iterator[dict[str, Any]]:
    """The statements of a policy document.

    Raises:
        ValueError: it is not of the documented form, or a key stands in it twice.
    """
    document = json.loads(policy, object_pairs_hook=_object)
    found = document.get("Statement") if isinstance(document, dict) else None
    listed = [found] if isinstance(found, dict) else found
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise ValueError("not a policy document")
    yield from listed


def names_everyone(statement: dict[str, Any]) -> bool:
    """Whether the principal is everyone: `*`, or an empty list, which the page says is the same."""
    principal = statement.get("Principal")
    listed = principal if isinstance(principal, list) else [principal]
    return not listed or any(not isinstance(each, str) or each in ("*", "") for each in listed)


def _lets_anyone_in(statement: dict[str, Any]) -> bool:
    if statement.get("Effect") == "Deny":
        return False
    return not _principals_are_fixed(statement) and not _conditions_bind(statement.get("Condition"))


def _principals_are_fixed(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    listed = principal if isinstance(principal, list) else [principal]
    return bool(listed) and all(isinstance(each, str) and each and "*" not in each for each in listed)


def _conditions_bind(condition: object) -> bool:
    """Conditions are an "and": one that binds is enough; the values of one are an "or": each has to bind."""
    if not isinstance(condition, dict):
        return False
    return any(
        _binds(operator, key, value if isinstance(value, list) else [value])
        for operator, test in condition.items()
        if operator in _FIXED_OPERATORS and isinstance(test, dict)
        for key, value in test.items()
    )


def _binds(operator: str, key: str, values: Sequence[object]) -> bool:
    if not values:
        return False
    if key == "acs:SourceIp":
        return operator == "IpAddress" and all(_is_narrow(value) for value in values)
    return key in _FIXED_KEYS and all(
        isinstance(value, str) and value and not set(value) & set("*? ,") for value in values
    )


def _is_narrow(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _SHORTEST_PREFIX[network.version]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
