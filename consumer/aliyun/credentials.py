"""Credentials from the standard chain: environment, OIDC (RRSA on ACK), profile, ECS RAM role, credentials URI; and
those of a role that is assumed in a member account with them.

Both SDKs use the same providers. Secrets stay inside the objects made here: their text forms never show one. Where the
vendor's package is asked is in `consumer.aliyun.credential_sources`.
"""

from __future__ import annotations

import math
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from consumer.aliyun import credential_sources
from consumer.core.errors import ConfigurationError, NotAuthenticated


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
    """What the gateways ask for, on every request: refreshing is the provider's business."""

    def get_credentials(self) -> Credentials: ...


class OwnCredentials:
    """Passes on the process's own credentials and remembers when the last ones end; used by all threads."""

    def __init__(self, provider: CredentialsProvider) -> None:
        self._provider = provider
        self.expires_at: float | None = None
        """Seconds since the epoch; None before the first use, and of credentials that do not end."""

    def get_credentials(self) -> Credentials:
        """What the provider gives.

        Raises:
            NotAuthenticated: it has none at the moment.
        """
        credentials = self._provider.get_credentials()
        self.expires_at = credentials.expires_at
        return credentials


_REFUSED_FOR_SECONDS = 5.0
_RENEWED_BEFORE_SECONDS = 900.0
"""The vendor's providers renew at the first use within a quarter of an hour of the end."""

_WITHOUT_ANY = (
    "Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or run with RRSA (ALIBABA_CLOUD_ROLE_ARN,"
    " ALIBABA_CLOUD_OIDC_PROVIDER_ARN, ALIBABA_CLOUD_OIDC_TOKEN_FILE) or with an ECS RAM role. Credentials never stand"
    " in the configuration file."
)
_WITHOUT_A_ROLE = (
    "This pod has an identity (RRSA), but STS gives nothing for it: look whether STS can be reached, whether"
    " ALIBABA_CLOUD_ROLE_ARN and ALIBABA_CLOUD_OIDC_PROVIDER_ARN exist, and whether the role's trust policy names this"
    " cluster's issuer, this namespace and this service account."
)
"""What to do, once in general and once for the step of an installation that fails most."""

_STS_CODE = re.compile(r'"Code":\s*"([A-Za-z][A-Za-z0-9.]{0,63})"')


class StandardChain:
    """The standard chain of the vendor's providers, shared by all threads; the first that has any is kept to.

    Not the vendor's own chain, which drops when the credentials end.
    """

    def __init__(self, *, sts_endpoint: str = "") -> None:
        """`sts_endpoint` is the URL that the pod's own role is assumed at; empty for the vendor's own choice."""
        keys = credential_sources.keys(os.environ)
        self._given = Credentials(*keys) if keys else None
        self._sources = credential_sources.standard(os.environ, sts_endpoint)
        self._lock = threading.Lock()

    def get_credentials(self) -> Credentials:
        """Credentials that are valid now.

        Raises:
            NotAuthenticated: no provider of the chain has any at the moment; the text has the code of STS, if any.
        """
        if self._given:
            return self._given  # asked for on every request
        reasons = []
        with self._lock:
            for source in self._sources:
                try:
                    found = source().get_credentials()
                except Exception as error:  # noqa: BLE001 - providers raise whatever their HTTP clients and parsers do
                    reasons.append(_reason(error))
                else:
                    self._sources = (source,)
                    return _adopted(found)
        text = f"no credentials: {', '.join(dict.fromkeys(reasons))}"
        raise NotAuthenticated("credentials", "GetCredentials", "no_credentials", text)

    def check(self) -> None:
        """Ask once at start, so that missing credentials are a clear error instead of a failing loop.

        Raises:
            ConfigurationError: the chain has nothing to offer.
        """
        try:
            self.get_credentials()
        except NotAuthenticated as error:
            remedy = _WITHOUT_A_ROLE if credential_sources.in_a_pod(os.environ) else _WITHOUT_ANY
            raise ConfigurationError(f"{error.args[0]}. {remedy}") from error


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
        self,
        role: MemberRole,
        own: CredentialsProvider,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.role = role
        self._ends_at: float | None = None
        self._provider = credential_sources.assumed(
            own, role.arn, role.session_name, role.duration_seconds, role.sts_endpoint
        )
        self._monotonic = monotonic
        self._wall = wall
        self._lock = threading.Lock()
        self._refused_until = -math.inf
        self._refused_because = ""

    @property
    def expires_at(self) -> float | None:
        """Seconds since the epoch; None while nobody needs them, for then nobody renews them either."""
        ends_at = self._ends_at
        if ends_at is None or self._refused_because:
            return ends_at
        return ends_at if ends_at - self._wall() > _RENEWED_BEFORE_SECONDS else None

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
                self._refused_because = _reason(error)
                self._refused_until = self._monotonic() + _REFUSED_FOR_SECONDS
                raise self._refusal() from None
            self._refused_because = ""
            credentials = _adopted(found)
            self._ends_at = credentials.expires_at
            return credentials

    def _refusal(self) -> NotAuthenticated:
        text = f"cannot assume {self.role.arn}: {self._refused_because}"
        return NotAuthenticated("sts", "AssumeRole", "role_not_assumed", text)


def _reason(error: Exception) -> str:
    """One word of STS or of ours; never the text, which may hold the request with its identity token."""
    said = _STS_CODE.search(str(error))
    return said.group(1) if said else type(error).__name__


def _adopted(found: object) -> Credentials:
    ends = getattr(found, "get_expiration")()  # noqa: B009 - the vendor's object is untyped
    return Credentials(
        access_key_id=str(getattr(found, "get_access_key_id")() or ""),  # noqa: B009
        secret=str(getattr(found, "get_access_key_secret")() or ""),  # noqa: B009
        token=str(getattr(found, "get_security_token")() or ""),  # noqa: B009
        expires_at=None if ends is None else float(ends),
    )
