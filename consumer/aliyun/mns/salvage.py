"""Takes out of a damaged XML document the messages that can still be separated, in time linear in its size.

A parser gives a whole document up for one character that XML does not allow, such as a control character that somebody
put into a message. The service writes each element on its own, without attributes, and escapes every `<` in a text, so
that the tags can be found without a parser. Nothing here searches a text twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_REFERENCE = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#([0-9]{1,7})|#[xX]([0-9A-Fa-f]{1,6}));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_TAG = re.compile(rb"<(/?)([A-Za-z][A-Za-z0-9]{0,63})>")


def elements(document: bytes, name: bytes) -> Iterator[bytes]:
    """Every whole element of a name, with its tags; what has lost one of its tags costs no other its own."""
    opening, closing = b"<" + name + b">", b"</" + name + b">"
    position = 0
    while (end := document.find(closing, position)) >= 0:
        start = document.rfind(opening, position, end)
        position = end + len(closing)
        if start >= 0:
            yield document[start:position]


def salvaged(element: bytes) -> dict[str, str]:
    """The text of each child that stands within its own two tags; of two with one name the first."""
    found: dict[str, str] = {}
    opened, begun = b"", 0
    for tag in _TAG.finditer(element):
        closes, name = bool(tag[1]), tag[2]
        if not closes:
            opened, begun = name, tag.end()
        elif name == opened:
            found.setdefault(name.decode("ascii"), _text(element[begun : tag.start()]))
            opened = b""
    return found


def _text(raw: bytes) -> str:
    """Without references; what is not UTF-8, or no character, stays as it was written."""
    return _REFERENCE.sub(_character, raw.decode("utf-8", "backslashreplace"))


def _character(reference: re.Match[str]) -> str:
    if reference[1]:
        return _NAMED[reference[1]]
    code = int(reference[2]) if reference[2] else int(reference[3], 16)
    is_character = code < 0x11_0000 and not 0xD800 <= code < 0xE000
    return chr(code) if is_character else reference[0]
