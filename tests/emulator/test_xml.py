"""What every service reads and writes: well-formed, bounded, and never a document that no parser takes."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.xml import Element, Malformed, escape, parse, render

HEAD = "<?xml version='1.0'?>"


@given(st.text(st.characters(codec=None), max_size=60))
def test_whatever_is_written_can_be_parsed(text: str) -> None:
    """Control characters, lone surrogates and noncharacters become U+FFFD, everything else comes back."""
    found = ET.fromstring(render(HEAD, "A", [("B", text)])).findtext("B")  # noqa: S314 - our own text
    assert found == "".join(char if _in_xml(char) else "\ufffd" for char in text)


def _in_xml(char: str) -> bool:
    """Char of XML 1.0, section 2.2."""
    return char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char > "\uffff"


def test_quotes_are_written_as_they_are() -> None:
    """They need no escape in a text, and the services write none."""
    assert escape("\"'<&>\r") == "\"'&lt;&amp;&gt;&#13;"


def test_layout() -> None:
    """Two spaces for each level, an empty list in one element, no line break at the end."""
    text = render(HEAD, "A", [("B", 1), ("C", [("D", "x"), ("E", [])]), ("F", "")], xmlns="urn:x")
    assert text == (f'{HEAD}\n<A xmlns="urn:x">\n  <B>1</B>\n  <C>\n    <D>x</D>\n    <E/>\n  </C>\n  <F></F>\n</A>')
    assert render(HEAD, "A", []) == f"{HEAD}\n<A/>"
    assert render(HEAD, "A", "x") == f"{HEAD}\n<A>x</A>"


def test_elements() -> None:
    """Namespaces stand apart, text of parents is dropped, text of leaves is kept whole."""
    root = parse(b"<a xmlns='urn:x/'> <b> 1 </b><b>2</b> <c><d/></c></a>")
    assert (root.tag, root.namespace, root.text) == ("a", "urn:x", "")
    assert root.find("b") == Element("b", " 1 ", (), "urn:x")
    assert (root.value("b"), root.value("c", "d"), root.value("x", "d")) == ("1", "", None)
    assert root.texts() == {"b": "2", "c": ""}
    assert root.node() == ("a", [("b", "1"), ("b", "2"), ("c", [("d", "")])])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a>",
        b"<a>\0</a>",
        b"<!DOCTYPE a><a/>",
        b"<a>&undefined;</a>",
        "<a/>".encode("utf-16"),
        b"<a>" * 33 + b"</a>" * 33,
        b"<a>" * 100_000 + b"</a>" * 100_000,
    ],
)
def test_malformed(body: bytes) -> None:
    """Broken markup, other encodings, document types, and depths that no request has."""
    with pytest.raises(Malformed):
        parse(body)


def test_a_document_type_in_a_text_is_only_text() -> None:
    """Where it declares nothing it is harmless."""
    assert parse(b"<a><![CDATA[<!DOCTYPE html>]]></a>").text == "<!DOCTYPE html>"
