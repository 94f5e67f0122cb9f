"""Reads a journal for the commands: one line at a time, however large it is."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from consumer.config import load
from consumer.core import files
from consumer.core.errors import ConfigurationError, RemediatorError
from consumer.core.observers import StepName
from consumer.core.outcome import Outcome
from consumer.core.printable import quoted
from consumer.journal import reading
from consumer.journal.format import Entry, parsed, verify
from consumer.operator import times

_SHORTEST_ID = 6


@dataclass(frozen=True, slots=True)
class Done:
    """A change that the journal proves, and whether it was undone."""

    entry: Entry
    undone: bool = False
    part: str = ""
    """The state that an undo in part has left, the latest; empty if none was made in part."""


_NONE_YET = "the worker makes it at its start; journal.path or --file says where it is"


class Unproved(RemediatorError):
    """What a journal says cannot be believed; the text says from which line on."""


def journal_path(config: Path | None, given: Path | None) -> Path:
    """Where the journal is: as given, or as configured.

    Raises:
        ConfigurationError: neither says.
    """
    if given is not None:
        return given
    if config is None:
        raise ConfigurationError("name the journal with --file, or a configuration with journal.path in --config")
    configured = load(config, os.environ).journal.path
    if not configured:
        raise ConfigurationError("journal.path: no journal is configured; name a file with --file")
    return Path(configured)


def check_period(since_ms: int, until_ms: int | None, now_ms: int) -> None:
    """See that there is time between two moments, the second of which may be now.

    Raises:
        ConfigurationError: there is none, so that nothing could ever be found.
    """
    if since_ms >= (now_ms if until_ms is None else until_ms):
        end = f"now, {times.moment(now_ms)}" if until_ms is None else f"--until, {times.moment(until_ms)}"
        raise ConfigurationError(f"--since: {times.moment(since_ms)} UTC is not before {end} UTC")


def lines(path: Path, *, damaged: bool = False) -> Iterator[bytes]:
    """The journal's lines, with their newlines; with `damaged` also if not one of them is whole.

    Raises:
        ConfigurationError: the file cannot be read, or is no journal.
    """
    try:
        with files.opened(path) if damaged else reading.opened(path) as file:
            yield from reading.pieces(file)
    except OSError as error:
        remedy = _NONE_YET if isinstance(error, FileNotFoundError) else ""
        raise ConfigurationError(f"{path}: cannot read the journal: {error.strerror}", remedy) from None


def entries(path: Path, having: Collection[bytes] | None = None) -> Iterator[Entry]:
    """The journal's whole lines; others are reported by `verify`. With `having`, those with one of these texts in them.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    for line in lines(path):
        if having is not None and not any(text in line for text in having):
            continue
        try:
            yield parsed(line.removesuffix(b"\n"))
        except ValueError:
            continue


def proved(path: Path, entry: Entry) -> None:
    """Make sure that an entry stands in the journal as a worker wrote it, at the end of a chain without a break.

    Raises:
        Unproved: something before it, or the line itself, was altered, removed, reordered or put there.
        ConfigurationError: the file cannot be read.
    """
    verdict = verify(lines(path), through=entry.digest)
    for problem in verdict.problems:
        raise Unproved(f"the journal is not whole up to this change, at line {problem.line}: {problem.text}")


def changes(path: Path) -> dict[str, Done]:
    """Every change that was read back, by its hash, in order; also one after which a person had to look at the rest.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    found: dict[str, Done] = {}
    for entry in entries(path):
        if is_change(entry):
            found[entry.digest] = Done(entry)
        elif entry.step == StepName.UNDONE and (done := found.get(entry.text("undoes"))):
            found[done.entry.digest] = replace(done, undone=True)
        elif entry.step == StepName.UNDONE_IN_PART and (done := found.get(entry.text("undoes"))):
            found[done.entry.digest] = replace(done, part=entry.text("after"))
    return found


def is_change(entry: Entry) -> bool:
    """Whether a line proves a change that can be undone."""
    outcome = entry.text("outcome")
    if entry.step == StepName.VERIFIED:
        return outcome == Outcome.FIXED
    # What is rejected before anything was changed has one state, or none.
    made = outcome == Outcome.REJECTED or entry.fields.get("in_part") is True
    return entry.step == StepName.DECIDED and made and entry.text("before") != entry.text("after")


def waits(entry: Entry) -> str:
    """For how long the message of a settled delivery is kept back, such as ` for 15 min`; empty where it is not."""
    kept = (entry.fields.get(name) for name in ("hidden_seconds", "parked_seconds"))
    seconds = next((each for each in kept if isinstance(each, int | float) and each > 0), None)
    return f" for {times.span(seconds)}" if seconds else ""


def by_person(entry: Entry) -> bool:
    """Whether a person's command wrote the line, and no worker: `name@host:process`."""
    return "@" in entry.text("who")


def change(path: Path, identity: str, lists: str) -> Done:
    """The change of that id, or the one that the message of that id led to.

    A change that was made in part has its rest in a later one for the same message. They are taken back one by one: of
    several, the message stands for the newest that is not undone. `lists` is the command that has their ids.

    Raises:
        ConfigurationError: there is none, or the id is short of naming one.
    """
    wanted = identity.lower()
    known = changes(path)
    found = [done for digest, done in known.items() if digest.startswith(wanted)]
    if not found:
        of_message = [done for done in known.values() if done.entry.text("message_id").lower() == wanted]
        found = ([done for done in of_message if not done.undone] or of_message)[-1:]
    if len(wanted) < _SHORTEST_ID or len(found) != 1:
        what = "is too short" if len(wanted) < _SHORTEST_ID else f"names {len(found) or 'no'} changes"
        raise ConfigurationError(f"{quoted(identity)} {what}; {lists} has the ids")
    return found[0]
