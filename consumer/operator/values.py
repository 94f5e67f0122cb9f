"""What a shell offers to complete: names from the configuration, the journal and the dead-letter queue.

Whoever presses a key waits, and wants no error in the middle of a line: little is read, and a failure offers nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from consumer.config import Config, load
from consumer.core.errors import RemediatorError
from consumer.core.observers import StepName
from consumer.core.printable import printable
from consumer.core.queue_limits import MAX_BATCH
from consumer.journal.format import Entry, parsed
from consumer.operator.bundled import FILES
from consumer.operator.dlq.letters import read
from consumer.operator.session import made, own_credentials
from consumer.remediations.catalogue import catalogue

_TAIL_BYTES = 1 << 20
"""How much of the journal's end is looked at: a few thousand changes."""
_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class OfferedValue:
    """One value, and what shells that can show it say beside."""

    value: str
    about: str = ""


def _repairs(path: Path | None) -> Iterator[OfferedValue]:  # noqa: ARG001 - one form for all
    yield from (OfferedValue(name, kind.summary) for name, kind in sorted(catalogue().items()))


def _files(path: Path | None) -> Iterator[OfferedValue]:  # noqa: ARG001 - one form for all
    yield from map(OfferedValue, FILES)


def _rules(path: Path | None) -> Iterator[OfferedValue]:
    if config := _config(path):
        yield from (OfferedValue(rule.name, f"{rule.remediation}, {rule.mode.value}") for rule in config.rules)


def _members(path: Path | None) -> Iterator[OfferedValue]:
    if config := _config(path):
        yield from (OfferedValue(each) for each in config.accounts.allowed if each != config.account_id)


def _resources(path: Path | None) -> Iterator[OfferedValue]:
    """Those that the journal names, the latest first."""
    yield from map(OfferedValue, dict.fromkeys(name for each in _recent(path) if (name := each.text("resource"))))


def _changes(path: Path | None) -> Iterator[OfferedValue]:
    """Those that undo takes, the latest first; none that was undone."""
    undone = set()
    for entry in _recent(path):
        if entry.step == StepName.UNDONE:
            undone.add(entry.text("undoes"))
        elif entry.step == StepName.VERIFIED and entry.digest not in undone:
            yield OfferedValue(entry.short_id, f"{entry.text('resource')}, {entry.text('rule')}")


def _letters(path: Path | None) -> Iterator[OfferedValue]:
    """The next letters of the dead-letter queue, by peek."""
    config = _config(path)
    if path is None or config is None or not config.queue.dead_letter_queue:
        return
    patience = {"connect_timeout_seconds": _PATIENCE_SECONDS, "call_timeout_seconds": _PATIENCE_SECONDS}
    hasty = config.model_copy(update={"queue": config.queue.model_copy(update=patience)})
    with suppress(RemediatorError, OSError), made(path, hasty, own_credentials(hasty)) as session:
        for each in session.queue(config.queue.dead_letter_queue).peek(MAX_BATCH):
            letter = read(each.message_id, each.body, each.enqueued_at_ms)
            yield OfferedValue(letter.short_id, f"{letter.resource}, {letter.reason}")


_SOURCES: Mapping[str, Callable[[Path | None], Iterable[OfferedValue]]] = {
    "changes": _changes,
    "files": _files,
    "letters": _letters,
    "members": _members,
    "repairs": _repairs,
    "resources": _resources,
    "rules": _rules,
}


def offered(kind: str, path: Path | None) -> list[OfferedValue]:
    """The values of a kind that the configuration at `path` leads to; none that a terminal should not show."""
    return [each for each in _SOURCES[kind](path) if each.value == printable(each.value)]


def _config(path: Path | None) -> Config | None:
    with suppress(RemediatorError, OSError):
        return load(path, os.environ) if path else None
    return None


def _recent(path: Path | None) -> Iterator[Entry]:
    """Whole lines at the journal's end, the latest first."""
    config = _config(path)
    if config is None or not config.journal.path:
        return
    lines: list[bytes] = []
    with suppress(OSError), Path(config.journal.path).open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
        lines = file.read(_TAIL_BYTES).split(b"\n")
    for line in reversed(lines):
        with suppress(ValueError):
            yield parsed(line)
