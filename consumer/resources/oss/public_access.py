"""By which paths anyone can reach a bucket: its ACL and its policy. Pure.

The account's own Block Public Access is not looked at, for it takes a permission on the whole account: where it is
on, a path that is named here is closed as well.
https://www.alibabacloud.com/help/en/oss/user-guide/block-public-access
"""

from __future__ import annotations

from enum import StrEnum

from consumer.resources.oss.policy import admits_everyone


class Path(StrEnum):
    """What lets anyone in."""

    ACL = "ACL"
    POLICY = "policy"


def granted(acl: str, policy: str | None) -> tuple[Path, ...]:
    """What would let anyone in, unless the bucket's Block Public Access closes it."""
    paths = []
    if acl != "private":
        paths.append(Path.ACL)
    if admits_everyone(policy):
        paths.append(Path.POLICY)
    return tuple(paths)
