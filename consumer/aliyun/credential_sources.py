"""The vendor's providers of credentials, and the order in which the standard chain asks them.

The only module that imports `alibabacloud-credentials`, and only inside its functions: the package reads the
environment when it is imported, and what set the environment before the worker starts still counts. It hands out
providers and never looks at what they give.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

_OF_THE_POD = ("ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "ALIBABA_CLOUD_OIDC_TOKEN_FILE")
"""What the webhook of ACK puts into a pod with RRSA; all three, or the source is left out."""


class VendorProvider(Protocol):
    """What all of them have; what they give is untyped."""

    def get_credentials(self) -> object: ...


def in_a_pod(environment: Mapping[str, str]) -> bool:
    """Whether a pod's identity is there to be exchanged (RRSA), all of it."""
    return all(environment.get(name) for name in _OF_THE_POD)


def keys(environment: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Access key id, secret and token that stand in the environment; None unless both keys do.

    The first source of the chain. Read here, because the vendor's provider of it brings 10 MB along.
    """
    key_id, secret = (environment.get(f"ALIBABA_CLOUD_ACCESS_KEY_{part}", "") for part in ("ID", "SECRET"))
    return (key_id, secret, environment.get("ALIBABA_CLOUD_SECURITY_TOKEN", "")) if key_id and secret else None


def standard(environment: Mapping[str, str], sts_endpoint: str) -> tuple[Callable[[], VendorProvider], ...]:
    """The chain's providers after the environment, in the documented order, each made once, when it is its turn.

    https://www.alibabacloud.com/help/en/sdk/developer-reference/v2-manage-python-access-credentials
    """

    def of_the_pod() -> VendorProvider:
        role, provider, token_file = (environment[name] for name in _OF_THE_POD)
        found: VendorProvider = _vendor().OIDCRoleArnCredentialsProvider(
            role_arn=role,
            oidc_provider_arn=provider,
            oidc_token_file_path=token_file,
            role_session_name=environment.get("ALIBABA_CLOUD_ROLE_SESSION_NAME"),
            sts_endpoint=_host(sts_endpoint),
        )
        return found

    sources: list[Callable[[], VendorProvider]] = [of_the_pod] if in_a_pod(environment) else []
    sources += [lambda: _vendor().CLIProfileCredentialsProvider(), lambda: _vendor().ProfileCredentialsProvider()]
    if environment.get("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "").lower() != "true":
        sources.append(lambda: _vendor().EcsRamRoleCredentialsProvider())
    if uri := environment.get("ALIBABA_CLOUD_CREDENTIALS_URI"):
        sources.append(lambda: _vendor().URLCredentialsProvider(uri=uri))
    return tuple(functools.cache(source) for source in sources)


def assumed(own: object, role_arn: str, session_name: str, duration_seconds: int, sts_endpoint: str) -> VendorProvider:
    """The provider of a role that is assumed with our own credentials; nothing is asked of STS yet."""
    found: VendorProvider = _vendor().RamRoleArnCredentialsProvider(
        credentials_provider=own,
        role_arn=role_arn,
        role_session_name=session_name,
        duration_seconds=duration_seconds,
        sts_endpoint=_host(sts_endpoint),
    )
    return found


def _vendor() -> Any:
    """The vendor's providers, quiet."""
    from alibabacloud_credentials import provider

    _silence()
    return provider


def _host(sts_endpoint: str) -> str | None:
    """The vendor's requests are https to a bare host, and what the URL says with its scheme in it."""
    return sts_endpoint.removeprefix("https://") or None


def _silence() -> None:
    """The package and its HTTP client write past our log, and in full: also the request that holds an identity token.

    Why there are no credentials is in the error that is raised for it.
    """
    for name in ("credentials", "alibabacloud-tea"):
        vendor = logging.getLogger(name)
        vendor.handlers[:] = [logging.NullHandler()]
        vendor.propagate = False
