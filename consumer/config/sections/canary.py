"""`[canary]`: the bucket that `config-remediator check --prove` may break for a moment."""

from __future__ import annotations

from pydantic import Field

from consumer.config.types import BucketNameOrNone, RegionOrNone, Section


class CanaryConfig(Section):
    """An empty bucket of your own on which `check --prove` shows the whole way; the worker never looks at this."""

    bucket: BucketNameOrNone = Field(
        default="",
        description=(
            "The one bucket that check --prove may break and put back. It has to belong to account_id, be private and"
            " empty, carry the tag config-remediator = canary, and comply with the rules that are proved. Empty:"
            " nothing can be proved."
        ),
        examples=["config-remediator-canary"],
    )
    region: RegionOrNone = Field(
        default="", description="The region that it is in. Empty: oss.default_region, or that of the queue."
    )
    wait_seconds: int = Field(
        default=120,
        ge=1,
        le=1_800,
        description="How long a repair is waited for, of each rule, before the canary is put back without it.",
    )
    public: bool = Field(
        default=False,
        description=(
            "Whether check --prove may also break what lets everyone in: it makes the canary public-read for rules with"
            " oss.bucket-acl, and switches Block Public Access off for those with oss.block-public-access. Without it"
            " those rules are left out."
        ),
    )
