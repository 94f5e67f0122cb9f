"""User and system properties of a message: read from a request, kept, and written back unchanged.

Limits: https://help.aliyun.com/zh/mns/developer-reference/message-properties (50 for each message, names of 256
characters, values of 4,096, and all of it counts towards the size of the message). How a request beyond them is refused
is not documented: here as every argument is that is out of its range.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emulator.mns.errors import Code, MnsRefusal, out_of_range
from emulator.xml import Element, Node

_USER_TYPES = frozenset({"STRING", "NUMBER", "BOOLEAN", "BINARY"})
_SYSTEM_TYPES = frozenset({"STRING"})
_MOST = 50
_NAME_CHARACTERS = 256
_VALUE_CHARACTERS = 4096
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\Z")
"""No period at either end, and no two in a row."""


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

    @property
    def size_bytes(self) -> int:
        """What they add to the size of their message: every name, type and value."""
        return sum(
            len(item.name.encode()) + len(item.type.encode()) + len(item.value.encode())
            for item in (*self.user, *self.system)
        )

    def nodes(self) -> Iterator[Node]:
        """The elements `<UserProperties>` and `<SystemProperties>`, each only when it has entries."""
        if self.user:
            yield "UserProperties", [_node("PropertyValue", item) for item in self.user]
        if self.system:
            yield "SystemProperties", [_node("SystemPropertyValue", item) for item in self.system]


NONE = Properties()


def read_properties(message: Element) -> Properties:
    """The properties of a `<Message>`; raises InvalidArgument for whatever is beyond the limits."""
    user = _read(message, "UserProperties", "PropertyValue", _USER_TYPES)
    system = _read(message, "SystemProperties", "SystemPropertyValue", _SYSTEM_TYPES)
    return Properties(user, system) if user or system else NONE


def _read(message: Element, container: str, entry: str, types: frozenset[str]) -> tuple[Property, ...]:
    found: dict[str, Property] = {}
    for holder in message.all(container):
        for element in holder.all(entry):
            item = _property(element, container, types)
            if item.name in found:
                raise MnsRefusal(Code.INVALID_ARGUMENT, container)
            found[item.name] = item
    if len(found) > _MOST:
        raise out_of_range(container, 0, _MOST, "")
    return tuple(found.values())


def _property(element: Element, container: str, types: frozenset[str]) -> Property:
    fields = element.texts()
    item = Property(fields.get("Name", ""), fields.get("Value", ""), fields.get("Type", "STRING"))
    if not _NAME.match(item.name) or item.type not in types:
        raise MnsRefusal(Code.INVALID_ARGUMENT, container)
    if item.type == "BOOLEAN" and item.value not in ("true", "false"):
        raise MnsRefusal(Code.INVALID_ARGUMENT, item.name)
    if len(item.name) > _NAME_CHARACTERS:
        raise out_of_range(container, 1, _NAME_CHARACTERS, "characters")
    if len(item.value) > _VALUE_CHARACTERS:
        raise out_of_range(item.name, 0, _VALUE_CHARACTERS, "characters")
    return item


def _node(entry: str, item: Property) -> Node:
    return entry, [("Name", item.name), ("Value", item.value), ("Type", item.type)]
