"""XML in and out for every emulated service: strict parsing of requests, rendering in the services' layout.

Document type declarations are refused, so neither entities nor external files exist here. Knows no service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from xml.etree import ElementTree as ET
from xml.parsers import expat

Node: TypeAlias = "tuple[str, str | int | Sequence[Node]]"
"""A tag with its text or with its children, ready to be rendered."""

_DEEPEST = 32
_TO_WRITE_OTHERWISE = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Malformed(ValueError):
    """The body is no XML document that a service reads."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a parsed body; text around children is dropped."""

    tag: str
    """Without its namespace."""
    text: str
    """As it was sent, white space included."""
    children: tuple[Element, ...] = ()
    namespace: str = ""
    """Without a trailing slash; empty when there is none."""

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
        """The text of the first element down the path without white space around it; None without an element."""
        found = self.find(*path)
        return None if found is None else found.text.strip()

    def texts(self) -> dict[str, str]:
        """The text of every child by tag; the last of several wins."""
        return {child.tag: child.text for child in self.children}

    def node(self) -> Node:
        """The same element, ready to be rendered."""
        return (self.tag, [child.node() for child in self.children] if self.children else self.text.strip())


def parse(body: bytes) -> Element:
    """The root element; raises Malformed unless it is well-formed, flat enough and declares no document type."""
    # A NUL byte gives away UTF-16, in which the search for a document type below would be blind.
    if b"\0" in body:
        raise Malformed("not UTF-8")
    if b"<!DOCTYPE" in body:
        _refuse_document_type(body)
    try:
        root = ET.fromstring(body)  # noqa: S314 - document types were refused above
    except (ET.ParseError, ValueError, LookupError) as error:
        raise Malformed(str(error)) from error
    return _element(root, 1)


def _refuse_document_type(body: bytes) -> None:
    """Raise Malformed unless the words stand in text, where they are harmless."""

    def found(*_: object) -> None:
        raise Malformed("a document type is declared")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = found
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise Malformed(str(error)) from error


def _element(found: ET.Element, depth: int) -> Element:
    if depth > _DEEPEST:
        raise Malformed("nested too deep")
    namespace, _, tag = found.tag.rpartition("}")
    children = tuple(_element(child, depth + 1) for child in found)
    return Element(tag, "" if children else found.text or "", children, namespace.lstrip("{").rstrip("/"))


class Unescaped(str):
    """Text that is written into a document as it is, whatever that does to the document."""

    __slots__ = ()


def as_read(text: str) -> str:
    """What a parser reads where `text` was written."""
    return _TO_WRITE_OTHERWISE.sub(lambda found: found[0] if found[0] == "\r" else "\ufffd", text)


def escape(text: str) -> str:
    """Text as element content that a parser gives back; what XML cannot hold becomes U+FFFD. Quotes stay."""
    if isinstance(text, Unescaped):
        return str(text)
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    return text if text.isprintable() else _TO_WRITE_OTHERWISE.sub(_written_otherwise, text)


def _written_otherwise(found: re.Match[str]) -> str:
    return "&#13;" if found[0] == "\r" else "\ufffd"


def render(declaration: str, tag: str, content: str | Sequence[Node], xmlns: str = "") -> str:
    """A document as the services lay it out: two spaces for each level, no line break at the end."""
    start = f'{tag} xmlns="{xmlns}"' if xmlns else tag
    if isinstance(content, str):
        return f"{declaration}\n<{start}>{escape(content)}</{tag}>"
    if not content:
        return f"{declaration}\n<{start}/>"
    lines = [declaration, f"<{start}>"]
    _write(lines, content, "  ")
    lines.append(f"</{tag}>")
    return "\n".join(lines)


def _write(lines: list[str], nodes: Sequence[Node], indent: str) -> None:
    for tag, content in nodes:
        if isinstance(content, str):
            lines.append(f"{indent}<{tag}>{escape(content)}</{tag}>")
        elif isinstance(content, int):
            lines.append(f"{indent}<{tag}>{content}</{tag}>")
        elif content:
            lines.append(f"{indent}<{tag}>")
            _write(lines, content, indent + "  ")
            lines.append(f"{indent}</{tag}>")
        else:
            lines.append(f"{indent}<{tag}/>")
