"""How OSS reads and lays out its documents: a declaration with an encoding, a line break at the end."""

from __future__ import annotations

from collections.abc import Sequence

from emulator import xml
from emulator.oss.errors import Refusal
from emulator.xml import Element, Malformed, Node

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


def parse(body: bytes, root: str) -> Element:
    """The body's root element; raises Refusal(MalformedXML) unless it is well-formed and called `root`."""
    try:
        found = xml.parse(body)
    except Malformed as error:
        raise Refusal("MalformedXML", ErrorDetail=str(error)) from error
    if found.tag != root:
        raise Refusal("MalformedXML")
    return found


def render(tag: str, content: str | Sequence[Node]) -> bytes:
    """A whole body."""
    return (xml.render(_DECLARATION, tag, content) + "\n").encode()
