"""Repairs a bucket whose policy allows something to everyone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, field_validator

from consumer.core.outcome import Outcome
from consumer.core.printable import quoted
from consumer.remediations.base import Change, Compliant, Finding, ReportOnly
from consumer.remediations.oss._policy import PolicyRepair, PolicyState, policy_of
from consumer.remediations.oss._public_access import PublicAccessOptions, PublicAccessRepair
from consumer.resources.oss.policy import is_fixed, opens, read
from consumer.resources.oss.policy_document import refused
from consumer.resources.oss.policy_edits import without_everyone
from consumer.resources.oss.settings.policy import POLICY
from consumer.resources.oss.settings.public_access_block import PUBLIC_ACCESS_BLOCK


class BucketPolicyPublicOptions(PublicAccessOptions):
    """Settings of `oss.bucket-policy-public`."""

    keep_restricted: bool = Field(
        default=False,
        description=(
            "true leaves statements for everyone alone when a condition narrows the callers to networks, addresses or"
            " accounts. Cloud Config's rules look at the principal only and go on reporting such a bucket."
        ),
    )
    narrow_to: tuple[str, ...] = Field(
        default=(),
        description=(
            "Account ids or RAM ARNs that take the place of everyone in the statements found. Empty: a statement for"
            " everyone alone is taken out, and one that also names others keeps only those."
        ),
        examples=[["1234567890123456"]],
    )

    @field_validator("narrow_to")
    @classmethod
    def _name_somebody(cls, narrow_to: tuple[str, ...]) -> tuple[str, ...]:
        if others := [each for each in narrow_to if not is_fixed(each)]:
            raise ValueError(f"must be ids or ARNs of users or roles, without wildcards, not {quoted(others[0])}")
        return narrow_to


class BucketPolicyPublic(PublicAccessRepair[PolicyState], PolicyRepair):
    """PutBucketPolicy: https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketpolicy"""

    name: ClassVar[str] = "oss.bucket-policy-public"
    summary: ClassVar[str] = "takes what is allowed to everyone out of the bucket policy; Deny statements stay"
    repairs: ClassVar[tuple[str, ...]] = ("oss-bucket-policy-no-any-anonymous",)
    reversible: ClassVar[str] = (
        "yes: the policy found is put back, unless Block Public Access has been switched on since"
    )
    may_break: ClassVar[str] = (
        "clients that use the bucket without signing, or by a grant to everyone from their network"
    )
    actions: ClassVar[tuple[str, ...]] = (
        POLICY.read_action,
        POLICY.write_action,
        POLICY.clear_action,
    )
    optional_actions: ClassVar[tuple[str, ...]] = (PUBLIC_ACCESS_BLOCK.read_action,)

    Options: ClassVar[type[BucketPolicyPublicOptions]] = BucketPolicyPublicOptions

    def __init__(self, options: BucketPolicyPublicOptions) -> None:
        super().__init__(options)
        self._keep_restricted = options.keep_restricted
        self._narrow_to = options.narrow_to

    def plan(self, state: PolicyState) -> Finding:
        """What is public goes first; then what is not understood is left to a person, never called compliant."""
        finding = super().plan(state)
        if isinstance(finding, Compliant) and state.policy and (doubts := read(state.policy).doubts):
            refusal = refused(doubts)
            return ReportOnly(finding.state, str(refusal), Outcome.REJECTED, refusal.reason)
        return finding

    def falls_short(self) -> Mapping[str, str]:
        """By its page a public bucket without any policy breaks this rule too, and a private one never does."""
        return {"oss-bucket-anonymous-prohibited": 'remediation = "oss.bucket-acl"'}

    def weakens(self, change: Change) -> str:
        """Whether the policy that is put back may let anyone in whom the one that is there does not."""
        if opens(policy_of(change.after), policy_of(change.before)):
            return "anyone may be able to reach the bucket again, by its policy"
        return super().weakens(change)

    def wanted(self, state: PolicyState) -> str | None:
        """The policy without its grants to everyone; none when nothing else was in it."""
        if state.policy is None:
            return None
        return without_everyone(state.policy, keep_restricted=self._keep_restricted, narrow_to=self._narrow_to)
