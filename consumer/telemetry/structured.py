"""Structured lines: `logger.info("dotted.name", key=value)` becomes one set of fields, and that one line of text.

How a line looks and where it goes is one for the process; `consumer.telemetry.log` decides it.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from consumer.telemetry.redaction import redactor

LineFields = dict[str, Any]
"""Of one line, in the order in which they are shown."""

_ENCODE = json.JSONEncoder().encode
_LEVELS = {level: logging.getLevelName(level).lower() for level in (10, 20, 30, 40, 50)}


@dataclass(frozen=True, slots=True)
class LogSink:
    """Where lines go."""

    level: int
    """The least severe that is written, as `logging` numbers them."""
    render: Callable[[LineFields], str]
    write: Callable[[str], object]


def as_json(fields: LineFields) -> str:
    """One line of JSON, without secrets."""
    try:
        line = _ENCODE(fields)
    except (TypeError, ValueError, RecursionError):  # something in it is not of JSON's types
        line = ""
    return line if line and redactor.harmless(line) else _ENCODE(redactor.clean_fields(fields))


def _plainly(text: str) -> None:
    sys.stdout.write(f"{text}\n")


UNDECIDED = LogSink(logging.INFO, as_json, _plainly)
"""Until somebody decides otherwise."""

_sink = UNDECIDED


def use(sink: LogSink) -> None:
    """Send every line there from now on."""
    global _sink
    _sink = sink


class StructuredLogger:
    """Writes lines under one name; usable by every thread, and made before it is decided where they go."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def is_enabled_for(self, level: int) -> bool:
        """Whether lines of that level are written."""
        return level >= _sink.level

    def log(self, level: int, event: str, /, **fields: Any) -> None:
        """Write a line; `exc_info=True`, or an exception there, adds its traceback without local variables."""
        sink = _sink
        if level >= sink.level:
            sink.write(sink.render(complete({**fields, "event": event}, _LEVELS[level], self._name)))

    def debug(self, event: str, /, **fields: Any) -> None:
        """A detail."""
        self.log(logging.DEBUG, event, **fields)

    def info(self, event: str, /, **fields: Any) -> None:
        """Something that is as it should be."""
        self.log(logging.INFO, event, **fields)

    def warning(self, event: str, /, **fields: Any) -> None:
        """Something to look at."""
        self.log(logging.WARNING, event, **fields)

    def error(self, event: str, /, **fields: Any) -> None:
        """Something that failed."""
        self.log(logging.ERROR, event, **fields)

    def exception(self, event: str, /, **fields: Any) -> None:
        """Something that failed, with the exception that is being handled."""
        self.log(logging.ERROR, event, **{"exc_info": True, **fields})


def of_record(record: logging.LogRecord) -> LineFields:
    """The fields of a line that came by `logging`."""
    fields: LineFields = {"event": record.getMessage(), "exc_info": record.exc_info}
    if record.stack_info:
        fields["stack"] = record.stack_info
    return complete(fields, record.levelname.lower(), record.name)


def complete(fields: LineFields, level: str, name: str) -> LineFields:
    """The fields with what every line has."""
    moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    fields |= {"level": level, "logger": name, "timestamp": moment}
    if raised := _raised(fields.pop("exc_info", None)):
        fields["exception"] = "".join(traceback.format_exception(raised)).removesuffix("\n")
    return fields


def _raised(given: Any) -> BaseException | None:
    """The exception that `exc_info` stands for, in any of its forms."""
    if isinstance(given, tuple):
        given = given[1]
    if isinstance(given, BaseException):
        return given
    return sys.exc_info()[1] if given else None
