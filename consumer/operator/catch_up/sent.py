"""What catch-up has sent lately, in a file if one is given: what is in it is not sent again for a while.

One line an event, added as soon as the queue has confirmed it, so a run that is cut off at any moment goes on where it
was. Losing the file costs nothing but copies, which the worker takes for what they are.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from consumer.core.errors import ConfigurationError

_HEAD = b"config-remediator catch-up 1\n"
_LINE = re.compile(rb"([0-9]{1,14}) ([0-9a-f]{32})")
_LARGEST_BYTES = 32 << 20
_COMPACT_BYTES = 4 << 20


class StateInUse(ConfigurationError):
    """Another run has the file at the moment."""


class Sent:
    """When which violation was sent last, by its key; to be used in a `with` block."""

    def __init__(self, path: Path | None, *, forget_before_ms: int, writable: bool, key: str = "--state") -> None:
        """Read `path`, if there is one; entries from before `forget_before_ms` no longer count.

        `key` says in an error who has named the file.

        Raises:
            ConfigurationError: it cannot be read or written, is something else, or another run is using it.
        """
        self._path = path
        self._key = key
        self._at: dict[str, int] = {}
        self._descriptor = -1
        if path is None or not (writable or path.exists()):
            return
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND if writable else os.O_RDONLY
            self._descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
            self._open(path, forget_before_ms, writable=writable)
        except BlockingIOError:
            self.close()
            raise StateInUse(f"{key}: {path} is in use by another catch-up") from None
        except OSError as error:
            self.close()
            raise ConfigurationError(f"{key}: {path} cannot be used: {error.strerror}") from None
        except ConfigurationError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def place(self) -> str:
        """Where the next run will find what this one sends; empty if nowhere."""
        return str(self._path or "")

    def known(self, keys: Sequence[str]) -> dict[str, int]:
        """When each of these was sent last, in milliseconds since the epoch; those that were not are left out."""
        return {key: self._at[key] for key in keys if key in self._at}

    def add(self, key: str, at_ms: int) -> None:
        """Remember one that the queue has confirmed.

        Raises:
            ConfigurationError: the file cannot be written any more.
        """
        self._at[key] = at_ms
        if self._descriptor >= 0:
            self._write(b"%d %s\n" % (at_ms, key.encode()))

    def close(self) -> None:
        """Let the next run have the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _open(self, path: Path, forget_before_ms: int, *, writable: bool) -> None:
        if writable:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        size = os.fstat(self._descriptor).st_size
        content = self._content(size) if size <= _LARGEST_BYTES else b""
        if size and not content.startswith(_HEAD):
            raise ConfigurationError(f"{self._key}: {path} is no file of catch-up; name one that does not exist yet")
        # A line without its end was being written when a run was cut off; whether it was sent is not known.
        whole = content[: content.rfind(b"\n") + 1]
        for line in whole[len(_HEAD) :].splitlines():
            if (found := _LINE.fullmatch(line)) and int(found[1]) >= forget_before_ms:
                self._at[found[2].decode()] = int(found[1])
        if writable and (not size or len(whole) < size or size > _COMPACT_BYTES):
            self._anew()

    def _content(self, size: int) -> bytes:
        parts = []
        while size > 0 and (part := os.read(self._descriptor, min(size, 1 << 20))):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _anew(self) -> None:
        """Write the file again without what no longer counts; cut off in the middle, that costs no more than copies."""
        os.ftruncate(self._descriptor, 0)
        self._write(_HEAD + b"".join(b"%d %s\n" % (at_ms, key.encode()) for key, at_ms in self._at.items()))

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            raise ConfigurationError(f"{self._key}: {self._path} cannot be written: {error.strerror}") from None
