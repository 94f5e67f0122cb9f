"""Standard input, output and error as commands need them, whatever the caller has made of them."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from typing import Any

from consumer.core import last_words
from consumer.core.exit_codes import CommandExit

LAST_LINES_SECONDS = 2.0
"""How long the end of a process waits for somebody to take its last lines."""
CLOSED_PIPE = 128 + signal.SIGPIPE
"""The exit status where the reader has gone, as a shell has it of a process that the signal ends."""


_OUTPUT = "standard output"


class _Output(io.FileIO):
    """Standard output, whose errors say that they are its own: it may keep nothing by which one could ask again."""

    def write(self, data: Any, /) -> int:
        """Write bytes.

        Raises:
            OSError: they were not written; `filename` says that it was this.
        """
        try:
            return super().write(data)
        except OSError as error:
            error.filename = _OUTPUT
            raise


def provide() -> None:
    """Let descriptors 0 to 2 lead somewhere, or the next socket or file that is opened is taken for standard error.

    A character that the encoding of the terminal lacks is no error: it is escaped.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or os.fdopen(0, "r", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")
    if sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(_Output(1, "w", closefd=False)),
            encoding=sys.stdout.encoding,
            errors="backslashreplace",
            line_buffering=sys.stdout.line_buffering,
            write_through=sys.stdout.write_through,
        )


def failed(error: OSError, command: str) -> int:
    """The exit status after an error that no command expects, with the line that says what it was.

    Where the reader of standard output has gone nobody wants words; where a disk is full somebody does.
    """
    if error.errno != errno.EPIPE and error.filename != _OUTPUT:
        last_words.say(f"{command}: {error}", LAST_LINES_SECONDS)
        return CommandExit.UNAVAILABLE
    _give_up_output()
    if error.errno == errno.EPIPE:
        return CLOSED_PIPE
    text = f"{command}: {_OUTPUT} cannot be written: {error.strerror}; what was to be done may have been done"
    last_words.say(text, LAST_LINES_SECONDS)
    return CommandExit.UNWRITTEN


def _give_up_output() -> None:
    """Let nobody try once more, as the interpreter does at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
