"""The catalogue of repairs: one file each, found by name.

A package of somebody else's adds its own through the entry point group `config_remediator.remediations`; the entry's
value is a `Remediation` class with an `Options` class attribute.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any, Protocol, cast

from consumer.errors import ConfigurationError
from consumer.remediations.base import Options, Remediation
from consumer.remediations.bucket_acl import BucketAcl

ENTRY_POINT_GROUP = "config_remediator.remediations"


class RemediationType(Protocol):
    """A remediation's class: made from its options."""

    name: str
    Options: type[Options]

    def __call__(self, options: Any) -> Remediation[Any]: ...


_BUILT_IN: tuple[Any, ...] = (BucketAcl,)


@cache
def catalogue() -> dict[str, RemediationType]:
    """Every remediation by name, built in and installed.

    Raises:
        ConfigurationError: an installed package offers something that is not a remediation, or takes a taken name.
    """
    found: dict[str, RemediationType] = {kind.name: cast("RemediationType", kind) for kind in _BUILT_IN}
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        kind = entry.load()
        if not (isinstance(kind, type) and issubclass(kind, Remediation)):
            raise ConfigurationError(f"entry point {entry.name} of {ENTRY_POINT_GROUP} is not a Remediation class")
        if kind.name in found:
            raise ConfigurationError(f"entry point {entry.name}: the name {kind.name} is already taken")
        found[kind.name] = cast("RemediationType", kind)
    return found
