"""Whether anybody at all can read or write a bucket, by its ACL or by its policy.

Pure: reads values, asks nobody. The meaning of public is that of GetBucketPolicyStatus and Block Public Access:
https://www.alibabacloud.com/help/en/oss/user-guide/block-public-access . A statement that is restricted to
addresses, networks or accounts is not public; a restriction to the protocol alone (SecureTransport) still is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import ip_network
from typing import Any

from emulator.oss.bucket import Bucket

_READS = ("oss:GetObject", "oss:ListObjects", "oss:GetBucket", "oss:GetObjectAcl")
_WRITES = ("oss:PutObject", "oss:DeleteObject", "oss:AbortMultipartUpload", "oss:PutObjectAcl", "oss:PutBucketAcl")
_RESTRICTING_KEYS = frozenset(
    {"acs:sourceip", "acs:sourcevpc", "acs:sourcevpcid", "acs:vpcsourceip", "acs:accessid", "acs:principalarn",
     "acs:sourcevpcendpoint", "oss:accesspointnetworkorigin", "acs:principaluserid"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Anyone:
    """What everybody may do, without credentials."""

    read: bool = False
    write: bool = False

    def __or__(self, other: Anyone) -> Anyone:
        return Anyone(self.read or other.read, self.write or other.write)

    def __bool__(self) -> bool:
        return self.read or self.write


NOBODY = Anyone()


def by_acl(acl: str) -> Anyone:
    """What an ACL lets everybody do."""
    return Anyone(acl in ("public-read", "public-read-write"), acl == "public-read-write")


def by_policy(policy: str | None) -> Anyone:
    """What a bucket policy lets everybody do, its Deny statements considered."""
    if policy is None:
        return NOBODY
    statements = list(_statements(policy))
    return Anyone(
        any(allows(statements, action, None) for action in _READS),
        any(allows(statements, action, None) for action in _WRITES),
    )


def public_policy(policy: str | None) -> bool:
    """Whether the policy is public: some statement allows everybody something, without restriction."""
    if policy is None:
        return False
    return any(
        statement.get("Effect") == "Allow" and _names_everybody(statement) and not _restricted(statement)
        for statement in _statements(policy)
    )


def anyone(bucket: Bucket, *, account_blocks: bool = False) -> Anyone:
    """What everybody may do with a bucket now; `account_blocks` is the account's Block Public Access."""
    if account_blocks or bucket.public_access_block:
        return NOBODY
    return by_acl(bucket.acl) | by_policy(bucket.policy)


def policy_allows(policy: str | None, action: str, account_id: str | None) -> bool:
    """Whether a policy lets an account (None: anybody) do one action."""
    return policy is not None and allows(list(_statements(policy)), action, account_id)


def allows(statements: list[dict[str, Any]], action: str, account_id: str | None) -> bool:
    """Whether some Allow reaches the caller without restriction, and no unconditional Deny does."""
    reached = [s for s in statements if _reaches(s, account_id) and _covers(s, action)]
    if any(s.get("Effect") == "Deny" and not s.get("Condition") for s in reached):
        return False
    return any(s.get("Effect") == "Allow" and not _restricted(s) for s in reached)


def _statements(policy: str) -> Iterable[dict[str, Any]]:
    try:
        document = json.loads(policy)
    except ValueError:
        return ()
    found = document.get("Statement", ()) if isinstance(document, dict) else ()
    return [statement for statement in _listed(found) if isinstance(statement, dict)]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _names_everybody(statement: dict[str, Any]) -> bool:
    # The service counts a statement that names no principal at all as public too.
    if "NotPrincipal" in statement or "Principal" not in statement:
        return True
    return "*" in _listed(statement["Principal"])


def _reaches(statement: dict[str, Any], account_id: str | None) -> bool:
    if _names_everybody(statement):
        return True
    return account_id is not None and account_id in _listed(statement.get("Principal", ()))


def _covers(statement: dict[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not _matches(action, statement["NotAction"])
    return _matches(action, statement.get("Action", ()))


def _matches(action: str, patterns: Any) -> bool:
    return any(fnmatchcase(action.lower(), str(pattern).lower()) for pattern in _listed(patterns))


def _restricted(statement: dict[str, Any]) -> bool:
    """Whether the statement's conditions narrow the callers to some that are not everybody."""
    conditions = statement.get("Condition")
    if not isinstance(conditions, dict):
        return False
    return any(
        key.lower() in _RESTRICTING_KEYS and "not" not in operator.lower() and not _any_address(values)
        for operator, keys in conditions.items()
        if isinstance(keys, dict)
        for key, values in keys.items()
    )


def _any_address(values: Any) -> bool:
    return any(_is_everything(str(value)) for value in _listed(values))


def _is_everything(value: str) -> bool:
    if value in ("*", ""):
        return True
    try:
        return ip_network(value, strict=False).prefixlen == 0
    except ValueError:
        return False
