"""Reads and writes the XML documents of OSS, strictly: a web page must not pass for a bucket without a setting.

What cannot be read raises ValueError or `xml.etree.ElementTree.ParseError`, so that the request is sent again. It never
reads as an unset setting.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from xml.etree import ElementTree as ET

_ROOT = re.compile(rb"\s*(?:<\?xml[^>]*\?>\s*)?<([A-Za-z]+)[\s/>]")
"""The first element of a document as the service writes it: nothing but a declaration before it."""


def rooted(body: bytes, root: str) -> ET.Element:
    """The document, if it has the expected root.

    Raises:
        ValueError: it is another document.
        xml.etree.ElementTree.ParseError: it is none.
    """
    found = _ROOT.match(body)
    if found is None or found[1].decode() != root:
        raise ValueError(f"{root} was expected, not {found[1].decode() if found else 'no document'}")
    return ET.fromstring(body)  # noqa: S314 - from the service alone, and bounded


def unambiguous(body: bytes, root: str, several: Collection[str] = ()) -> ET.Element:
    """The same, if no element is there twice but those of which a document has `several`.

    Nothing says which of two holds, so neither is believed.

    Raises:
        ValueError: it is another document, or an element of it is there twice.
        xml.etree.ElementTree.ParseError: it is none.
    """
    document = rooted(body, root)
    for parent in document.iter():
        tags = [child.tag for child in parent if child.tag not in several]
        if len(set(tags)) < len(tags):
            raise ValueError(f"an element of {parent.tag} is there twice")
    return document


def required(parent: ET.Element, path: str) -> str:
    """The one text at a path.

    Raises:
        ValueError: there is none, an empty one, or more than one.
    """
    found = parent.findall(path)
    if len(found) != 1 or not found[0].text:
        raise ValueError(f"the answer has not one {path}")
    return found[0].text


def required_flag(parent: ET.Element, path: str) -> bool:
    """A `true` or `false` that has to be there.

    Raises:
        ValueError: it is not there, or is neither.
    """
    value = parent.findtext(path)
    if value not in ("true", "false"):
        raise ValueError(f"{path} is neither true nor false")
    return value == "true"


def flag(parent: ET.Element, path: str) -> bool | None:
    """An optional `true` or `false`; None when it is not there."""
    value = parent.findtext(path)
    return None if value is None else value.strip().lower() == "true"


def texts(parent: ET.Element, path: str) -> tuple[str, ...]:
    """Every text at a path, in their order."""
    return tuple(child.text or "" for child in parent.findall(path))


def add(parent: ET.Element, tag: str, value: str | bool | None) -> None:
    """Add an element with this text; nothing where there is no value."""
    if value is not None:
        ET.SubElement(parent, tag).text = str(value).lower() if isinstance(value, bool) else value


def add_all(parent: ET.Element, tag: str, values: Collection[str]) -> None:
    """Add an element for each text."""
    for value in values:
        add(parent, tag, value)
