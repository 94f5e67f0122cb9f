"""The routing table: which operation a level, a method and a sub-resource mean."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.oss import creation
from emulator.oss.call import Level, Operation
from emulator.oss.subresources import acl

_MODULES = (creation, acl)

ROUTES: dict[tuple[Level, str, str], Operation] = {
    (operation.level, operation.method, operation.subresource): operation
    for module in _MODULES
    for operation in module.OPERATIONS
}
SUBRESOURCES = frozenset(operation.subresource for operation in ROUTES.values() if operation.subresource)


def subresource(query: Mapping[str, str]) -> str:
    """The sub-resource that a query names, or an empty string."""
    for name in query:
        if name in SUBRESOURCES:
            return name
    return ""
