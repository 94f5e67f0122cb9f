"""Lists, shows, redrives and drops dead letters.

Redriving sends the original body to the worker's queue, and only when the service has confirmed exactly that body is
the letter deleted: a failure in between leaves both, which is harmless, since the worker looks before it acts. What is
redriven or dropped is decided before the first letter is touched: a worker beside it may send a letter back at once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from consumer.aliyun.mns.queue import Queue
from consumer.core.errors import (
    ConfigurationError,
    MessageGone,
    PermanentError,
    PermissionMissing,
    ServiceError,
    UnknownRefusal,
)
from consumer.core.exit_codes import CommandExit
from consumer.core.printable import quoted
from consumer.core.queue_limits import MAX_BATCH
from consumer.operator import output, typed
from consumer.operator.dlq.followed import Followed, Journal
from consumer.operator.dlq.history import properties
from consumer.operator.dlq.letters import Letter, LetterFilter, names, read
from consumer.operator.dlq.sweep import MOST_LETTERS, HeldLetter, Sweep
from consumer.operator.dlq.view import (
    LetterResult,
    draw_dealt,
    draw_letter,
    draw_letters,
    full_document,
    letter_document,
)
from consumer.operator.interruption import terminable
from consumer.operator.session import Session, opened

_MARGIN_CALLS = 3
"""A lease has to last for so many slow answers before a letter is dealt with."""


@dataclass(frozen=True, slots=True)
class LetterOptions:
    """Which letters, how many and how fast."""

    filter: LetterFilter
    limit: int | None = None
    """Copies of one message count once."""
    rate: float | None = None
    """Letters a second."""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class _FoundLetters:
    """What a first sweep has found: which letters are meant, of how many."""

    meant: tuple[Letter, ...]
    seen: frozenset[str]
    fitting: int
    """How many the filters would take without the limit."""
    cut: bool


def list_letters(path: Path, form: str, choice: LetterOptions, *, sweep: bool) -> CommandExit:
    """Show dead letters: the next sixteen by peek, or all of them by a sweep.

    Raises:
        ConfigurationError: the configuration cannot be used, or names no dead-letter queue.
        ServiceError: the queue cannot be read.
    """
    with opened(path) as session:
        queue = _dead_letters(session)
        if sweep:
            swept = _find(queue, choice)
            found, more, looked_at = list(swept.meant), swept.cut, len(swept.seen)
        else:
            peeked = _peeked(queue)
            more, looked_at = len(peeked) == MAX_BATCH, len(peeked)
            now_ms = _now_ms()
            found = [letter for letter in peeked if choice.filter.fits(letter, now_ms)][: choice.limit]
    if looked_at and not found:
        further = "; --all looks further" if more and not sweep else ""
        output.note(f"None of the {looked_at} letters that were looked at fits{further}.")
    document = [letter_document(letter) for letter in found]
    output.show(form, document, lambda console: draw_letters(console, found, full=more))
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
        raise ConfigurationError(f"there is no dead letter {quoted(message_id)} that is visible now")
    found = letter
    output.show(form, full_document(found), lambda console: draw_letter(console, found, _now_ms()))
    return CommandExit.DONE


def redrive(path: Path, form: str, choice: LetterOptions, *, foreign: bool, wait_seconds: float = 0.0) -> CommandExit:
    """Send original bodies back to the queue, and delete their letters; wait so long for what becomes of them.

    Raises:
        ConfigurationError: the configuration cannot be used, or names no dead-letter queue.
        ServiceError: the dead-letter queue cannot be read.
    """
    with terminable(), opened(path) as session:
        queue = session.queue(session.config.queue.name)
        dead = _dead_letters(session)
        found = _find(dead, choice)
        _announce(found)
        left = [
            LetterResult(letter, done=False, text="not written by this worker; --foreign redrives it as it is")
            for letter in found.meant
            if letter.foreign and not foreign
        ]
        meant = [letter for letter in found.meant if foreign or not letter.foreign]
        journal = Journal(Path(session.config.journal.path) if session.config.journal.path else None)
        if choice.dry_run:
            dealt = [LetterResult(letter, done=True, text="would be redriven") for letter in meant]
        else:
            sender = _Redrive(queue)
            dealt = _each(session, dead, found, meant, sender.redrive, choice.rate)
            if wait_seconds:
                dealt = _followed(Followed(dead, journal, found.seen), dealt, wait_seconds)
    done = [each for each in dealt if each.done]
    again = typed.command("dlq", "list", "--newer-than", "15m", config=path)
    after = f"{queue.name} has them again; one that fails again is a new letter: {again}"
    return _show_results(
        form, [*left, *dealt], dry_run=choice.dry_run, after=after if done and not choice.dry_run else ""
    )


def _followed(followed: Followed, dealt: list[LetterResult], seconds: float) -> list[LetterResult]:
    became = followed.wait({each.sent_as: each.letter.identity for each in dealt if each.sent_as}, seconds)
    return [replace(each, became=became.get(each.sent_as, "")) for each in dealt]


def drop(path: Path, form: str, choice: LetterOptions, *, yes: bool) -> CommandExit:
    """Delete letters for good, after a person has confirmed it.

    Raises:
        ConfigurationError: the configuration cannot be used, or names no dead-letter queue.
        ServiceError: the dead-letter queue cannot be read.
    """
    with terminable(), opened(path) as session:
        dead = _dead_letters(session)
        found = _find(dead, choice)
        _announce(found)
        if choice.dry_run:
            dealt = [LetterResult(letter, done=True, text="would be dropped") for letter in found.meant]
        elif found.meant and not yes and (reason := _declined(found.meant)):
            dealt = [LetterResult(letter, done=False, text=f"kept: {reason}") for letter in found.meant]
        else:
            dealt = _each(session, dead, found, found.meant, _dropped, choice.rate)
    return _show_results(form, dealt, dry_run=choice.dry_run)


def _find(queue: Queue, choice: LetterOptions) -> _FoundLetters:
    """Sweep to the end, and only then choose."""
    now_ms = _now_ms()
    with Sweep(queue) as swept:
        fitting = [held.letter.light() for held in swept if choice.filter.fits(held.letter, now_ms)]
    distinct = list(dict.fromkeys(letter.identity for letter in fitting))
    within = frozenset(distinct[: choice.limit])
    meant = tuple(letter for letter in fitting if letter.identity in within)
    return _FoundLetters(meant, swept.seen, len(fitting), swept.cut)


def _announce(found: _FoundLetters) -> None:
    text = f"letters in the queue: {len(found.seen)}, fitting: {found.fitting}, meant: {len(found.meant)}"
    more = f"; one sweep takes {MOST_LETTERS}, so run it again for the rest" if found.cut else ""
    output.note(f"{text}{more}.")


_Deal = Callable[[Sweep, HeldLetter], LetterResult]


def _each(
    session: Session,
    queue: Queue,
    found: _FoundLetters,
    meant: list[Letter] | tuple[Letter, ...],
    deal: _Deal,
    rate: float | None,
) -> list[LetterResult]:
    """Deal with exactly these letters, as they come."""
    margin = _MARGIN_CALLS * session.config.queue.call_timeout_seconds
    missing = {letter.message_id: letter for letter in meant}
    bar, advance = output.progress("dealing with letters", len(missing))
    dealt = []
    try:
        with bar, Sweep(queue, known=found.seen) as swept:
            for held in swept.only(tuple(missing), margin):
                dealt.append(deal(swept, held))
                del missing[held.letter.message_id]
                advance()
                if rate:
                    time.sleep(1 / rate)
    except KeyboardInterrupt as stop:
        stop.add_note(
            f"{len(dealt)} of {len(meant)} letters were dealt with, and one more may have been. Run it again for the"
            " rest: a redriven letter is deleted only once its message is confirmed, and sent twice it does no harm."
        )
        raise
    gone = "it is not visible any more: somebody else has it, or its lease has yet to end"
    return [*dealt, *(LetterResult(letter, done=False, text=gone) for letter in missing.values())]


class _Redrive:
    """Sends each message once, however many copies of its letter there are."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._sent: dict[str, str] = {}
        """The new message's id by the letter's identity."""

    def redrive(self, swept: Sweep, held: HeldLetter) -> LetterResult:
        letter = held.letter
        copy = letter.identity in self._sent
        try:
            if not copy:
                self._sent[letter.identity] = self._send(held)
        except ServiceError as error:
            return LetterResult(letter.light(), done=False, text=f"not sent: {error}", failed=_of_the_service(error))
        sent = self._sent[letter.identity]
        try:
            swept.delete(held)
        except ServiceError as error:
            text = f"sent, but the letter is still there: {error}"
            return LetterResult(letter.light(), done=False, text=text, failed=_of_the_service(error), sent_as=sent)
        return LetterResult(letter.light(), done=True, text="a copy, sent once" if copy else "redriven", sent_as=sent)

    def _send(self, held: HeldLetter) -> str:
        """Send the original body with what is known of its message; without that where the queue refuses it."""
        body, beside = held.letter.body, properties(held.letter, held.carried)
        try:
            return self._queue.send(body, properties=beside)
        except (PermanentError, UnknownRefusal):
            if not beside:
                raise
            return self._queue.send(body)


