"""How a statement is taken out of a bucket policy, or put into one. Pure.

Statements that nothing has to be done about are written as they were. Texts that leave this module are in the one
form that equal policies share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from consumer.resources.oss.policy import EVERYONE, Admits, Statement, named, needs_vpc, read
from consumer.resources.oss.policy_document import refused, written
from consumer.resources.oss.wildcards import covers_all_below, matches

_SECURE_TRANSPORT = "acs:SecureTransport"
_ANY_ACTION = "oss:"
"""Every action's name goes on after this."""


def without_everyone(policy: str, *, keep_restricted: bool, narrow_to: Sequence[str]) -> str | None:
    """The policy without what it allows everyone; the same text if it allows nothing, None if no statement is left.

    A statement that also names others keeps those; `narrow_to` takes the place of everyone where it is given. What is
    not understood stays as it is.

    Raises:
        Refused: the policy's text cannot be read.
    """
    found = read(policy)
    goes = {Admits.EVERYONE} if keep_restricted else {Admits.EVERYONE, Admits.RESTRICTED}
    kept: list[Any] = []
    for statement in found.statements:
        if statement.admits not in goes:
            kept.append(statement.raw)
        elif principals := _instead(statement.raw, narrow_to):
            kept.append({**statement.raw, "Principal": principals})
    if kept == [statement.raw for statement in found.statements]:
        return policy
    return written({**found.document, "Statement": kept}) if kept else None


def denies_plain_http(policy: str | None, bucket: str, owner_id: str) -> bool:
    """Whether statements provably deny everyone everything on the bucket and on every object without TLS."""
    found = None if policy is None else read(policy)
    if found is None or found.doubt:
        return False
    denials = [each.raw for each in found.statements if _denies_plain_http(each)]
    paths = [path for each in denials for path in _paths(each, owner_id)]
    return any(matches(path, bucket) for path in paths) and any(covers_all_below(path, f"{bucket}/") for path in paths)


def with_https_only(policy: str | None, bucket: str, owner_id: str) -> str:
    """The policy with one more statement, which denies everyone everything without TLS.

    Raises:
        Refused: the policy has another form than one to which a statement can be added.
    """
    resource = f"acs:oss:*:{owner_id}:{bucket}"
    statement = {
        "Effect": "Deny",
        "Action": ["oss:*"],
        "Principal": [EVERYONE],
        "Resource": [resource, f"{resource}/*"],
        "Condition": {"Bool": {_SECURE_TRANSPORT: ["false"]}},
    }
    if policy is None:
        return written({"Version": "1", "Statement": [statement]})
    found = read(policy)
    if found.document.keys() != {"Version", "Statement"} or found.document["Version"] != "1":
        raise refused(found.doubt)
    return written({**found.document, "Statement": [*(each.raw for each in found.statements), statement]})


def _instead(statement: Mapping[str, Any], narrow_to: Sequence[str]) -> list[str]:
    """Who keeps what a statement for everyone allows: the others it names, and who is to take everyone's place."""
    if "NotPrincipal" in statement or not isinstance(statement.get("Principal"), str | list | None):
        return []  # cannot be narrowed without guessing what was meant
    others = named(statement)
    # The service may refuse the narrower statement; then it is removed instead of replaced.
    return list(dict.fromkeys(others if needs_vpc(statement) else [*others, *narrow_to]))


def _denies_plain_http(statement: Statement) -> bool:
    raw = statement.raw
    return (
        statement.admits is Admits.NOBODY
        and not {"NotAction", "NotPrincipal", "NotResource"} & raw.keys()
        and EVERYONE in _texts(raw.get("Principal"))
        and any(covers_all_below(action, _ANY_ACTION) for action in _texts(raw.get("Action")))
        and raw.get("Condition") in ({"Bool": {_SECURE_TRANSPORT: value}} for value in ("false", ["false"]))
    )


def _paths(statement: Mapping[str, Any], owner_id: str) -> list[str]:
    """The patterns for `bucket` and `bucket/object` among the resources that hold in every region and for the owner.

    `acs:oss:{region}:{owner}:{path}`; the wildcards of one part are not taken to reach into the next.
    """
    found = []
    for resource in _texts(statement.get("Resource")):
        parts = resource.split(":", 4)
        if resource == EVERYONE:
            found.append(resource)
        elif len(parts) == 5 and parts[:3] == ["acs", "oss", EVERYONE] and parts[3] in (EVERYONE, owner_id):
            found.append(parts[4])
    return found


def _texts(value: Any) -> list[str]:
    """The texts of an element that holds one or a list of them; none where anything else is among them."""
    listed = value if isinstance(value, list) else [value]
    return listed if all(isinstance(each, str) for each in listed) else []
