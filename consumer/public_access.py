"""By which paths anyone can reach a bucket: its ACL, its policy, and what Block Public Access makes of them. Pure.

The account's own Block Public Access is not looked at, for it takes a permission on the whole account: where it is
on, a path that is named here is closed as well.
https://www.alibabacloud.com/help/en/oss/user-guide/block-public-access
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from consumer.bucket_policy import admits_everyone


class Path(StrEnum):
    """What lets anyone in."""

    ACL = "ACL"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class PublicAccess:
    """How public a bucket is."""

    granted: tuple[Path, ...]
    """What would let anyone in."""
    blocked: bool
    """Whether the bucket's Block Public Access closes all of it."""

    @property
    def open(self) -> tuple[Path, ...]:
        """What does let anyone in."""
        return () if self.blocked else self.granted


def evaluate(acl: str, policy: str | None, *, blocked: bool) -> PublicAccess:
    """How public a bucket with these settings is."""
    granted = []
    if acl != "private":
        granted.append(Path.ACL)
    if admits_everyone(policy):
        granted.append(Path.POLICY)
    return PublicAccess(tuple(granted), blocked)
