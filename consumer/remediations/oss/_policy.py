"""Repairs of the bucket policy: read it, change single statements, write it, or take away what became empty.

The shape that policy repairs share. States are the policy as canonical JSON, `null` where there is none.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from consumer.core.errors import ChangedMeanwhile
from consumer.remediations.base import Change, Compliant, Finding
from consumer.remediations.oss._bucket import BucketRemediation
from consumer.resources.oss.bucket import Bucket, BucketInfo
from consumer.resources.oss.errors import SourceIpNeedsVpc
from consumer.resources.oss.policy import needs_vpc, read, some
from consumer.resources.oss.policy_document import canonical
from consumer.resources.oss.settings.policy import POLICY

_NO_POLICY = "null"


@dataclass(frozen=True, slots=True)
class PolicyState:
    """A policy and the bucket that it belongs to."""

    bucket: str
    owner_id: str
    policy: str | None
    """Canonical JSON text."""


class PolicyRepair(BucketRemediation[PolicyState]):
    """Read, merge, write: the repair of some statements."""

    @abstractmethod
    def wanted(self, state: PolicyState) -> str | None:
        """What the policy should be, canonical; None for no policy at all. Pure."""

    def inspect(self, bucket: Bucket, info: BucketInfo) -> PolicyState:
        """The policy.

        Raises:
            Refused: it cannot be read, so it can neither be judged nor written again.
        """
        return PolicyState(bucket.name, info.owner_id, canonical(bucket.read(POLICY)))

    def plan(self, state: PolicyState) -> Finding:
        """From the policy that is to the one that should be."""
        after = self.wanted(state)
        return Compliant(_shown(after)) if after == state.policy else Change(_shown(state.policy), _shown(after))

    def apply(self, bucket: Bucket, change: Change) -> None:
        """Write what was planned, unless somebody has changed the policy since."""
        now = _shown(canonical(bucket.read(POLICY)))
        if now == change.after:
            return
        if now != change.before:
            raise ChangedMeanwhile(self.name, f"planned on {change.before}, but the policy is {now} now")
        _write(bucket, change.after, now)

    def revert(self, bucket: Bucket, change: Change) -> None:
        """Write the policy that was found."""
        _write(bucket, change.before, change.after)


def policy_of(state: str) -> str | None:
    """The policy of a state in a finding's notation; None for no policy."""
    return None if state == _NO_POLICY else state


def _shown(policy: str | None) -> str:
    return _NO_POLICY if policy is None else policy


def _write(bucket: Bucket, wanted: str, live: str) -> None:
    if wanted == _NO_POLICY:
        bucket.clear(POLICY)
        return
    try:
        bucket.write(POLICY, wanted)
    except SourceIpNeedsVpc as error:
        raise error.explained("source_ip_without_vpc", _what_to_do(wanted, live)) from None


def _what_to_do(wanted: str, live: str) -> str:
    """What a person has to change before the service takes the policy that a repair or an undo needs.

    The advice is the service's own: https://www.alibabacloud.com/help/en/oss/user-guide/0030-00000008
    """
    now = read(live) if policy_of(live) else None
    raws = [each.raw for each in now.statements] if now else []
    offending = [each.raw for each in read(wanted).statements if needs_vpc(each.raw)]
    numbers = some([str(raws.index(raw) + 1) for raw in offending if raw in raws], ", ")
    which = "the statement that has it" if not offending else "the policy that is to be put back"
    if numbers:
        which = f"statement {numbers} of the policy"
    text = (
        "OSS takes no policy that has acs:SourceIp without acs:SourceVpc in a statement, also where only another"
        f" statement is changed. Add acs:SourceVpc to the condition in {which} (StringNotLike 'vpc-*' for public"
        " addresses, StringEquals with the id of the VPC for private ones), or take acs:SourceIp or the statement out"
    )
    if now and now.public:
        text += f". Until then statement {some([*map(str, now.public)], ', ')} lets everyone in"
    return text