def _dropped(swept: Sweep, held: HeldLetter) -> LetterResult:
    try:
        swept.delete(held)
    except ServiceError as error:
        return LetterResult(
            held.letter.light(), done=False, text=f"not dropped: {error}", failed=_of_the_service(error)
        )
    return LetterResult(held.letter.light(), done=True, text="dropped")


def _of_the_service(error: ServiceError) -> bool:
    """Whether the service could not be used; not where it refuses this one letter, or the lease on it has ended."""
    letter_alone = isinstance(error, PermanentError | UnknownRefusal | MessageGone)
    return isinstance(error, PermissionMissing) or not letter_alone


def _dead_letters(session: Session) -> Queue:
    name = session.config.queue.dead_letter_queue
    if not name:
        raise ConfigurationError("queue.dead_letter_queue: no dead-letter queue is configured")
    return session.queue(name)


def _peeked(queue: Queue) -> list[Letter]:
    return [read(each.message_id, each.body, each.enqueued_at_ms) for each in queue.peek(MAX_BATCH)]


def _declined(letters: tuple[Letter, ...]) -> str:
    draw_letters(output.console(), letters, full=False)
    what = "this dead letter" if len(letters) == 1 else f"these {len(letters)} dead letters"
    return output.declined(f"Drop {what} for good?")


def _show_results(form: str, dealt: list[LetterResult], *, dry_run: bool, after: str = "") -> CommandExit:
    def draw(console: Console) -> None:
        draw_dealt(console, dealt)
        counts = Counter(each.done for each in dealt)
        console.print(f"{counts[True]} done, {counts[False]} not{', nothing was changed' if dry_run else ''}.")
        if after:
            output.unbroken(console, after)

    output.show(form, [each.document() for each in dealt], draw)
    if any(each.failed for each in dealt):
        return CommandExit.UNAVAILABLE
    return CommandExit.DONE if all(each.done for each in dealt) else CommandExit.REFUSED


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
