"""`[accounts]`: whose resources may be repaired besides the own account's, and by which role there."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from consumer.config.types import AccountId, Allowed, EndpointOrNone, Section


class AccountsConfig(Section):
    """Member accounts whose resources are repaired, with a role that is assumed there."""

    allowed: Annotated[tuple[AccountId, ...], Field(strict=False)] = Field(
        default=(),
        description=(
            "Accounts besides account_id whose resources are repaired. An event about a resource of any other account"
            " is rejected before any request is sent."
        ),
        examples=[["9876543210987654"]],
    )
    role_name: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$"),
        Allowed("at most 64 letters, digits, dots and hyphens, the first one a letter or digit"),
    ] = Field(
        default="config-remediator",
        description=(
            "Role that is assumed in a member account: acs:ram::<account>:role/<role_name>. It has to trust the role"
            " this worker runs with, and to grant what the remediations need."
        ),
    )
    session_name: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9.@_-]{2,64}$"),
        Allowed("2 to 64 letters, digits, dots, hyphens, underscores and at signs"),
    ] = Field(
        default="config-remediator", description="Name of the session, as the member account's ActionTrail shows it."
    )
    duration_seconds: int = Field(
        default=3600,
        ge=1800,
        le=43_200,
        description=(
            "How long assumed credentials are valid. At most what the role allows. They are renewed a quarter of an"
            " hour before they end."
        ),
    )
    sts_endpoint: EndpointOrNone = Field(
        default="",
        description=(
            "URL of STS, for a private endpoint or a test server; with RRSA the worker's own role is assumed there"
            " as well. Empty: https://sts.aliyuncs.com, or what ALIBABA_CLOUD_STS_REGION and"
            " ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED say."
        ),
        examples=["https://sts.cn-hangzhou.aliyuncs.com"],
    )
