"""Empty files in folders, each of them a record by its name: created as a whole, listed, and removed by anybody.

These calls are right on a network file system and under kill -9, because none of them reads, locks or rewrites. They
may hang with the file system; `time_limit` beside this module is for that. What the names mean, others know.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path

_MOST_REMOVED_AT_ONCE = 200
"""So that clearing away what a flood has left never takes long."""


def names(folder: Path) -> list[str]:
    """The names in a folder, whatever they name; nothing is followed or opened.

    Raises:
        OSError: it cannot be listed.
    """
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def create(folder: Path, name: str) -> None:
    """Create a record. That it is there already is as good.

    Raises:
        OSError: it cannot be created.
    """
    with suppress(FileExistsError):
        os.close(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def remove(folder: Path, worn: Iterable[str]) -> None:
    """Remove records, the first of them if they are many; another process may be removing the same.

    Raises:
        OSError: one of them cannot be removed.
    """
    for name in islice(worn, _MOST_REMOVED_AT_ONCE):
        with suppress(FileNotFoundError):
            (folder / name).unlink()


def prepare(folder: Path, below: Iterable[str]) -> None:
    """Make the missing ones of the folders directly below one that has to be there.

    Raises:
        OSError: that is not possible.
    """
    for missing in sorted(set(below).difference(names(folder))):
        with suppress(FileExistsError):
            (folder / missing).mkdir(mode=0o770)


def prove_writable(folder: Path) -> None:
    """Create and remove a record, and list the folder.

    Raises:
        OSError: one of these is not possible.
    """
    probe = f"probe-{uuid.uuid4().hex}"
    create(folder, probe)
    try:
        names(folder)
    finally:
        remove(folder, [probe])
