"""The ordered journal of what the emulator accepted: the only witness that demo and fault campaigns believe.

An entry is written at the moment the change takes effect, before the answer leaves, so a reply that is lost
on the way still has its entry. Refused requests have none, unless reads are wanted too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emulator.clock import Clock


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted request, or one change that the emulator made by itself (a push, an expiry, a move)."""

    sequence: int
    """1 for the first entry, then one more each; never reused, not even after a reset."""
    time_ms: int
    service: str
    """`mns`, `oss`, `ecs`, `config` or `control`."""
    operation: str
    """The operation's own name (`DeleteMessage`, `PutBucketAcl`), or what happened (`MessageExpired`)."""
    resource: str
    """`queues/q`, `topics/t`, a bucket's name, or a security group's id."""
    changed: bool
    """Whether the request changed state; reads are journaled only where that is switched on."""
    request_id: str
    access_key_id: str
    """The caller; empty when the emulator acted by itself."""
    detail: dict[str, Any]
    """What the verdict needs, by operation: message ids, receipt handles, bodies, before and after."""

    def as_json(self) -> dict[str, Any]:
        """The entry as the control port shows it."""
        return {
            "sequence": self.sequence,
            "time_ms": self.time_ms,
            "service": self.service,
            "operation": self.operation,
            "resource": self.resource,
            "changed": self.changed,
            "request_id": self.request_id,
            "access_key_id": self.access_key_id,
            **self.detail,
        }


class Journal:
    """Appends and pages entries in the order in which they took effect."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[Entry] = []
        self._next = 1
        self._appended: set[asyncio.Event] = set()
        self.reads = False
        """Whether requests that change nothing, and those that OSS refuses, are written down too."""

    def changed(
        self,
        service: str,
        operation: str,
        resource: str,
        *,
        request_id: str = "",
        access_key_id: str = "",
        **detail: Any,
    ) -> None:
        """Write down something that changed state."""
        self._append(service, operation, resource, True, request_id, access_key_id, detail)

    def read(
        self,
        service: str,
        operation: str,
        resource: str,
        *,
        request_id: str = "",
        access_key_id: str = "",
        **detail: Any,
    ) -> None:
        """Write down a request that changed nothing, accepted or refused, if reads are wanted."""
        if self.reads:
            self._append(service, operation, resource, False, request_id, access_key_id, detail)

    def _append(
        self,
        service: str,
        operation: str,
        resource: str,
        changed: bool,
        request_id: str,
        access_key_id: str,
        detail: dict[str, Any],
    ) -> None:
        self._entries.append(
            Entry(
                self._next,
                self._clock.now_ms(),
                service,
                operation,
                resource,
                changed,
                request_id,
                access_key_id,
                detail,
            )
        )
        self._next += 1
        for appended in self._appended:
            appended.set()

    @property
    def last(self) -> int:
        """The sequence of the newest entry that was ever written; 0 before the first."""
        return self._next - 1

    def after(self, sequence: int, limit: int) -> Sequence[Entry]:
        """Up to `limit` entries that follow `sequence` (0 for the beginning), oldest first."""
        start = self._position(sequence + 1)
        return self._entries[start : start + limit]

    async def wait_beyond(self, sequence: int, seconds: float) -> None:
        """Wait until there is an entry that follows `sequence`, at most `seconds` of real time.

        Real time, because whoever reads the journal is a client on this machine, not part of the emulated world.
        """
        appended = asyncio.Event()
        self._appended.add(appended)
        try:
            async with asyncio.timeout(seconds):
                while self.last <= sequence:
                    appended.clear()
                    await appended.wait()
        except TimeoutError:
            return
        finally:
            self._appended.discard(appended)

    def clear(self, through: int | None = None) -> None:
        """Forget the entries up to and with `through` (all without it); the numbering goes on."""
        end = len(self._entries) if through is None else self._position(through + 1)
        del self._entries[:end]

    def _position(self, sequence: int) -> int:
        first = self._entries[0].sequence if self._entries else self._next
        return max(0, sequence - first)
