"""Opens a journal for those who read it, and sees that it is one."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from consumer.core import files
from consumer.journal.format import begins_a_journal, parsed

LONGEST_LINE_BYTES = 1 << 22
"""No line that a worker writes comes near; a file without line ends is read in pieces, none of which is a line."""
NO_JOURNAL = "it is no journal, or nothing is left of one: no line in it is a journal's"
_IN_EVERY_LINE = b'"hash":"'


def opened(path: Path) -> BinaryIO:
    """A journal, at its beginning; one that is empty, or of which a crash tore the first line, has no line yet.

    Its first line is whole unless that was damaged, so only of a foreign file more than that is read.

    Raises:
        OSError: it cannot be read, or has no whole line of a journal though something else is in it: another file,
            of which nobody may read that nothing happened.
    """
    file = files.opened(path)
    try:
        if _has_no_line_yet(file) or any(_is_whole(line) for line in pieces(file)):
            file.seek(0)
            return file
        raise OSError(errno.EINVAL, NO_JOURNAL, str(path))
    except OSError:
        file.close()
        raise


def pieces(file: BinaryIO, start: int = 0) -> Iterator[bytes]:
    """The lines from there on with their newlines; one that is too long to be a journal's in pieces."""
    file.seek(start)
    while line := file.readline(LONGEST_LINE_BYTES):
        yield line


def _has_no_line_yet(file: BinaryIO) -> bool:
    first = file.readline(LONGEST_LINE_BYTES)
    return not first.endswith(b"\n") and begins_a_journal(first)


def _is_whole(line: bytes) -> bool:
    if _IN_EVERY_LINE not in line:
        return False
    try:
        parsed(line.removesuffix(b"\n"))
    except ValueError:
        return False
    return True
