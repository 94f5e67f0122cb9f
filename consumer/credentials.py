"""Credentials from the standard chain: environment, OIDC (RRSA on ACK), profile, ECS RAM role, credentials URI; and
those of a role that is assumed in a member account with them.

Wraps `alibabacloud-credentials` so that both SDKs can use one provider. Secrets stay inside the objects made here:
their text forms never show one. The only module that imports that package.
"""

from __future__ import annotations

import logging
import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from consumer.errors import ConfigurationError, NotAuthenticated


@dataclass(frozen=True, slots=True)
class Credentials:
    """One set of credentials, in the form that both SDKs call: three getters."""

    access_key_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    """Empty without STS: the MNS SDK fails on None."""

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
    """What the gateways ask for, on every request: refreshing is the provider's business."""

    def get_credentials(self) -> Credentials: ...


_REFUSED_FOR_SECONDS = 5.0
_STS_CODE = re.compile(r'"Code":\s*"([A-Za-z][A-Za-z0-9.]{0,63})"')


class _VendorProvider(Protocol):
    def get_credentials(self) -> object: ...


class StandardChain:
    """The vendor's default chain, shared by all threads.

    The chain reads the environment when its package is imported, so the package is imported here and not at the top:
    what set the environment before the worker starts still counts.
    """

    def __init__(self) -> None:
        from alibabacloud_credentials.provider import DefaultCredentialsProvider

        _silence_vendor_logging()
        self._provider: _VendorProvider = DefaultCredentialsProvider()
        self._lock = threading.Lock()

    def get_credentials(self) -> Credentials:
        """Credentials that are valid now.

        Raises:
            NotAuthenticated: no provider of the chain has any at the moment.
        """
        try:
            with self._lock:
                found = self._provider.get_credentials()
        except Exception as error:  # noqa: BLE001 - the chain raises whatever its HTTP clients and parsers raise
            raise NotAuthenticated(
                "credentials", "GetCredentials", "no_credentials", f"no credentials: {type(error).__name__}"
            ) from None
        return _adopted(found)

    def check(self) -> None:
        """Ask once at start, so that missing credentials are a clear error instead of a failing loop.

        Raises:
            ConfigurationError: the chain has nothing to offer.
        """
        try:
            self.get_credentials()
        except NotAuthenticated as error:
            raise ConfigurationError(
                "no credentials found. Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or run with"
                " RRSA (ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN, ALIBABA_CLOUD_OIDC_TOKEN_FILE) or with"
                " an ECS RAM role. Credentials never stand in the configuration file."
            ) from error


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


class MemberCredentials:
    """The credentials of one member account's role, assumed with our own; cached, and renewed before they end.

    One caller at a time asks STS. While it does not answer well, the others are told so at once for a moment, instead
    of each waiting for it in turn.
    """

    def __init__(
        self, role: MemberRole, own: CredentialsProvider, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        from alibabacloud_credentials.provider import RamRoleArnCredentialsProvider

        _silence_vendor_logging()
        self.role = role
        self.expires_at: float | None = None
        """Seconds since the epoch; None until they were needed for the first time."""
        self._provider: _VendorProvider = RamRoleArnCredentialsProvider(
            credentials_provider=own,
            role_arn=role.arn,
            role_session_name=role.session_name,
            duration_seconds=role.duration_seconds,
            # The vendor's requests are https to a bare host, and what the URL says with its scheme in it.
            sts_endpoint=role.sts_endpoint.removeprefix("https://") or None,
        )
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._refused_until = -math.inf
        self._refused_because = ""

    def get_credentials(self) -> Credentials:
        """Credentials that are valid now.

        Raises:
            NotAuthenticated: the role cannot be assumed at the moment; the text has the code of STS where it gave one.
        """
        with self._lock:
            if self._monotonic() < self._refused_until:
                raise self._refusal()
            try:
                found = self._provider.get_credentials()
            except Exception as error:  # noqa: BLE001 - the provider raises whatever its HTTP client and parsers raise
                said = _STS_CODE.search(str(error))
                self._refused_because = said.group(1) if said else type(error).__name__
                self._refused_until = self._monotonic() + _REFUSED_FOR_SECONDS
                raise self._refusal() from None
            self.expires_at = float(getattr(found, "get_expiration")())  # noqa: B009 - the vendor's object is untyped
            return _adopted(found)

    def _refusal(self) -> NotAuthenticated:
        text = f"cannot assume {self.role.arn}: {self._refused_because}"
        return NotAuthenticated("sts", "AssumeRole", "role_not_assumed", text)


def _adopted(found: object) -> Credentials:
    return Credentials(
        access_key_id=str(getattr(found, "get_access_key_id")() or ""),  # noqa: B009 - the vendor's object is untyped
        secret=str(getattr(found, "get_access_key_secret")() or ""),  # noqa: B009
        token=str(getattr(found, "get_security_token")() or ""),  # noqa: B009
    )


def _silence_vendor_logging() -> None:
    """The package and its HTTP client hang handlers of their own on their loggers, which would write past our log."""
    for name in ("credentials", "alibabacloud-tea"):
        vendor = logging.getLogger(name)
        vendor.handlers.clear()
        vendor.propagate = False
