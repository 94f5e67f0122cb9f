"""Every kind of resource: those of the packages beside this module, and those that are installed besides.

A built-in kind is an instance in the module `kind` of its package. A package of somebody else's offers its own through
the entry point group `config_remediator.kinds`: see docs/writing-a-remediation.md.
"""

from __future__ import annotations

import pkgutil
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, TypeVar

from consumer import resources
from consumer.core.errors import ConfigurationError
from consumer.core.observers import Hooks
from consumer.resources.base import Opener, ResourceKind

ENTRY_POINT_GROUP = "config_remediator.kinds"

_T = TypeVar("_T")


class SigningCredentials(Protocol):
    """What requests are signed with; valid for one request, so get them anew for each."""

    @property
    def access_key_id(self) -> str:
        """Not a secret."""
        ...

    def get_access_key_secret(self) -> str:
        """For signing only."""
        ...

    def get_security_token(self) -> str:
        """Empty without STS."""
        ...


class Retries(Protocol):
    """Tries a request again, as the configuration says, while the delivery's time lasts."""

    def call(self, request: Callable[[], _T], *, until: Callable[[], float]) -> _T:
        """The request's result; its `Retryable` failures are tried again until the monotonic moment `until()`."""
        ...


@dataclass(frozen=True, slots=True)
class ClientContext:
    """What an installed kind makes its client of."""

    credentials: Callable[[str], SigningCredentials]
    """Of the account that owns a resource; may raise `NotAuthenticated`."""
    retries: Retries
    hooks: Hooks
    """Where every request is reported: `hooks.api_call(ApiCall(...))` makes its metrics and log lines."""
    connect_timeout_seconds: float
    call_timeout_seconds: float
    """How long one answer may take; the worker's liveness counts on it."""


class InstalledKind(ResourceKind):
    """A kind that a package of somebody else's brings, and with it the client."""

    @abstractmethod
    def connect(self, context: ClientContext) -> Opener:
        """The client, made once for the process; nothing is sent yet.

        Raises:
            ConfigurationError: it cannot be made, for example because an optional package is not installed.
        """


@cache
def kinds() -> dict[str, ResourceKind]:
    """Every kind by its resource type, built in and installed.

    Raises:
        ConfigurationError: an installed package offers something that is not a kind, or takes a taken type.
    """
    found = {kind.resource_type: kind for kind in _built_in()}
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        kind = _installed(entry)
        if kind.resource_type in found:
            package = package_of(entry)
            text = f"entry point {entry.name} of {package}: the type {kind.resource_type} is already taken"
            raise ConfigurationError(text, f"uninstall {package}, or the package that has taken the type")
        found[kind.resource_type] = kind
    return dict(sorted(found.items()))


def _built_in() -> Iterator[ResourceKind]:
    for package in pkgutil.iter_modules(resources.__path__):
        if package.ispkg:
            module = import_module(f"{resources.__name__}.{package.name}.kind")
            yield from (value for value in vars(module).values() if isinstance(value, ResourceKind))


def _installed(entry: EntryPoint) -> InstalledKind:
    """The kind behind an entry point.

    Raises:
        ConfigurationError: it cannot be imported, or it is not a whole kind.
    """
    package = package_of(entry)
    offered = f"entry point {entry.name} of {ENTRY_POINT_GROUP} in {package}"
    remedy = f"repair or uninstall {package}"
    try:
        kind = entry.load()
    except Exception as error:
        raise ConfigurationError(f"{offered} cannot be loaded: {type(error).__name__}: {error}", remedy) from error
    if not isinstance(kind, InstalledKind):
        raise ConfigurationError(f"{offered} is not an InstalledKind", remedy)
    missing = [name for name in ("resource_type", "noun") if not isinstance(getattr(kind, name, None), str)]
    missing += [name for name in ("look_actions", "tag_actions") if not isinstance(getattr(kind, name, None), tuple)]
    if missing:
        raise ConfigurationError(f"{offered}: {type(kind).__qualname__} lacks {', '.join(missing)}", remedy)
    return kind


def package_of(entry: EntryPoint) -> str:
    """The package that offers it, for people."""
    return entry.dist.name if entry.dist else "an installed package"
