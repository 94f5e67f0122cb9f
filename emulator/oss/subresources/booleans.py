"""How the service reads and prints `true` and `false`: any case in, lower case out."""

from __future__ import annotations

from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.xml import Element

_VALUES = {"true": True, "false": False}


def flag(element: Element, tag: str) -> bool:
    """A required flag; raises Refusal(MalformedXML) when it is missing or neither true nor false."""
    value = _VALUES.get((element.value(tag) or "").lower())
    if value is None:
        raise OssRefusal(Oss.MALFORMED)
    return value


def optional_flag(element: Element, tag: str) -> bool | None:
    """A flag that may be left out (None); raises Refusal(MalformedXML) when it is neither true nor false."""
    return None if element.find(tag) is None else flag(element, tag)


def shown(value: bool) -> str:
    """The flag as the service prints it."""
    return "true" if value else "false"
