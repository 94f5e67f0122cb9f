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
from typing import Any, ClassVar, Protocol, cast

from consumer.core.errors import ConfigurationError
from consumer.remediations import oss
from consumer.remediations.base import Options, Remediation

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
    resource_type: ClassVar[str]
    Options: ClassVar[type[Options]]

    def __call__(self, options: Any) -> Remediation[Any]: ...


@cache
def catalogue() -> dict[str, RemediationType]:
    """Every remediation by name, built in and installed.

    Raises:
        ConfigurationError: an installed package offers something that is not a remediation, or takes a taken name.
    """
    found = {kind.name: kind for kind in _built_in()}
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        kind = _installed(entry)
        if kind.name in found:
            package = entry.dist.name if entry.dist else "an installed package"
            text = f"entry point {entry.name} of {package}: the name {kind.name} is already taken"
            raise ConfigurationError(text, f"uninstall {package}, or the package that has taken the name")
        found[kind.name] = kind
    return dict(sorted(found.items()))


def _built_in() -> Iterator[RemediationType]:
    for file in pkgutil.iter_modules(oss.__path__):
        module = import_module(f"{oss.__name__}.{file.name}")
        for kind in vars(module).values():
            if _is_remediation(kind) and kind.__module__ == module.__name__:
                yield cast("RemediationType", kind)


def _installed(entry: EntryPoint) -> RemediationType:
    """The class behind an entry point.

    Raises:
        ConfigurationError: it cannot be imported, or it is not a whole remediation.
    """
    package = entry.dist.name if entry.dist else "an installed package"
    offered = f"entry point {entry.name} of {ENTRY_POINT_GROUP} in {package}"
    remedy = f"mend or uninstall {package}"
    try:
        kind = entry.load()
    except Exception as error:
        raise ConfigurationError(f"{offered} cannot be loaded: {type(error).__name__}: {error}", remedy) from error
    if not _is_remediation(kind):
        raise ConfigurationError(f"{offered} is not a Remediation class with all its methods", remedy)
    if missing := _missing(kind):
        raise ConfigurationError(f"{offered}: {kind.__qualname__} lacks {', '.join(missing)}", remedy)
    return cast("RemediationType", kind)


def _is_remediation(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Remediation) and not isabstract(kind)


def _missing(kind: type) -> list[str]:
    """The class attributes that are not there or of the wrong type."""
    wrong = [name for name in _TEXTS if not isinstance(getattr(kind, name, None), str)]
    wrong += [name for name in _LISTS if not isinstance(getattr(kind, name, None), tuple)]
    options = getattr(kind, "Options", None)
    return wrong if isinstance(options, type) and issubclass(options, Options) else [*wrong, "Options"]
