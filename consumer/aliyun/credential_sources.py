"""The vendor's providers of credentials, and the order in which the standard chain asks them.

The only module that imports `alibabacloud-credentials`, and only inside its functions: the package reads the
environment when it is imported, and what set the environment before the worker starts still counts. It makes providers
without background threads, over our own transport, and never looks at what they give.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from consumer.aliyun import direct

KEY_ID, KEY_SECRET = "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
OF_THE_POD = ("ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "ALIBABA_CLOUD_OIDC_TOKEN_FILE")
"""What the webhook of ACK puts into a pod with RRSA; all three, or the source is left out."""
TOKEN_FILE = OF_THE_POD[2]
_PROFILES = "ALIBABA_CLOUD_CREDENTIALS_FILE"
_METADATA_ROLE = "ALIBABA_CLOUD_ECS_METADATA"


class VendorProvider(Protocol):
    """What all of them have; what they give is untyped."""

    def get_credentials(self) -> object: ...


@dataclass(frozen=True, slots=True)
class Source:
    """One place where credentials may come from."""

    name: str
    """As people know it: "RRSA", "the ECS metadata service"."""
    provider: Callable[[], VendorProvider]
    """Made once, when it is its turn."""
    declared: bool
    """Whether somebody has set it up; else nobody may ever have meant it, and its silence says nothing."""
    file: str = ""
    """The file that it reads, where there is one: with profiles, or with the identity token that is exchanged."""


def in_a_pod(environment: Mapping[str, str]) -> bool:
    """Whether a pod's identity is there to be exchanged (RRSA), all of it."""
    return all(environment.get(name) for name in OF_THE_POD)


def keys(environment: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Access key id, secret and token that stand in the environment; None unless both keys do.

    The first source of the chain. Read here, because the vendor's provider of it brings 10 MB along.
    """
    key_id, secret = environment.get(KEY_ID, ""), environment.get(KEY_SECRET, "")
    return (key_id, secret, environment.get("ALIBABA_CLOUD_SECURITY_TOKEN", "")) if key_id and secret else None


def half_set(environment: Mapping[str, str]) -> list[str]:
    """What is wrong with variables that only count together: those that are missing, named. Usually nothing."""
    found = []
    for together in ((KEY_ID, KEY_SECRET), OF_THE_POD):
        there = [name for name in together if environment.get(name)]
        missing = [name for name in together if name not in there]
        if there and missing:
            found.append(f"{' and '.join(missing)} not set, but {' and '.join(there)}")
    return found


def standard(environment: Mapping[str, str], sts_endpoint: str) -> tuple[Source, ...]:
    """The chain's sources after the environment, in the documented order; files that do not exist are left out.

    A source that may or may not exist is tried, and its error says why it gives nothing.

    https://www.alibabacloud.com/help/en/sdk/developer-reference/v2-manage-python-access-credentials
    """
    home = _home(environment)
    sources = [_of_the_pod(environment, sts_endpoint)] if in_a_pod(environment) else []
    command_line = str(home / ".aliyun" / "config.json") if home else ""
    if environment.get("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "").lower() != "true" and _may_exist(command_line):
        sources.append(_source(command_line, lambda: _vendor().CLIProfileCredentialsProvider(), file=command_line))
    profiles = environment.get(_PROFILES) or (str(home / ".alibabacloud" / "credentials.ini") if home else "")
    if environment.get(_PROFILES) or _may_exist(profiles):
        sources.append(_source(profiles, lambda: _vendor().ProfileCredentialsProvider(), file=profiles))
    if environment.get("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "").lower() != "true":
        declared = bool(environment.get(_METADATA_ROLE))
        sources.append(
            _source("the ECS metadata service", lambda: _vendor().EcsRamRoleCredentialsProvider(), declared=declared)
        )
    if uri := environment.get("ALIBABA_CLOUD_CREDENTIALS_URI"):
        sources.append(_source("ALIBABA_CLOUD_CREDENTIALS_URI", lambda: _vendor().URLCredentialsProvider(uri=uri)))
    return tuple(sources)


def _home(environment: Mapping[str, str]) -> Path | None:
    """The user's folder; None for a user without a name in a container, who has none."""
    try:
        return Path(environment.get("HOME") or Path.home())
    except RuntimeError:
        return None


def _may_exist(path: str) -> bool:
    """Whether there is a file, or somebody keeps us from knowing."""
    if not path:
        return False
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def assumed(own: object, role_arn: str, session_name: str, duration_seconds: int, sts_endpoint: str) -> VendorProvider:
    """The provider of a role that is assumed with our own credentials; no request is sent to STS yet."""
    found: VendorProvider = _vendor().RamRoleArnCredentialsProvider(
        credentials_provider=own,
        role_arn=role_arn,
        role_session_name=session_name,
        duration_seconds=duration_seconds,
        sts_endpoint=_host(sts_endpoint),
    )
    return found


def _of_the_pod(environment: Mapping[str, str], sts_endpoint: str) -> Source:
    role, identity_provider, token_file = (environment[name] for name in OF_THE_POD)

    def provider() -> VendorProvider:
        found: VendorProvider = _vendor().OIDCRoleArnCredentialsProvider(
            role_arn=role,
            oidc_provider_arn=identity_provider,
            oidc_token_file_path=token_file,
            role_session_name=environment.get("ALIBABA_CLOUD_ROLE_SESSION_NAME"),
            sts_endpoint=_host(sts_endpoint),
        )
        return found

    return _source("RRSA", provider, file=token_file)


def _source(name: str, provider: Callable[[], VendorProvider], *, declared: bool = True, file: str = "") -> Source:
    return Source(name, functools.cache(provider), declared, file)


@functools.cache
def _vendor() -> Any:
    """The vendor's providers: quiet, over our transport, and without threads of their own."""
    from alibabacloud_credentials import provider
    from alibabacloud_credentials.provider import cli_profile, ecs_ram_role, profile

    direct.install()
    _silence()
    # With its default the provider starts a scheduler that refreshes beside the work, as we do ourselves, and that
    # fails on machines without zone data and on a TZ such as CST-8. The two readers of profiles make one by name.
    without_threads = functools.partial(ecs_ram_role.EcsRamRoleCredentialsProvider, async_update_enabled=False)
    for module in (provider, cli_profile, profile):
        module.EcsRamRoleCredentialsProvider = without_threads
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
