"""Repairs of the bucket policy: read it, change single statements, write it, or take away what became empty.

The shape that policy repairs share. States are the policy as canonical JSON, `null` where there is none.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from consumer.core.errors import ChangedMeanwhile
from consumer.remediations.base import Change, Compliant, Finding, Remediation
from consumer.resources.oss.bucket import Bucket, BucketInfo
from consumer.resources.oss.policy import canonical

_NO_POLICY = "null"


@dataclass(frozen=True, slots=True)
class PolicyState:
    """A policy and the bucket that it belongs to."""

    bucket: str
    owner_id: str
    policy: str | None
    """Canonical JSON text."""


class PolicyRepair(Remediation[PolicyState]):
    """Read, merge, write: the repair of some statements."""

    @abstractmethod
    def wanted(self, state: PolicyState) -> str | None:
        """What the policy should be, canonical; None for no policy at all. Pure."""

    def inspect(self, bucket: Bucket, info: BucketInfo) -> PolicyState:
        """The policy."""
        return PolicyState(bucket.name, info.owner_id, canonical(bucket.policy()))

    def plan(self, state: PolicyState) -> Finding:
        """From the policy that is to the one that should be."""
        after = self.wanted(state)
        return Compliant(_shown(after)) if after == state.policy else Change(_shown(state.policy), _shown(after))

    def apply(self, bucket: Bucket, change: Change) -> None:
        """Write what was planned, unless somebody has changed the policy since."""
        now = _shown(canonical(bucket.policy()))
        if now == change.after:
            return
        if now != change.before:
            raise ChangedMeanwhile(self.name, f"planned on {change.before}, but the policy is {now} now")
        _write(bucket, change.after)

    def revert(self, bucket: Bucket, change: Change) -> None:
        """Write the policy that was found."""
        _write(bucket, change.before)


def _shown(policy: str | None) -> str:
    return _NO_POLICY if policy is None else policy


def _write(bucket: Bucket, shown: str) -> None:
    if shown == _NO_POLICY:
        bucket.delete_policy()
    else:
        bucket.put_policy(shown)
