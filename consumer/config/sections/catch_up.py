"""`[catch_up]`: how `config-remediator catch-up` compares the evaluator's list with what the queue was sent."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from consumer.config.types import Allowed, Section


class CatchUpConfig(Section):
    """What no event came for is found in Cloud Config's own list; at the endpoint in [reevaluate]."""

    aggregator_id: Annotated[
        str, StringConstraints(pattern=r"^(ca-[0-9a-z]{1,60})?$"), Allowed("the id of an account group, ca-…, or empty")
    ] = Field(
        default="",
        description=(
            "Account group whose rules are listed as well, for the resources of member accounts; of those, only"
            " accounts.allowed are acted on. Empty: only the account's own rules."
        ),
        examples=["ca-d1e3326622af00cb0000"],
    )
    min_age_seconds: int = Field(
        default=900,
        ge=0,
        le=86_400,
        description=(
            "How long a resource has to be non-compliant before an event is sent for it: for so long its own"
            " notification may still be on the way, or in work."
        ),
    )
    resend_after_seconds: int = Field(
        default=86_400,
        ge=60,
        le=604_800,
        description=(
            "How long no second event is sent for the same violation, as far as that is remembered: catch_up.state."
        ),
    )
    state: str = Field(
        default="",
        max_length=4096,
        description=(
            "File that remembers what was sent, on a disk that outlives the job. Empty: the store of [shared] does;"
            " with neither, a file in ~/.local/state/config-remediator; and where none can be kept, as in a container,"
            " every run may send an event again that waits where nobody can see it. --state goes before it."
        ),
        examples=["/var/lib/config-remediator/catch-up"],
    )
    expected_within_seconds: int = Field(
        default=0,
        ge=0,
        le=604_800,
        description=(
            "Within which time a whole run of catch-up is expected to follow the one before: twice the schedule lets"
            " one fail. The worker exports it, and CatchUpStale fires half an hour after it has passed. 0: catch-up"
            " does not run by itself."
        ),
    )
