"""What the log writes, and what it never does."""

from __future__ import annotations

import io
import json
import logging
import warnings
from typing import Any

import pytest

from consumer.telemetry import log


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_pipe_gets_json() -> None:
    """One object a line, with time, level, logger and event."""
    stream = io.StringIO()
    log.configure("auto", "info", stream)
    log.get_logger("consumer.app.service").info("app.started", slots=8)
    [line] = _lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "app.started", "level": "info", "logger": "consumer.app.service", "slots": 8}


@pytest.mark.parametrize(("format_", "is_json"), [("auto", False), ("console", False), ("json", True)])
def test_a_terminal_gets_text_unless_told_otherwise(format_: str, is_json: bool) -> None:
    """Auto is readable where a person looks."""
    stream = Terminal()
    log.configure(format_, "info", stream)
    log.get_logger("app").info("app.started")
    assert stream.getvalue().startswith("{") is is_json
    assert "app.started" in stream.getvalue()


def test_the_level_is_the_least_severe_that_is_written() -> None:
    """Debug lines stay out at info, whichever way they come."""
    stream = io.StringIO()
    log.configure("json", "info", stream)
    log.get_logger("app").debug("app.detail")
    logging.getLogger("consumer.app.service").debug("detail")
    log.get_logger("app").warning("app.odd")
    assert [line["event"] for line in _lines(stream)] == ["app.odd"]


@pytest.mark.parametrize("vendor", ["oss2", "urllib3.connectionpool", "mns", "alibabacloud_credentials", "asyncio"])
def test_vendors_are_heard_from_warning_on_at_every_level(vendor: str) -> None:
    """Even one whose logger was set to debug cannot print requests, and its warnings are lines like ours."""
    stream = io.StringIO()
    log.configure("json", "debug", stream)
    logger = logging.getLogger(vendor)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        logger.debug("headers: %s", {"x-oss-date": "today"})
        logger.info("request done")
        logger.warning("odd: %s", "reply")
    finally:
        logger.setLevel(before)
    assert [(line["event"], line["logger"]) for line in _lines(stream)] == [("odd: reply", vendor)]


def test_a_logger_that_was_cut_off_still_goes_this_way(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vendor's logger without handlers that does not propagate would print to standard error, past the redactor."""
    stream = io.StringIO()
    log.configure("json", "info", stream)
    vendor = logging.getLogger("cut-off")
    monkeypatch.setattr(vendor, "propagate", False)
    vendor.warning("odd: Signature=abc")
    assert [line["event"] for line in _lines(stream)] == ["[redacted]"]
    assert capfd.readouterr().err == ""


def test_warnings_are_lines_too() -> None:
    """What Python warns about takes the same way instead of going to standard error."""
    stream = io.StringIO()
    log.configure("json", "info", stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(False)
    assert any("old ways" in line["event"] for line in _lines(stream))


def test_a_traceback_is_one_line_without_local_variables() -> None:
    """The place of a fault is shown; the values in it are not, for they may be credentials."""
    stream = io.StringIO()
    log.configure("json", "info", stream)
    private = "value of a local"
    try:
        raise ValueError("boom")
    except ValueError:
        log.get_logger("app").exception("app.failed")
    [line] = _lines(stream)
    assert line["exception"].endswith("ValueError: boom")
    assert private not in stream.getvalue()


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J\x1b]0;owned\x07", "a\r\nforged line", "\x9b31m", "\u202egpj.exe", "\ud800"]
)
def test_no_control_character_reaches_a_terminal(hostile: str) -> None:
    """Escapes from a message are shown, not obeyed, in values, nested values, keys and events."""
    stream = Terminal()
    log.configure("console", "info", stream)
    log.get_logger("app").info(hostile, value=hostile, nested={hostile: [hostile]})
    plain = stream.getvalue()
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[34m", "\x1b[35m", "\x1b[36m"):
        plain = plain.replace(code, "")  # the renderer's own colours
    assert plain.count("\n") == 1
    assert plain.removesuffix("\n").isprintable()


def test_json_lines_escape_what_is_hostile() -> None:
    """A line break in a value is not a line break in the log."""
    stream = io.StringIO()
    log.configure("json", "info", stream)
    log.get_logger("app").info("app.odd", value='a\r\n{"event": "forged"}\x1b\u202e\ud800')
    [line] = _lines(stream)
    assert line["value"].startswith("a\r\n{")
    assert stream.getvalue().isascii()


def test_values_are_bounded() -> None:
    """A huge, deep, wide or unprintable value costs a bounded line."""

    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    stream = io.StringIO()
    log.configure("json", "info", stream)
    log.get_logger("app").info("app.odd", text="x" * 100_000, deep=deep, wide=list(range(100_000)), broken=Broken())
    [line] = _lines(stream)
    assert len(stream.getvalue()) < 5_000
    assert line["broken"] == "<Broken>"


def test_a_stream_that_cannot_be_written_stops_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """A closed pipe loses the line; neither an exception nor the line's contents come out elsewhere."""
    stream = io.StringIO()
    log.configure("json", "info", stream)
    stream.close()
    log.get_logger("app").info("app.started", value="private")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_number_of_very_many_digits_costs_no_line(form: str) -> None:
    """Python refuses to write it out; that must not be an error in whoever logs it."""
    stream = io.StringIO()
    log.configure(form, "info", stream)
    log.get_logger("app").info("app.odd", number=10**5_000, listed=[1, 10**5_000], small=-(2**63))
    assert "a number of 16610 bits" in stream.getvalue()
    assert str(-(2**63)) in stream.getvalue()
