"""Lists, shows, redrives and drops dead letters.

Redriving sends the original body to the worker's queue, and only when the service has confirmed exactly that body is
the letter deleted: a failure in between leaves both, which is harmless, since the worker looks before it acts.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
from rich.console import Console

from consumer.aliyun.mns.queue import Queue
from consumer.core.errors import ConfigurationError, ServiceError
from consumer.core.exit_codes import CommandExit
from consumer.core.queue_limits import MAX_BATCH
from consumer.operator import output
from consumer.operator.dlq.letters import Filter, Letter, names, read
from consumer.operator.dlq.sweep import Held, Sweep
from consumer.operator.dlq.view import draw_letters, letter_document
from consumer.operator.session import Session, opened

_MARGIN_CALLS = 3
"""A lease has to last for so many slow answers before a letter is dealt with."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which letters, how many and how fast."""

    filter: Filter
    limit: int | None = None
    rate: float | None = None
    """Letters a second."""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Dealt:
    """What became of one letter."""

    letter: Letter
    done: bool
    text: str


def list_letters(path: Path, form: str, choice: Choice, *, sweep: bool) -> CommandExit:
    """Show dead letters: the next sixteen by peek, or all of them by a sweep.

    Raises:
        ConfigurationError: the configuration cannot be used, or names no dead-letter queue.
        ServiceError: the queue cannot be read.
    """
    with opened(path) as session:
        queue = _dead_letters(session)
        if sweep:
            with Sweep(queue) as swept:
                found = [held.letter for held in _chosen(swept, choice)]
            full = False
        else:
            peeked = _peeked(queue)
            full = len(peeked) == MAX_BATCH
            now_ms = _now_ms()
            found = [letter for letter in peeked if choice.filter.fits(letter, now_ms)][: choice.limit]
    document = [letter_document(letter) for letter in found]
    output.show(form, document, lambda console: draw_letters(console, found, full=full))
    return CommandExit.DONE


def show(path: Path, form: str, message_id: str) -> CommandExit:
    """Show one letter with its original body; looked for by peek first, then by a sweep.

    Raises:
        ConfigurationError: there is no such letter, or the configuration cannot be used.
        ServiceError: the queue cannot be read.
    """
    with opened(path) as session:
        queue = _dead_letters(session)
        letter = next((each for each in _peeked(queue) if names(each, message_id)), None)
        if letter is None:
            with Sweep(queue) as swept:
                letter = next((held.letter for held in swept if names(held.letter, message_id)), None)
    if letter is None:
        raise ConfigurationError(f"there is no dead letter {message_id!r} that is visible now")
    document = {**letter_document(letter), **letter.document, "body": letter.body}

    def draw(console: Console) -> None:
        console.print(output.facts([(key, value) for key, value in document.items() if key != "body"]))
        console.print(output.cell(f"\n{letter.body}"))

    output.show(form, document, draw)
    return CommandExit.DONE


def redrive(path: Path, form: str, choice: Choice, *, foreign: bool) -> CommandExit:
    """Send original bodies back to the queue, and delete their letters.

    Raises:
        ConfigurationError: the configuration cannot be used, or names no dead-letter queue.
        ServiceError: the dead-letter queue cannot be read.
    """
    with opened(path) as session:
        queue = session.queue(session.config.queue.name)
        margin = _MARGIN_CALLS * session.config.queue.call_timeout_seconds

        def deal(swept: Sweep, held: Held) -> Dealt:
            if held.letter.foreign and not foreign:
                return Dealt(held.letter, done=False, text="not written by this worker; --foreign redrives it as it is")
            if choice.dry_run:
                return Dealt(held.letter, done=True, text="would be redriven")
            if not swept.keep(held, margin):
                return Dealt(held.letter, done=False, text="somebody else has it by now")
            return _redriven(queue, swept, held)

        with Sweep(_dead_letters(session)) as swept:
            dealt = _each(swept, choice, deal, "redriving")
    return _told(form, dealt, dry_run=choice.dry_run)


