"""Bucket policies as JSON text: whom they let in, and how a statement is taken out or put in. Pure.

Everything that is not understood is left exactly as it is. Texts that leave this module are canonical (sorted keys, no
spaces), so that equal policies are equal texts.

Policies: https://www.alibabacloud.com/help/en/oss/user-guide/bucket-policy
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from ipaddress import ip_network
from typing import Any

Statement = dict[str, Any]

_EVERYONE = "*"
_NARROWING_OPERATORS = frozenset(
    {"ipaddress", "stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"}
)
"""Only tests for a value narrow: negations and tests that pass when the key is absent let nearly everyone in."""
_CALLER_KEYS = frozenset(
    {
        "acs:sourceip",
        "acs:vpcsourceip",
        "acs:sourcevpc",
        "acs:sourcevpcid",
        "acs:sourcevpcendpoint",
        "acs:accessid",
        "acs:principalarn",
        "acs:principaluserid",
    }
)
"""Condition keys that say who or where the caller is; a condition on the protocol keeps nobody out."""
_SECURE_TRANSPORT = "acs:SecureTransport"


def canonical(policy: str | None) -> str | None:
    """The same policy in the one form that equal policies share."""
    return None if policy is None else _text(json.loads(policy))


def admits_everyone(policy: str | None) -> bool:
    """Whether some statement lets anyone at all in, from anywhere."""
    return policy is not None and any(
        grants_everyone(statement) and not is_restricted(statement) for statement in _statements(json.loads(policy))
    )


def grants_everyone(statement: Statement) -> bool:
    """Whether the statement allows something to everyone, its conditions aside."""
    if statement.get("Effect") != "Allow":
        return False
    # The service counts a statement that names nobody at all as public too, and NotPrincipal names nearly everyone.
    return "Principal" not in statement or _EVERYONE in _principals(statement["Principal"])


def is_restricted(statement: Statement) -> bool:
    """Whether a condition narrows the callers down to some networks, addresses or accounts."""
    return any(
        operator.lower() in _NARROWING_OPERATORS
        and key.lower() in _CALLER_KEYS
        and not any(_takes_all(value) for value in _listed(values))
        for operator, keys in _objects(statement.get("Condition"))
        for key, values in _objects(keys, of_any=True)
    )


def without_everyone(policy: str, *, keep_restricted: bool, narrow_to: Sequence[str]) -> str | None:
    """The policy without what it allows everyone; None when no statement is left.

    A statement that also names others keeps those; `narrow_to` takes the place of everyone where it is given.
    """
    document = json.loads(policy)
    kept: list[Any] = []
    for statement in _listed(document.get("Statement", [])):
        untouched = not isinstance(statement, dict) or not grants_everyone(statement)
        if untouched or (keep_restricted and is_restricted(statement)):
            kept.append(statement)
        elif principals := _narrowed(statement, narrow_to):
            kept.append({**statement, "Principal": principals})
    if kept == _listed(document.get("Statement", [])):
        return _text(document)
    return _text({**document, "Statement": kept}) if kept else None


def denies_plain_http(policy: str | None, bucket: str) -> bool:
    """Whether one statement denies everyone everything on the whole bucket without TLS."""
    if policy is None:
        return False
    return any(_denies_plain_http(statement, bucket) for statement in _statements(json.loads(policy)))


def with_https_only(policy: str | None, bucket: str, owner_id: str) -> str:
    """The policy with one more statement, which denies everyone everything without TLS."""
    document = {"Version": "1", "Statement": []} if policy is None else json.loads(policy)
    resource = f"acs:oss:*:{owner_id}:{bucket}"
    statement = {
        "Effect": "Deny",
        "Action": ["oss:*"],
        "Principal": [_EVERYONE],
        "Resource": [resource, f"{resource}/*"],
        "Condition": {"Bool": {_SECURE_TRANSPORT: ["false"]}},
    }
    return _text({**document, "Statement": [*_listed(document.get("Statement", [])), statement]})


def _denies_plain_http(statement: Statement, bucket: str) -> bool:
    return (
        statement.get("Effect") == "Deny"
        and _EVERYONE in _principals(statement.get("Principal"))
        and any(action in ("oss:*", "*") for action in _listed(statement.get("Action")))
        and all(_covers(statement, name) for name in (bucket, f"{bucket}/some/object"))
        and _only_condition_is_plain_http(statement.get("Condition"))
    )


def _only_condition_is_plain_http(condition: Any) -> bool:
    tests = [
        (operator, key, [str(value).lower() for value in _listed(values)])
        for operator, keys in _objects(condition)
        for key, values in _objects(keys, of_any=True)
    ]
    return tests == [("Bool", _SECURE_TRANSPORT, ["false"])]


def _covers(statement: Statement, name: str) -> bool:
    """Whether the resources name it: everything after the fifth colon of `acs:oss:*:*:bucket/object`."""
    patterns = [str(resource).split(":", 4)[-1] for resource in _listed(statement.get("Resource"))]
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _narrowed(statement: Statement, narrow_to: Sequence[str]) -> list[str]:
    if "NotPrincipal" in statement or isinstance(statement.get("Principal"), dict):
        return []  # cannot be narrowed without guessing what was meant
    others = [principal for principal in _principals(statement.get("Principal")) if principal != _EVERYONE]
    return list(dict.fromkeys([*others, *narrow_to]))


def _statements(document: Any) -> Iterator[Statement]:
    found = document.get("Statement", []) if isinstance(document, dict) else []
    return (statement for statement in _listed(found) if isinstance(statement, dict))


def _principals(value: Any) -> list[str]:
    """Every principal that is named: a text, a list, or an object of lists by kind."""
    if isinstance(value, dict):
        return [principal for kind in value.values() for principal in _principals(kind)]
    return [principal for principal in _listed(value) if isinstance(principal, str)]


def _objects(value: Any, *, of_any: bool = False) -> Iterator[tuple[str, Any]]:
    """The entries of an object whose values are objects, or anything."""
    entries = value.items() if isinstance(value, dict) else ()
    return ((str(key), inner) for key, inner in entries if of_any or isinstance(inner, dict))


def _takes_all(value: Any) -> bool:
    text = str(value)
    if not text.strip("*"):
        return True
    try:
        return ip_network(text, strict=False).prefixlen == 0
    except ValueError:
        return False


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(document: Any) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
