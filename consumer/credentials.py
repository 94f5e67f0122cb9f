"""Credentials from the standard chain: environment, OIDC (RRSA on ACK), profile, ECS RAM role, credentials URI.

Wraps `alibabacloud-credentials` so that both SDKs can use one provider. Secrets stay inside the objects made here:
their text forms never show one. The only module that imports that package.
"""

from __future__ import annotations

import logging
import threading
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


class CredentialsProvider(Protocol):
    """What the gateways ask for, on every request: refreshing is the provider's business."""

    def get_credentials(self) -> Credentials: ...


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


def _adopted(found: object) -> Credentials:
    return Credentials(
        access_key_id=str(getattr(found, "get_access_key_id")() or ""),  # noqa: B009 - the vendor's object is untyped
        secret=str(getattr(found, "get_access_key_secret")() or ""),  # noqa: B009
        token=str(getattr(found, "get_security_token")() or ""),  # noqa: B009
    )


def _silence_vendor_logging() -> None:
    """The package hangs a handler of its own on its logger, which would write past our log format."""
    vendor = logging.getLogger("credentials")
    vendor.handlers.clear()
    vendor.propagate = False
