"""A role in a member account, assumed with our own credentials."""

from __future__ import annotations

from dataclasses import dataclass

from consumer.aliyun import credential_sources
from consumer.aliyun.credentials import Credentials, CredentialsProvider, adopted
from consumer.aliyun.standard_chain import reason
from consumer.core.errors import CredentialsUnavailable, NotAuthenticated, Retryable


@dataclass(frozen=True, slots=True)
class MemberRole:
    """Which role is assumed in a member account, and how.

    AssumeRole: https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole
    """

    account_id: str
    role_name: str
    session_name: str = "config-remediator"
    duration_seconds: int = 3_600
    sts_endpoint: str = ""
    """URL; empty for the vendor's own choice."""

    @property
    def arn(self) -> str:
        """The role's name in every API."""
        return f"acs:ram::{self.account_id}:role/{self.role_name}"


class AssumedRole:
    """The credentials of one member account's role as STS gives them; kept by `KeptCredentials`."""

    def __init__(self, role: MemberRole, own: CredentialsProvider) -> None:
        self.role = role
        self._provider = credential_sources.assumed(
            own, role.arn, role.session_name, role.duration_seconds, role.sts_endpoint
        )

    def get_credentials(self) -> Credentials:
        """What STS gives.

        Raises:
            CredentialsUnavailable: STS does not answer.
            NotAuthenticated: the role cannot be assumed; the text has the code of STS where it gave one.
        """
        try:
            return adopted(self._provider.get_credentials())
        except NotAuthenticated as error:  # our own, which would sign the request to STS
            raise self._refusal(type(error), str(error.args[0])) from None
        except Retryable as error:
            raise self._refusal(CredentialsUnavailable, str(error.args[0])) from None
        except Exception as error:  # noqa: BLE001 - the provider raises whatever its HTTP client and parsers raise
            raise self._refusal(NotAuthenticated, reason(error)) from None

    def _refusal(self, kind: type[NotAuthenticated], why: str) -> NotAuthenticated:
        return kind("sts", "AssumeRole", "role_not_assumed", f"cannot assume {self.role.arn}: {why}")
