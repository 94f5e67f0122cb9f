"""The clients of the resources: one for each kind that rules are about, made in one place for worker and commands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consumer.aliyun.credentials import CredentialsProvider
from consumer.aliyun.ecs.client import Ecs, EcsSettings
from consumer.aliyun.oss.client import Oss, OssSettings
from consumer.aliyun.oss.endpoints import Endpoints
from consumer.aliyun.retry import Retrier, RetryPolicy
from consumer.config import Config
from consumer.core.errors import ConfigurationError
from consumer.core.observers import Hooks
from consumer.guards.rule import Rule, kinds_of
from consumer.resources.base import Opener, Resource, ResourceKind, Target
from consumer.resources.catalogue import ClientContext, InstalledKind
from consumer.resources.ecs.kind import SECURITY_GROUPS
from consumer.resources.oss.kind import BUCKETS


@dataclass(frozen=True, slots=True)
class ClientParts:
    """What every kind's client is made of."""

    config: Config
    own: CredentialsProvider
    members: Mapping[str, CredentialsProvider]
    """How to sign for each account that is allowed besides our own."""
    hooks: Hooks
    retrier: Retrier

    def credentials(self, account_id: str) -> CredentialsProvider:
        """What signs for resources of an account."""
        return self.members.get(account_id, self.own)


class Clients:
    """Opens resources of every configured kind; used by every worker."""

    def __init__(self, openers: Mapping[str, Opener]) -> None:
        self._openers = openers

    def open(self, resource: Resource, until: Callable[[], float]) -> Target[Any]:
        """A resource for one delivery; its requests are tried again until the monotonic moment `until()` at most."""
        return self._openers[resource.resource_type].open(resource, until)

    def close(self) -> None:
        """Close the calling thread's connections."""
        for opener in self._openers.values():
            opener.close()


def build_clients(parts: ClientParts, rules: Sequence[Rule]) -> Clients:
    """A client for each kind of resource that the rules are about. Nothing is sent yet.

    Raises:
        ConfigurationError: the packages that a kind needs are not installed; the text names the rules.
    """
    openers = {}
    for kind in kinds_of(rules):
        try:
            openers[kind.resource_type] = build_client(parts, kind)
        except ConfigurationError as error:
            names = ", ".join(rule.name for rule in rules if rule.remediation.kind is kind)
            raise ConfigurationError(f"rules {names}: {error}", error.remedy) from error
    return Clients(openers)


def build_retrier(config: Config, hooks: Hooks, stopping: threading.Event) -> Retrier:
    """What tries single requests again."""
    retry = config.retry
    policy = RetryPolicy(retry.request_attempts, retry.request_base_seconds, retry.request_cap_seconds)
    return Retrier(policy, hooks, stopping)


def build_client(parts: ClientParts, kind: ResourceKind) -> Opener:
    """The client of one kind. Nothing is sent yet.

    Raises:
        ConfigurationError: the packages that it needs are not installed.
    """
    if isinstance(kind, InstalledKind):
        return _installed(parts, kind)
    connect = _BUILT_IN.get(kind.resource_type)
    if connect is None:
        raise ConfigurationError(f"nothing is installed that opens resources of type {kind.resource_type}")
    return connect(parts)


def _installed(parts: ClientParts, kind: InstalledKind) -> Opener:
    cannot = f"resources of type {kind.resource_type} cannot be opened"
    remedy = "repair or uninstall the package that brings the type"
    try:
        opener = kind.connect(_context(parts))
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(f"{cannot}: {type(error).__name__}: {error}", remedy) from error
    if missing := [name for name in ("open", "close") if not callable(getattr(opener, name, None))]:
        raise ConfigurationError(f"{cannot}: {type(opener).__name__} lacks {', '.join(missing)}", remedy)
    return opener


def _context(parts: ClientParts) -> ClientContext:
    settings = parts.config.oss
    return ClientContext(
        credentials=lambda account_id: parts.credentials(account_id).get_credentials(),
        retries=parts.retrier,
        hooks=parts.hooks,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        call_timeout_seconds=settings.call_timeout_seconds,
    )


def _buckets(parts: ClientParts) -> Opener:
    settings = parts.config.oss
    reached = OssSettings(
        Endpoints(settings.endpoints, settings.internal),
        settings.connect_timeout_seconds,
        settings.call_timeout_seconds,
    )
    return Oss(reached, parts.own, parts.hooks, parts.retrier, members=parts.members)


def _security_groups(parts: ClientParts) -> Opener:
    settings = parts.config.ecs
    reached = EcsSettings(
        settings.endpoints,
        settings.internal,
        settings.connect_timeout_seconds,
        settings.call_timeout_seconds,
        parts.config.accounts.sts_endpoint,
    )
    return Ecs(reached, parts.own, parts.hooks, parts.retrier, members=parts.members)


_BUILT_IN: Mapping[str, Callable[[ClientParts], Opener]] = {
    BUCKETS.resource_type: _buckets,
    SECURITY_GROUPS.resource_type: _security_groups,
}
