"""What an ACL and a bucket policy let a caller do who is not the bucket's owner. Pure.

Conditions are not evaluated: a statement that is restricted by one grants nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from emulator.oss.public_policy import Unreadable, restricted, statements


@dataclass(frozen=True, slots=True)
class Anyone:
    """What everybody may do, without credentials."""

    read: bool = False
    write: bool = False


def by_acl(acl: str) -> Anyone:
    """What an ACL lets everybody do."""
    return Anyone(acl in ("public-read", "public-read-write"), acl == "public-read-write")


def by_policy(policy: str | None, action: str, account_id: str | None) -> bool:
    """Whether a policy lets an account (None: anybody) do one action."""
    if policy is None:
        return False
    try:
        reached = [s for s in statements(policy) if _reaches(s, account_id) and _covers(s, action)]
    except Unreadable:
        return False
    if any(statement.get("Effect") == "Deny" and not statement.get("Condition") for statement in reached):
        return False
    return any(statement.get("Effect") == "Allow" and not restricted(statement) for statement in reached)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _reaches(statement: dict[str, Any], account_id: str | None) -> bool:
    """Nobody named and an empty list reach everybody, as the policy status counts them."""
    if "NotPrincipal" in statement:
        return account_id not in _listed(statement["NotPrincipal"])
    if not statement.get("Principal"):
        return True
    named = _listed(statement["Principal"])
    return "*" in named or (account_id is not None and account_id in named)


def _covers(statement: dict[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not _matches(action, statement["NotAction"])
    return _matches(action, statement.get("Action", ()))


def _matches(action: str, patterns: Any) -> bool:
    return any(fnmatchcase(action.lower(), str(pattern).lower()) for pattern in _listed(patterns))
