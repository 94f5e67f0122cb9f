"""The pause switch: stops changes, and nothing else, while polling, decisions, leases and metrics go on.

Three things can hold it: the configuration, a file that exists, and a signal. It is read right before each change, so
it holds within one poll. Where it is not known whether the file exists, changes stop: if in doubt, nothing is done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from consumer.core import files

_OFF = frozenset({b"0", b"false", b"no", b"off"})
"""What a file may say to be as good as missing: a mounted ConfigMap's key is easier to change than to remove."""
_ENOUGH = 64
"""Bytes; a file that has so many says something else."""


class PauseSwitch:
    """Whether changes are stopped, and by what."""

    def __init__(
        self, *, enabled: bool = False, file: Path | None = None, notice: Callable[[str], object] = lambda _: None
    ) -> None:
        """`notice` gets why, when a look finds that the file holds, and nothing when it holds no more."""
        self._enabled = enabled
        self._file = file
        self._notice = notice
        self._signalled = False
        self._looking = threading.Lock()  # an old look must not be noticed after a newer one
        self._file_holds = False

    def pause(self) -> None:
        """Stop changes until `resume`; callable from a signal handler."""
        self._signalled = True

    def resume(self) -> None:
        """Take back `pause`; the file and the configuration go on holding."""
        self._signalled = False

    def held_by(self) -> str:
        """What stops changes now, for a person; empty while nothing does."""
        if self._enabled:
            return "pause.enabled"
        if self._signalled:
            return "a signal"
        return self._held_by_file()

    def _held_by_file(self) -> str:
        if self._file is None:
            return ""
        with self._looking:
            found = self._look(self._file)
            if bool(found) is not self._file_holds:
                self._file_holds = bool(found)
                self._notice(found)
        return found

    @staticmethod
    def _look(file: Path) -> str:
        try:
            return "" if _says_off(file) else f"the file {file}"
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except OSError as error:
            return f"the file {file}, which cannot be read: {error.strerror}"


def _says_off(path: Path) -> bool:
    """Whether a regular file says that it is as good as missing, and nothing else.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    with files.opened(path) as file:
        text = file.read(_ENOUGH)
    return len(text) < _ENOUGH and text.strip().lower() in _OFF
