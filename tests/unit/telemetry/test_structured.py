"""One line of the log: what is in it, in which order, and what becomes of an exception."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from consumer.telemetry import structured
from consumer.telemetry.structured import LogSink, StructuredLogger, as_json


class _Lines(list[str]):
    def fields(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self]


@pytest.fixture
def lines() -> _Lines:
    """What is written, from warning on."""
    written = _Lines()
    structured.use(LogSink(logging.WARNING, as_json, written.append))
    return written


def test_what_was_given_comes_first_then_what_every_line_has(lines: _Lines) -> None:
    """In this order, which people's eyes and some tools rely on."""
    StructuredLogger("consumer.x").warning("some.event", resource="photos", rule="r")
    assert list(lines.fields()[0]) == ["resource", "rule", "event", "level", "logger", "timestamp"]


def test_only_what_is_severe_enough_is_composed(lines: _Lines) -> None:
    """A line that nobody wants costs one comparison."""

    class Untouchable:
        def __repr__(self) -> str:
            raise AssertionError("somebody looked")

    logger = StructuredLogger("consumer.x")
    logger.debug("a", value=Untouchable())
    logger.info("b", value=Untouchable())
    logger.log(logging.INFO, "c", value=Untouchable())
    logger.log(logging.ERROR, "d")
    assert [line["event"] for line in lines.fields()] == ["d"]
    assert [logger.is_enabled_for(level) for level in (logging.INFO, logging.WARNING)] == [False, True]


def _raised() -> BaseException:
    try:
        raise ValueError("boom")
    except ValueError as error:
        return error


def test_an_exception_is_shown_in_whichever_form_it_comes(lines: _Lines) -> None:
    """As `logging` takes it: the one being handled, an exception, or what `sys.exc_info` returns."""
    logger, error = StructuredLogger("consumer.x"), _raised()
    try:
        raise error
    except ValueError:
        logger.exception("handled")
        logger.warning("handled", exc_info=sys.exc_info())
    logger.warning("given", exc_info=error)
    assert all(line["exception"].endswith("\nValueError: boom") for line in lines.fields())
    assert [line["level"] for line in lines.fields()] == ["error", "warning", "warning"]
    assert not any("exc_info" in line for line in lines.fields())


@pytest.mark.parametrize("none", [True, False, None, (None, None, None)])
def test_without_an_exception_none_is_shown(none: object, lines: _Lines) -> None:
    """Whoever asks for one where there is none gets a line without."""
    StructuredLogger("consumer.x").error("some.event", exc_info=none)
    assert list(lines.fields()[0]) == ["event", "level", "logger", "timestamp"]


def test_a_fields_name_may_be_that_of_a_parameter(lines: _Lines) -> None:
    """`event` and `level` of the line are the logger's; every other name is free."""
    StructuredLogger("consumer.x").error("some.event", event="other", level="other", name="free")
    (line,) = lines.fields()
    assert (line["event"], line["level"], line["name"]) == ("some.event", "error", "free")


def test_a_logger_follows_where_lines_go(lines: _Lines) -> None:
    """It is made before anybody decides that, and may outlive it."""
    logger = StructuredLogger("consumer.x")
    logger.error("first")
    other = _Lines()
    structured.use(LogSink(logging.INFO, as_json, other.append))
    logger.info("second")
    assert ([line["event"] for line in lines.fields()], [line["event"] for line in other.fields()]) == (
        ["first"],
        ["second"],
    )


def test_before_anybody_decides_lines_are_json_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    """A signal may come before the configuration is read."""
    structured.use(structured.UNDECIDED)
    StructuredLogger("consumer.signals").info("changes.paused", by="SIGUSR1", password="hunter2")
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["password"]) == ("changes.paused", "[redacted]")
