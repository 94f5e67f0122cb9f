"""By which paths anyone can reach a bucket: its ACL and its policy. Pure.

The account's own Block Public Access is not looked at, for it takes a permission on the whole account: where it is
on, a path that is named here is closed as well.
https://www.alibabacloud.com/help/en/oss/user-guide/block-public-access
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from consumer.core.errors import Refused
from consumer.resources.oss.policy import read
from consumer.resources.oss.policy_document import refused

PRIVATE = "private"
"""The only ACL that lets nobody in."""


class AccessPath(StrEnum):
    """What lets anyone in."""

    ACL = "ACL"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Exposure:
    """What would let anyone in, unless the bucket's Block Public Access closes it."""

    paths: tuple[AccessPath, ...]
    doubts: str = ""
    """What of the policy is not understood, for a person: it may let anyone in as well."""

    def __bool__(self) -> bool:
        """Whether it is anything but certain that nobody gets in."""
        return bool(self.paths or self.doubts)


def exposure(acl: str, policy: str | None) -> Exposure:
    """By what anyone gets in; an ACL that is not known to be private is taken for public."""
    paths = [] if acl == PRIVATE else [AccessPath.ACL]
    try:
        found = None if policy is None else read(policy)
    except Refused as error:
        return Exposure(tuple(paths), str(error))
    if found and found.public:
        paths.append(AccessPath.POLICY)
    return Exposure(tuple(paths), str(refused(found.doubts)) if found and found.doubts else "")
