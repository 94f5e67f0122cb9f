"""Repairs a bucket that may be used over plain HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from consumer.remediations.base import Options
from consumer.remediations.oss._policy import PolicyRepair, PolicyState
from consumer.resources.oss.policy_edits import denies_plain_http, with_https_only
from consumer.resources.oss.settings.policy import POLICY


class HttpsOnlyOptions(Options):
    """`oss.https-only` has no settings."""


class HttpsOnly(PolicyRepair):
    """PutBucketPolicy: https://www.alibabacloud.com/help/en/oss/user-guide/bucket-policy

    The statement binds this worker too: it has to reach OSS over HTTPS, which is its default.
    """

    name: ClassVar[str] = "oss.https-only"
    summary: ClassVar[str] = "adds a statement to the bucket policy that denies every request without TLS"
    repairs: ClassVar[tuple[str, ...]] = ("oss-bucket-only-https-enabled",)
    reversible: ClassVar[str] = "yes: the policy found is put back, or taken away where there was none"
    may_break: ClassVar[str] = "every client that speaks plain HTTP, the owner's own included"
    actions: ClassVar[tuple[str, ...]] = (POLICY.read_action, POLICY.write_action)
    undo_actions: ClassVar[tuple[str, ...]] = (POLICY.clear_action,)

    Options: ClassVar[type[HttpsOnlyOptions]] = HttpsOnlyOptions

    def wanted(self, state: PolicyState) -> str | None:
        """The policy with the statement; as it is when one of its own says the same."""
        if denies_plain_http(state.policy, state.bucket, state.owner_id):
            return state.policy
        return with_https_only(state.policy, state.bucket, state.owner_id)

    def harmless_breaks(self, state: PolicyState) -> tuple[PolicyState, ...]:
        """No policy, where the statement is all that there is of it."""
        return (replace(state, policy=None),)
