"""A topic that keeps what is published, and the schema that all of it has to fit."""

from __future__ import annotations

import json
from collections import deque
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft202012Validator

from consumer.announcements.document import LARGEST_BYTES
from consumer.core.errors import ServiceError

Document = dict[str, Any]


@cache
def schema() -> Draft202012Validator:
    """The schema that is shipped."""
    return _validator("consumer.announcements", "announcement.schema.json")


@cache
def first_schema() -> Draft202012Validator:
    """The schema of version 1 as it was when it was first released, by which receivers may still check."""
    return _validator("tests.unit.announcements", "first.schema.json")


def _validator(package: str, name: str) -> Draft202012Validator:
    document = json.loads(resources.files(package).joinpath(name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def checked(body: str) -> Document:
    """The document in a body: it fits the topic, the schema of today and the first one, and has every field of today.

    Fields that were added are not required by the schema, for messages of an older replica lack them.
    """
    assert body.isascii()
    assert len(body) <= LARGEST_BYTES
    document: Document = json.loads(body)
    schema().validate(document)
    first_schema().validate(document)
    data, forms = document["data"], schema().schema["$defs"]
    assert set(data) == set(forms[data["form"]]["properties"])
    entry = forms["digest"]["properties"]["entries"]["items"]["properties"]
    for found in data.get("entries", ()):
        assert set(found) == set(entry)
    return document


class Published:
    """A topic that takes everything but what it is told to refuse."""

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.tags: list[str] = []
        self.failures: deque[ServiceError] = deque()
        self.tries = 0

    def publish(self, body: str, tag: str) -> str:
        """Take one."""
        self.tries += 1
        if self.failures:
            raise self.failures.popleft()
        self.documents.append(checked(body))
        self.tags.append(tag)
        assert len(tag) <= 16, "as long as the service lets a tag be"
        return str(len(self.documents))

    @property
    def kinds(self) -> list[str]:
        """What was published, in order."""
        return [document["data"]["kind"] for document in self.documents]
