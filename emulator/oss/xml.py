"""XML in and out: strict parsing of request bodies, and rendering the way the service prints.

Document type declarations are refused, so neither entities nor external files exist here. Nothing in this
module knows an operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias
from xml.parsers import expat
from xml.sax.saxutils import escape

from emulator.oss.errors import Refusal

Node: TypeAlias = "tuple[str, str | list[Node]]"
"""A tag with its text or with its children, ready to be rendered."""

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a parsed body; text around children is dropped."""

    tag: str
    text: str
    children: tuple[Element, ...]

    def all(self, tag: str) -> Iterator[Element]:
        """The children of that tag, in order."""
        return (child for child in self.children if child.tag == tag)

    def find(self, *path: str) -> Element | None:
        """The first element down the path of tags, or None."""
        found: Element | None = self
        for tag in path:
            found = next(found.all(tag), None) if found is not None else None
        return found

    def value(self, *path: str) -> str | None:
        """The text of the first element down the path, or None when there is no such element."""
        found = self.find(*path)
        return None if found is None else found.text

    def node(self) -> Node:
        """The same element, ready to be rendered."""
        return (self.tag, [child.node() for child in self.children] if self.children else self.text)


class _Builder:
    """Receives expat's events and keeps the elements that are still open."""

    def __init__(self) -> None:
        self._open: list[tuple[str, list[str], list[Element]]] = []
        self.root: Element | None = None

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        if len(self._open) >= _DEEPEST:
            raise Refusal("MalformedXML")
        self._open.append((tag, [], []))

    def data(self, text: str) -> None:
        self._open[-1][1].append(text)

    def end(self, _tag: str) -> None:
        tag, texts, children = self._open.pop()
        element = Element(tag, "" if children else "".join(texts).strip(), tuple(children))
        if self._open:
            self._open[-1][2].append(element)
        else:
            self.root = element

    def doctype(self, *_declaration: object) -> None:
        raise Refusal("MalformedXML")


def parse(body: bytes, root: str) -> Element:
    """The body's root element; raises Refusal(MalformedXML) unless it is well-formed and called `root`."""
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.buffer_text = True
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Refusal("MalformedXML", ErrorDetail=str(error)) from error
    if builder.root is None or builder.root.tag != root:
        raise Refusal("MalformedXML")
    return builder.root


def render(tag: str, content: str | list[Node]) -> bytes:
    """A document, two-space indented with a declaration, as the service prints them."""
    lines: list[str] = [_DECLARATION]
    _write(lines, tag, content, "")
    return "".join(lines).encode("utf-8", "replace")


def _write(lines: list[str], tag: str, content: str | list[Node], indent: str) -> None:
    if isinstance(content, str):
        lines.append(f"{indent}<{tag}>{escape(content)}</{tag}>\n")
    elif not content:
        lines.append(f"{indent}<{tag}/>\n")
    else:
        lines.append(f"{indent}<{tag}>\n")
        deeper = indent + "  "
        for child_tag, child in content:
            _write(lines, child_tag, child, deeper)
        lines.append(f"{indent}</{tag}>\n")
