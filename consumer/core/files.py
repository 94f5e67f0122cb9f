"""Opens files that somebody else chose, so that none of them can keep its reader for ever or fill the memory."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def opened(path: Path) -> BinaryIO:
    """A regular file, open for reading; a link to one is followed, because each key of a mounted ConfigMap is one.

    Raises:
        OSError: it cannot be read, or is no regular file: a pipe may have nobody who writes.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # first, for to open a device may do something
        raise _no_file(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # it may have become a pipe meanwhile
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _no_file(path)
    return os.fdopen(descriptor, "rb")


def read(path: Path, most_bytes: int) -> bytes:
    """What is in a regular file of a limited size.

    Raises:
        OSError: it cannot be read, is no regular file, or is larger.
    """
    with opened(path) as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {most_bytes} bytes", str(path))
    return data


def _no_file(path: Path) -> OSError:
    if path.is_dir():
        return IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return OSError(errno.EINVAL, "it is no regular file", str(path))
