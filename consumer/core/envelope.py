"""Unwraps a queue body down to the JSON object inside: XML, JSON or SIMPLIFIED envelopes, base64 or plain.

A topic pushes to a queue in one of three formats, and Cloud Config publishes base64 text, so the object we want may
be wrapped twice. Everything here comes from outside and is hostile until proven otherwise: no entities, no recursion
beyond `MAX_LAYERS`, strict base64, strict JSON. Pure.

Formats: https://www.alibabacloud.com/help/en/mns/developer-reference/notifycontentformat
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from xml.parsers import expat

from consumer.core import json_text
from consumer.core.errors import InvalidMessage

MAX_LAYERS = 6
"""base64 of an envelope around base64 around a CloudEvent is five; more is not from this world."""

MAX_BODY_CHARACTERS = 1 << 18
"""Well above the service's 64 KiB limit on a message, so that only something absurd is turned away unread."""

JsonObject = dict[str, Any]


def unwrap(body: str) -> JsonObject:
    """The innermost JSON object of a queue body.

    Raises:
        InvalidMessage: the body holds no such object; the reason names the layer that did not parse.
    """
    if len(body) > MAX_BODY_CHARACTERS:
        raise InvalidMessage("too_large", f"the body has {len(body)} characters")
    for _ in range(MAX_LAYERS):
        text = body.strip("\ufeff \t\r\n")
        if not text:
            raise InvalidMessage("empty", "the body is empty")
        if text.startswith("{"):
            found = _json_object(text)
            inner = _wrapped(found)
            if isinstance(inner, dict):
                return inner
            body = inner
        elif text.startswith("<"):
            body = _xml_message(text)
        else:
            body = _base64_text(text)
    raise InvalidMessage("too_many_layers", f"the body is wrapped more than {MAX_LAYERS} times")


def _wrapped(found: JsonObject) -> JsonObject | str:
    """What a JSON envelope or a CloudEvent carries; the object itself when it is neither."""
    message = found.get("Message")
    if isinstance(message, str) and "TopicName" in found:
        return message
    data = found.get("data")
    if isinstance(data, dict) and "specversion" in found:
        return data
    return found


def _json_object(text: str) -> JsonObject:
    try:
        found = json_text.parse(text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
    except InvalidMessage:
        raise
    except json_text.NestedTooDeep as error:
        raise InvalidMessage("nested_too_deep", f"the JSON is refused: {error}") from None
    except ValueError as error:
        raise InvalidMessage("not_json", f"the body is not JSON: {error}") from None
    assert isinstance(found, dict)  # the text begins with a brace
    return found


def _without_duplicates(pairs: list[tuple[str, Any]]) -> JsonObject:
    """Two parsers may choose differently between equal keys, so what was checked might not be what is used."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidMessage("duplicate_key", "the JSON has the same key twice in one object")
    return found


def _no_constant(name: str) -> float:
    raise InvalidMessage("not_json", f"the JSON holds {name}, which is not JSON")


def _base64_text(text: str) -> str:
    if text.startswith(("[", '"')):
        raise InvalidMessage("not_an_object", "the JSON is not an object")
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidMessage("not_base64", "the body is neither JSON nor XML nor base64") from None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidMessage("not_utf8", "the decoded body is not UTF-8 text") from None


class _MessageReader:
    """Collects the text of the `Message` element of a notification, and refuses what XML can hide."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._parts: list[str] = []
        self.message: str | None = None

    def open(self, name: str, _attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > MAX_LAYERS:
            raise InvalidMessage("nested_too_deep", "the XML is nested too deep")

    def text(self, data: str) -> None:
        if self._path == ["Notification", "Message"]:
            self._parts.append(data)

    def close(self, _name: str) -> None:
        if self._path == ["Notification", "Message"]:
            if self.message is not None:
                raise InvalidMessage("duplicate_key", "the notification has two Message elements")
            self.message = "".join(self._parts)
        self._path.pop()


def _forbidden(*_details: object) -> None:
    raise InvalidMessage("xml_doctype", "the XML declares a document type or entities")


def _xml_message(text: str) -> str:
    """The `Message` of an XML notification.

    The documentation's own sample closes an element after it with the wrong name, so once the message has been
    read whole, what follows it may be broken.
    """
    reader = _MessageReader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.open
    parser.EndElementHandler = reader.close
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _forbidden
    parser.EntityDeclHandler = _forbidden
    try:
        # As str: expat then ignores the declared encoding, which no longer means anything once the body is text.
        parser.Parse(text, True)
    except (expat.ExpatError, UnicodeEncodeError, ValueError, LookupError) as error:
        if reader.message is None:
            raise InvalidMessage("not_xml", f"the XML does not parse: {error}") from None
    if reader.message is None:
        raise InvalidMessage("no_message", "the XML is not a notification with a Message element")
    return reader.message
