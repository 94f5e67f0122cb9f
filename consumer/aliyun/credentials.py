"""Credentials as the gateways use them, and whose they are.

Both SDKs use the same providers. Secrets stay inside the objects made here: their text forms never show one. Where
credentials come from is in `consumer.aliyun.standard_chain` and `consumer.aliyun.member_role`, how they are kept in
`consumer.aliyun.kept_credentials`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Credentials:
    """One set of credentials, in the form that both SDKs call: three getters."""

    access_key_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    """Empty without STS: the MNS SDK fails on None."""
    expires_at: float | None = None
    """Seconds since the epoch; None for what does not end, or whose source does not say."""

    def get_access_key_id(self) -> str:
        """The access key id; not a secret."""
        return self.access_key_id

    def get_access_key_secret(self) -> str:
        """The secret, for signing only."""
        return self.secret

    def get_security_token(self) -> str:
        """The STS token, or an empty string."""
        return self.token

    def get_provider_name(self) -> str:
        """Where they come from, as the vendor's providers want to know of those they build on."""
        return "config-remediator"


class CredentialsProvider(Protocol):
    """What the gateways ask for, on every request.

    `get_credentials` returns what is valid now, or raises `NotAuthenticated`.
    """

    def get_credentials(self) -> Credentials: ...


def adopted(found: object) -> Credentials:
    """What a vendor's provider gives, as ours."""
    ends = getattr(found, "get_expiration")()  # noqa: B009 - the vendor's object is untyped
    return Credentials(
        access_key_id=str(getattr(found, "get_access_key_id")() or ""),  # noqa: B009
        secret=str(getattr(found, "get_access_key_secret")() or ""),  # noqa: B009
        token=str(getattr(found, "get_security_token")() or ""),  # noqa: B009
        expires_at=None if ends is None else float(ends),
    )