def drop(path: Path, form: str, choice: Choice, *, yes: bool) -> CommandExit:
    """Delete letters for good, after a person has said so.

    Raises:
        ConfigurationError: the configuration cannot be used, or names no dead-letter queue.
        ServiceError: the dead-letter queue cannot be read.
    """
    with opened(path) as session:
        queue = _dead_letters(session)
        if not yes and not choice.dry_run:
            with Sweep(queue) as swept:
                meant = [held.letter for held in _chosen(swept, choice)]
            if not meant or not _agreed(meant):
                return _told(form, [Dealt(letter, done=False, text="kept") for letter in meant], dry_run=False)
            # What arrived since the question was asked is not meant.
            choice = replace(choice, filter=Filter(ids=frozenset(letter.message_id for letter in meant)))

        def deal(swept: Sweep, held: Held) -> Dealt:
            if choice.dry_run:
                return Dealt(held.letter, done=True, text="would be dropped")
            if not swept.keep(held, _MARGIN_CALLS * session.config.queue.call_timeout_seconds):
                return Dealt(held.letter, done=False, text="somebody else has it by now")
            return _dropped(swept, held)

        with Sweep(queue) as swept:
            dealt = _each(swept, choice, deal, "dropping")
    return _told(form, dealt, dry_run=choice.dry_run)


def _redriven(queue: Queue, swept: Sweep, held: Held) -> Dealt:
    try:
        queue.send(held.letter.body)
    except ServiceError as error:
        return Dealt(held.letter, done=False, text=f"not sent: {error}")
    try:
        swept.delete(held)
    except ServiceError as error:
        return Dealt(held.letter, done=False, text=f"sent, but the letter is still there: {error}")
    return Dealt(held.letter, done=True, text="redriven")


def _dropped(swept: Sweep, held: Held) -> Dealt:
    try:
        swept.delete(held)
    except ServiceError as error:
        return Dealt(held.letter, done=False, text=f"not dropped: {error}")
    return Dealt(held.letter, done=True, text="dropped")


def _each(swept: Sweep, choice: Choice, deal: Callable[[Sweep, Held], Dealt], what: str) -> list[Dealt]:
    bar, advance = output.progress(what, choice.limit)
    dealt = []
    with bar:
        for held in _chosen(swept, choice):
            dealt.append(deal(swept, held))
            advance()
            if choice.rate and not choice.dry_run:
                time.sleep(1 / choice.rate)
    return dealt


def _chosen(swept: Sweep, choice: Choice) -> Iterator[Held]:
    count = 0
    for held in swept:
        if choice.limit is not None and count >= choice.limit:
            return
        if choice.filter.fits(held.letter, _now_ms()):
            count += 1
            yield held


def _dead_letters(session: Session) -> Queue:
    name = session.config.queue.dead_letter_queue
    if not name:
        raise ConfigurationError("queue.dead_letter_queue: no dead-letter queue is configured")
    return session.queue(name)


def _peeked(queue: Queue) -> list[Letter]:
    return [read(each.message_id, each.body, each.enqueued_at_ms) for each in queue.peek(MAX_BATCH)]


def _agreed(letters: list[Letter]) -> bool:
    draw_letters(output.console(), letters, full=False)
    try:
        what = "this dead letter" if len(letters) == 1 else f"these {len(letters)} dead letters"
        return click.confirm(f"Drop {what} for good?", err=True)
    except click.Abort:
        return False


def _told(form: str, dealt: list[Dealt], *, dry_run: bool) -> CommandExit:
    document = [{**letter_document(each.letter), "done": each.done, "result": each.text} for each in dealt]

    def draw(console: Console) -> None:
        rows = [(each.letter.short_id, each.letter.rule, each.letter.resource, each.text) for each in dealt]
        console.print(output.table(("letter", "rule", "resource", "result"), rows))
        counts = Counter(each.done for each in dealt)
        console.print(f"{counts[True]} done, {counts[False]} not{', nothing was changed' if dry_run else ''}.")

    output.show(form, document, draw)
    return CommandExit.DONE if all(each.done for each in dealt) else CommandExit.REFUSED


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
