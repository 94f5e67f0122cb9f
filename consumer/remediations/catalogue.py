"""The catalogue of repairs: every class below this package that can be made, and every one that is installed besides.

A new repair is one file in the package of its resource; nothing has to be registered. A package of somebody else's
adds its own through the entry point group `config_remediator.remediations`: see docs/writing-a-remediation.md.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from inspect import isabstract
from typing import Any, ClassVar, Protocol, TypeGuard

from consumer import remediations
from consumer.core.errors import ConfigurationError
from consumer.remediations.base import AnyRemediation, Options, Remediation
from consumer.resources.base import ResourceKind
from consumer.resources.catalogue import ENTRY_POINT_GROUP as KINDS_GROUP
from consumer.resources.catalogue import kinds, package_of

ENTRY_POINT_GROUP = "config_remediator.remediations"

_TEXTS = ("name", "summary", "reversible", "may_break")
_LISTS = ("repairs", "actions", "optional_actions", "undo_actions")


class RemediationType(Protocol):
    """A remediation's class: what `config-remediator rules` shows, and made from its options."""

    name: ClassVar[str]
    summary: ClassVar[str]
    repairs: ClassVar[tuple[str, ...]]
    reversible: ClassVar[str]
    may_break: ClassVar[str]
    actions: ClassVar[tuple[str, ...]]
    optional_actions: ClassVar[tuple[str, ...]]
    undo_actions: ClassVar[tuple[str, ...]]
    kind: ClassVar[ResourceKind]
    Options: ClassVar[type[Options]]

    def __call__(self, options: Any) -> AnyRemediation: ...


@cache
def catalogue() -> dict[str, RemediationType]:
    """Every remediation by name, built in and installed.

    Raises:
        ConfigurationError: an installed package offers something that is not a remediation, or takes a taken name.
    """
    found = {repair.name: repair for repair in _built_in()}
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        repair = _installed(entry)
        if repair.name in found:
            package = package_of(entry)
            text = f"entry point {entry.name} of {package}: the name {repair.name} is already taken"
            raise ConfigurationError(text, f"uninstall {package}, or the package that has taken the name")
        found[repair.name] = repair
    return dict(sorted(found.items()))


def _built_in() -> Iterator[RemediationType]:
    for file in pkgutil.walk_packages(remediations.__path__, f"{remediations.__name__}."):
        if file.name == __name__:
            continue
        module = import_module(file.name)
        for repair in vars(module).values():
            if _is_remediation(repair) and repair.__module__ == module.__name__:
                yield repair


def _installed(entry: EntryPoint) -> RemediationType:
    """The class behind an entry point.

    Raises:
        ConfigurationError: it cannot be imported, or it is not a whole remediation.
    """
    package = package_of(entry)
    offered = f"entry point {entry.name} of {ENTRY_POINT_GROUP} in {package}"
    remedy = f"repair or uninstall {package}"
    try:
        repair = entry.load()
    except Exception as error:
        raise ConfigurationError(f"{offered} cannot be loaded: {type(error).__name__}: {error}", remedy) from error
    if not _is_remediation(repair):
        raise ConfigurationError(f"{offered} is not a Remediation class with all its methods", remedy)
    if missing := _missing(repair):
        raise ConfigurationError(f"{offered}: {entry.attr} lacks {', '.join(missing)}", remedy)
    kind = repair.kind
    if kinds().get(kind.resource_type) is not kind:
        text = f"{offered}: its kind, of {kind.resource_type}, is offered by no entry point of {KINDS_GROUP}"
        raise ConfigurationError(text, remedy)
    if getattr(repair, "creates_bucket", False):
        text = f"{offered}: {entry.attr} has creates_bucket, which nothing reads any more"
        raise ConfigurationError(text, f"have {package} write recover(): docs/writing-a-remediation.md")
    return repair


def _is_remediation(repair: object) -> TypeGuard[RemediationType]:
    return isinstance(repair, type) and issubclass(repair, Remediation) and not isabstract(repair)


def _missing(repair: RemediationType) -> list[str]:
    """The class attributes that are not there or of the wrong type."""
    wrong = [name for name in _TEXTS if not isinstance(getattr(repair, name, None), str)]
    wrong += [name for name in _LISTS if not isinstance(getattr(repair, name, None), tuple)]
    wrong += [] if isinstance(getattr(repair, "kind", None), ResourceKind) else ["kind"]
    options = getattr(repair, "Options", None)
    return wrong if isinstance(options, type) and issubclass(options, Options) else [*wrong, "Options"]
