"""Reads request bodies and writes answer bodies; knows the syntax, not the meaning.

Answers are written as the service was recorded to write them: one line, no prefixes, and the namespace without
the trailing slash that requests carry.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.parsers import expat

REQUEST_NAMESPACE = "http://mns.aliyuncs.com/doc/v1"
_HEAD = '<?xml version="1.0"?>\n'


class Malformed(ValueError):
    """The body is not an XML document this service reads."""


def read(body: bytes) -> Element:
    """The root element of a UTF-8 document.

    Raises Malformed when it is not well-formed, not UTF-8, or declares a document type: entities could make a
    small body enormous, and the protocol has no use for them.
    """
    # A NUL byte gives away UTF-16, in which the search for a document type below would be blind.
    if b"\0" in body:
        raise Malformed
    if b"<!DOCTYPE" in body:
        _refuse_document_type(body)
    try:
        return fromstring(body)  # noqa: S314 - document types were refused above
    except (ParseError, ValueError, LookupError) as error:
        raise Malformed from error


def _refuse_document_type(body: bytes) -> None:
    """Raise Malformed unless the words stand in text, where they are harmless."""

    def found(*_: object) -> None:
        raise Malformed

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = found
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise Malformed from error


def name_of(element: Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def namespace_of(element: Element) -> str:
    """The element's namespace without a trailing slash; empty when it has none."""
    return element.tag.rpartition("}")[0].lstrip("{").rstrip("/")


def children(element: Element, name: str) -> Iterator[Element]:
    """The direct children of that name, whatever their namespace."""
    return (child for child in element if name_of(child) == name)


def texts(element: Element) -> dict[str, str]:
    """The text of every direct child by name; the last of several wins."""
    return {name_of(child): child.text or "" for child in element}


def escape(text: str) -> str:
    """Text as element content; carriage returns are written so that a parser gives them back."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if "\r" in text:
        text = text.replace("\r", "&#13;")
    return text


def leaf(name: str, value: str | int) -> str:
    """One element with text."""
    return f"<{name}>{escape(value) if isinstance(value, str) else value}</{name}>"


def branch(name: str, inner: str) -> str:
    """One element with elements that are already written."""
    return f"<{name}>{inner}</{name}>"


def document(root: str, inner: str) -> bytes:
    """A whole answer body."""
    return f'{_HEAD}<{root} xmlns="{REQUEST_NAMESPACE}">{inner}</{root}>'.encode()
