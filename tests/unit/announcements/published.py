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
    text = resources.files("consumer.announcements").joinpath("announcement.schema.json").read_text(encoding="utf-8")
    document = json.loads(text)
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def checked(body: str) -> Document:
    """The document in a body, which fits the schema and the topic."""
    assert body.isascii()
    assert len(body) <= LARGEST_BYTES
    document: Document = json.loads(body)
    schema().validate(document)
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
