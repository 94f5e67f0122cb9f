"""A disk that a test can pull the plug of: what the journal does with its files, and what a power cut may leave of it.

Stands in for the module `os` in `consumer.journal.file`. Everything goes to real files as well; what is on the disk for
good is only what was synced, and of a sync that failed nothing, ever, though the next sync of the same file succeeds:
that is how Linux treats pages that it could not write (https://lwn.net/Articles/752063/).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_READING = {"fstat", "pread", "close", "O_RDWR", "O_CREAT", "O_APPEND", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK"}
_READING |= {"O_RDONLY", "O_DIRECTORY"}


@dataclass
class _File:
    """One file: as everybody reads it now, and as the disk has it."""

    content: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    dropped: list[tuple[int, int]] = field(default_factory=list)
    """From where to where a failed sync has lost what was written."""

    def synced(self) -> None:
        kept = bytearray(self.content)
        for begin, end in self.dropped:
            kept[begin:end] = bytes(len(kept[begin:end]))
        self.durable = bytes(kept)

    def drop(self) -> None:
        self.dropped.append((len(self.durable), len(self.content)))

    def truncated(self, size: int) -> None:
        del self.content[size:]
        self.dropped = [(begin, min(end, size)) for begin, end in self.dropped if begin < size]

    def leavings(self) -> Iterator[bytes]:
        """What a power cut may leave: what was synced, and any beginning of what was written since, or zeros."""
        yield self.durable
        yield bytes(self.content)
        if self.content[: len(self.durable)] == self.durable:
            pending = bytes(self.content[len(self.durable) :])
            for cut in {1, len(pending) // 2, len(pending) - 1}:
                if 0 < cut < len(pending):
                    yield self.durable + pending[:cut]
                    yield self.durable + pending[:cut] + bytes(len(pending) - cut)
            yield self.durable + bytes(len(pending))


class Power:
    """The stand-in for `os`, with everything that may be left at each moment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.moments: list[list[dict[str, bytes]]] = []
        """After each thing that was done: every state of the folder, by name, that a power cut may leave then."""
        self.fail: dict[str, list[int]] = {"write": [], "fsync": []}
        """Which calls fail, counted from the first one."""
        self.calls = {"write": 0, "fsync": 0}
        self._files: dict[int, _File] = {}
        self._names: dict[str, int] = {}
        self._durable_names: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in _READING:
            raise AttributeError(f"what a power cut does to os.{name} is not known to this test")
        return getattr(os, name)

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        """Open, and maybe create."""
        descriptor = os.open(path, flags, mode)
        if flags & os.O_CREAT:
            number = os.fstat(descriptor).st_ino
            self._files.setdefault(number, _File())
            self._names[path.name] = number
            self._note()
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        """Write; a call that fails has written half before."""
        if self._fails("write"):
            self._written(descriptor, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._written(descriptor, data)

    def _written(self, descriptor: int, data: bytes) -> int:
        written = os.write(descriptor, data)
        self._of(descriptor).content += data[:written]
        self._note()
        return written

    def ftruncate(self, descriptor: int, size: int) -> None:
        """Cut off."""
        os.ftruncate(descriptor, size)
        self._of(descriptor).truncated(size)
        self._note()

    def fsync(self, descriptor: int) -> None:
        """Sync a file, or the folder."""
        number = os.fstat(descriptor).st_ino
        if number not in self._files:
            self._durable_names = dict(self._names)
        elif self._fails("fsync"):
            self._files[number].drop()
            self._note()
            raise OSError(errno.EIO, "Input/output error")
        else:
            self._files[number].synced()
        self._note()

    def rename(self, name: str, new: str) -> None:
        """Somebody moves a file away."""
        (self.folder / name).rename(self.folder / new)
        self._names[new] = self._names.pop(name)
        self._note()

    def certain(self) -> bytes:
        """What is on the disk for good now, in all files."""
        return b"".join(self._files[number].durable for number in self._durable_names.values())

    def _fails(self, call: str) -> bool:
        self.calls[call] += 1
        return self.calls[call] in self.fail[call]

    def _of(self, descriptor: int) -> _File:
        return self._files[os.fstat(descriptor).st_ino]

    def _note(self) -> None:
        states: list[dict[str, bytes]] = []
        for names in (self._durable_names, self._names):
            for changed in names.values():
                for leaving in deepcopy(self._files[changed]).leavings():
                    state = {name: self._files[number].durable for name, number in names.items()}
                    state |= {name: leaving for name, number in names.items() if number == changed}
                    states.append(state)
        self.moments.append(states or [{}])
