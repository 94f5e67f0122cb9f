"""`[reevaluate]`: whether Cloud Config evaluates again after a fix."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from consumer.config.types import EndpointOrNone, Section


class ReevaluateConfig(Section):
    """Requests a new evaluation of a resource from Cloud Config after its fix; settling never waits for it."""

    enabled: bool = Field(
        default=False,
        description=(
            "Whether to request that. Rules that are triggered by configuration changes look again by themselves,"
            " within about ten minutes. Rules that enforce what cannot be taken back (oss.versioning, oss.zrs) need"
            " it: each such change has to be confirmed by the evaluator, else it is held as unconfirmed. Needs the"
            " extra of the same name, which the README's Install section shows."
        ),
    )
    wait_for_agreement: bool = Field(
        default=False,
        description=(
            "Whether a fix also has to convince Cloud Config before its exposure counts as closed"
            " (oldest_open_exposure_timestamp_seconds). Its result is then read every half minute. Only that"
            " metric waits: the message is settled long before."
        ),
    )
    agreement_timeout_seconds: int = Field(
        default=900,
        ge=60,
        le=7_200,
        description=(
            "How long after the request for an evaluation agreement is waited for. Without it the exposure counts as"
            " open for one more hour at most."
        ),
    )
    region: Literal["cn-shanghai", "ap-southeast-1"] = Field(
        default="cn-shanghai",
        description="The region of Cloud Config's endpoint; there are two, one for China and one for elsewhere.",
    )
    endpoint: EndpointOrNone = Field(
        default="",
        description="URL of Cloud Config, for a test server. Empty: https://config.<region>.aliyuncs.com.",
        examples=["http://127.0.0.1:9104"],
    )
    max_per_minute: int = Field(
        default=60,
        ge=1,
        le=600,
        description="Most requests a minute. Fixes beyond that wait in memory; beyond 1,000 waiting, no evaluation is"
        " requested.",
    )
