"""One entry of the emulator's journal, as the witness reads it: attributes only, so that it shares no code with it."""

from __future__ import annotations

from typing import Any, Protocol


class JournalEntry(Protocol):
    """What docs/emulator.md says of an entry; the emulator's client has such objects."""

    @property
    def sequence(self) -> int: ...
    @property
    def time_ms(self) -> int: ...
    @property
    def service(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def resource(self) -> str: ...
    @property
    def changed(self) -> bool: ...
    @property
    def access_key_id(self) -> str: ...
    @property
    def detail(self) -> dict[str, Any]: ...


def was_refused(entry: JournalEntry) -> bool:
    """Whether the service said no; refusals are journaled together with reads."""
    return "refused" in entry.detail
