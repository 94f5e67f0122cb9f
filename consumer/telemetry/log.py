"""The log: one pipeline for our lines and the vendors', and the listener that writes one line per delivery.

Everything passes the redactor, everything is bounded, and on a terminal no control character gets through, because
much of what is logged comes from messages and services. Vendors are heard from WARNING on, whatever the level: below
that they print requests with their headers.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TextIO

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from consumer.telemetry.delivery_log import DeliveryLog
from consumer.telemetry.headline import headline
from consumer.telemetry.log_writer import MOST_CHARACTERS, LogWriter
from consumer.telemetry.redaction import redactor

_ENCODE = json.JSONEncoder().encode
OURS = "consumer"
"""Loggers of this name and below are ours; all others are vendors'."""


def configure(
    format: str,  # noqa: A002 - named as in the configuration
    level: str,
    stream: TextIO,
    write: Callable[[str], None] | None = None,
) -> None:
    """Send every line to `stream`: as JSON, or readable when `format` is `console`, or `auto` on a terminal.

    `level` is the least severe level of our own lines: debug, info, warning or error. `write` takes the lines instead
    of the stream itself, which then only says whether it is a terminal.
    """
    numeric = logging.getLevelNamesMapping()[level.upper()]
    as_json = format == "json" or (format == "auto" and not stream.isatty())
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,  # without local variables, which hold credentials
    ]
    final = _renderers(as_json, colors=stream.isatty())
    handler = _LineHandler(stream, write)
    handler.addFilter(_from_us_or_serious)
    handler.setFormatter(
        ProcessorFormatter(foreign_pre_chain=shared, processors=[ProcessorFormatter.remove_processors_meta, *final])
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # so that vendors' lesser lines are not even composed
    logging.lastResort = handler  # for a vendor's logger that was cut off from the root: never past the redactor
    logging.getLogger(OURS).setLevel(numeric)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[*shared, *final],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=lambda name: _Lines(name, handler.line),
        cache_logger_on_first_use=False,
    )


_writers: list[LogWriter] = []
"""The process's one, once there is one: the log is one, too."""


def configure_in_background(
    format: str,  # noqa: A002 - as above
    level: str,
    stream: TextIO,
    most_characters: int = MOST_CHARACTERS,
) -> None:
    """As `configure`, through a thread of its own, so that whoever reads the stream can hold up no other.

    Raises:
        ThreadNotStarted: the machine gives no thread for it.
    """
    writer = LogWriter(stream, most_characters=most_characters)
    configure(format, level, stream, writer.put)
    writer.start(lambda lines: get_logger("consumer.log").warning("log.dropped", lines=lines))
    _writers[:] = [writer]


def lines_dropped() -> int:
    """How many lines nobody took in time."""
    return sum(writer.dropped for writer in _writers)


def flush(seconds: float) -> None:
    """Wait until the lines in the background are written, for so long at most."""
    for writer in _writers:
        writer.flush(seconds)


def get_logger(name: str) -> Any:
    """A structlog logger, for `log.info("dotted.name", key=value)`; a name outside ours is put below it."""
    ours = name == OURS or name.startswith(f"{OURS}.")
    return structlog.get_logger(name if ours else f"{OURS}.{name}")


class LogListener(DeliveryLog):
    """Writes what the hooks report; a `consumer.core.observers.Listener`."""

    def __init__(self) -> None:
        super().__init__(get_logger("consumer.deliveries").bind())  # bound once, not anew for every line


class _LineHandler(logging.StreamHandler[TextIO]):
    """Writes lines; one that cannot be written is dropped, without the standard traceback that shows its contents."""

    def __init__(self, stream: TextIO, write: Callable[[str], None] | None) -> None:
        super().__init__(stream)
        self.line = write or self._write_now
        """Writes one line: of ours, which need no `logging` record on their way, or of a vendor."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a vendor's line."""
        try:
            self.line(self.format(record))
        except Exception:  # noqa: BLE001 - as every handler does; what goes wrong is in the record itself
            self.handleError(record)

    def flush(self) -> None:
        """Nothing: every line is written whole, and at the end of the process nobody waits for the stream."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Go on: a line that cannot be formatted must not stop a repair."""

    def _write_now(self, text: str) -> None:
        with self.lock or nullcontext():
            try:
                self.stream.write(f"{text}\n")
                self.stream.flush()
            except (OSError, ValueError):  # ValueError: the stream is closed
                pass


class _Lines:
    """The end of structlog's chain for our own lines: by then a line is text."""

    def __init__(self, name: str, write: Callable[[str], None]) -> None:
        self.name = name
        self.debug = self.info = self.warning = self.error = self.critical = self.exception = write


def _from_us_or_serious(record: logging.LogRecord) -> bool:
    ours = record.name == OURS or record.name.startswith(f"{OURS}.")
    return ours or record.levelno >= logging.WARNING


def _redacted(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    return redactor.clean_fields(dict(event_dict))


def _renderers(as_json: bool, *, colors: bool) -> list[Processor]:
    if as_json:
        return [_as_json]
    return [_redacted, _printable, headline, ConsoleRenderer(colors=colors, exception_formatter=plain_traceback)]


def _as_json(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> str:
    try:
        line = _ENCODE(event_dict)
    except (TypeError, ValueError, RecursionError):  # something in it is not of JSON's types
        line = ""
    return line if line and redactor.harmless(line) else _ENCODE(redactor.clean_fields(dict(event_dict)))


def _printable(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    """Escape what a terminal would obey; a traceback keeps its lines."""
    return {name: _escaped(value, "\n" if name in ("exception", "stack") else "") for name, value in event_dict.items()}


def _escaped(value: Any, allowed: str = "") -> Any:
    match value:
        case str():
            return "".join(
                c if c.isprintable() or c in allowed else c.encode("unicode_escape").decode("ascii") for c in value
            )
        case dict():
            return {_escaped(name): _escaped(item) for name, item in value.items()}
        case list():
            return [_escaped(item) for item in value]
        case _:
            return value
