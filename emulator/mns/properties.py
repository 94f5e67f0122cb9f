"""User and system properties of a message: read from a request, kept, and written back unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emulator.mns.errors import Code, Refusal
from emulator.xml import Element, Node

_USER_TYPES = frozenset({"STRING", "NUMBER", "BOOLEAN", "BINARY"})
_SYSTEM_TYPES = frozenset({"STRING"})


@dataclass(frozen=True, slots=True)
class Property:
    """One typed property; the value stays the text it was sent as (BINARY is base64)."""

    name: str
    value: str
    type: str


@dataclass(frozen=True, slots=True)
class Properties:
    """Both kinds of properties of one message, in the order they were sent."""

    user: tuple[Property, ...] = ()
    system: tuple[Property, ...] = ()

    def with_system(self, added: Iterable[Property]) -> Properties:
        """The same with further system properties, which replace earlier ones of the same name."""
        merged = {item.name: item for item in (*self.system, *added)}
        return Properties(self.user, tuple(merged.values()))

    def nodes(self) -> Iterator[Node]:
        """The elements `<UserProperties>` and `<SystemProperties>`, each only when it has entries."""
        if self.user:
            yield "UserProperties", [_node("PropertyValue", item) for item in self.user]
        if self.system:
            yield "SystemProperties", [_node("SystemPropertyValue", item) for item in self.system]


NONE = Properties()


def read_properties(message: Element) -> Properties:
    """The properties of a `<Message>`; raises InvalidArgument for a missing name or an unknown type."""
    user = _read(message, "UserProperties", "PropertyValue", _USER_TYPES)
    system = _read(message, "SystemProperties", "SystemPropertyValue", _SYSTEM_TYPES)
    return Properties(user, system) if user or system else NONE


def _read(message: Element, container: str, entry: str, types: frozenset[str]) -> tuple[Property, ...]:
    found: dict[str, Property] = {}
    for holder in message.all(container):
        for element in holder.all(entry):
            fields = element.texts()
            item = Property(fields.get("Name", ""), fields.get("Value", ""), fields.get("Type", "STRING"))
            if not item.name or item.type not in types:
                raise Refusal(Code.INVALID_ARGUMENT, container)
            found[item.name] = item
    return tuple(found.values())


def _node(entry: str, item: Property) -> Node:
    return entry, [("Name", item.name), ("Value", item.value), ("Type", item.type)]
