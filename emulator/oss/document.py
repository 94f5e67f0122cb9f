"""How OSS reads and lays out its documents: a declaration with an encoding, a line break at the end."""

from __future__ import annotations

import re
from collections.abc import Sequence

from emulator import xml
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.xml import Element, Malformed, Node

_FORBIDDEN = (*range(1, 9), 11, 12, *range(14, 32))
_HIDDEN = {char: 0xE000 + char for char in _FORBIDDEN}
"""Stand-ins from the private use area while expat reads."""
_SHOWN = {hidden: char for char, hidden in _HIDDEN.items()}
_REFERENCE = re.compile("&#0*({});".format("|".join(map(str, _FORBIDDEN))))
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


def parse(body: bytes, root: str) -> Element:
    """The body's root element; raises Refusal(MalformedXML) unless it is well-formed and called `root`."""
    try:
        found = xml.parse(body)
    except Malformed as error:
        raise OssRefusal(Oss.MALFORMED, ErrorDetail=str(error)) from error
    if found.tag != root:
        raise OssRefusal(Oss.MALFORMED)
    return found


def parse_with_any_character(body: bytes, root: str) -> Element:
    """The same for a document in which keys may hold characters that XML forbids, raw or as a reference.

    The service takes `&#1;` and a raw form feed in the list of keys to delete.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise OssRefusal(Oss.MALFORMED, ErrorDetail=str(error)) from error
    hidden = _REFERENCE.sub(lambda found: chr(int(found[1])), text) if "&#" in text else text
    found = parse(hidden.translate(_HIDDEN).encode(), root)
    return _shown(found)


def _shown(element: Element) -> Element:
    children = tuple(_shown(child) for child in element.children)
    return Element(element.tag, element.text.translate(_SHOWN), children, element.namespace)


def render(tag: str, content: str | Sequence[Node]) -> bytes:
    """A whole body."""
    return (xml.render(_DECLARATION, tag, content) + "\n").encode()
