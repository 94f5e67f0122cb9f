"""Puts back the state that a journaled change replaced, if nobody has changed it since; journaled itself.

The journal has to prove the change, and the live state has to be exactly what it left. Whoever undoes decides with the
difference before their eyes, and what was found and done is on the disk before and after the request.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from consumer.core.errors import (
    DeniedByResource,
    PermanentError,
    PermissionMissing,
    Refused,
    ResourceGone,
    Retryable,
    ServiceError,
)
from consumer.core.exit_codes import CommandExit
from consumer.core.observers import StepName
from consumer.journal.file import JournalFile
from consumer.journal.writer import JournalWriter, actor, user
from consumer.operator import announce, output, records
from consumer.operator.interruption import terminable
from consumer.operator.lasting import Lasting, write_exemption, write_pause
from consumer.operator.session import opened
from consumer.operator.undo.change import Declined, Undo, UndoTyping, checked, work_of
from consumer.operator.undo.view import advice, close, document_of, draw, exemption_of, left_in_part, refused, unread
from consumer.resources.base import Identity, Written, written


@dataclass(frozen=True, slots=True)
class UndoOptions:
    """What a person has decided beforehand."""

    yes: bool = False
    dry_run: bool = False
    weaken: bool = False
    """That protection gets weaker is meant."""
    lasting: Lasting = field(default_factory=Lasting)
    file: Path | None = None
    """The journal, instead of the configuration's."""


def undo(path: Path, form: str, identity: str, wish: UndoOptions) -> CommandExit:
    """Undo one change.

    Raises:
        ConfigurationError: there is no journal, or no such change in it, or what makes the undo last cannot be written.
        ServiceError: the resource could not be read or changed.
    """
    denied = False
    with terminable(), opened(path) as session:
        journal = records.journal_path(path, wish.file)
        typing = UndoTyping(path, wish.file)
        done = records.change(journal, identity, typing.command("journal", "show", "RESOURCE"))
        work = work_of(done, session.config, session.open, typing)
        document = document_of(work, result="undone")
        try:
            records.proved(journal, done.entry)
            if done.undone:
                raise Declined("it was undone before")
            checked(work)
            if form != "json":
                draw(output.console(), work)
            _agreed(work, wish)
            found = checked(work)  # once more, for a person may have thought about it for minutes
            document["lasting"] = _make_last(path, work, wish.lasting)
            access_key_id = session.credentials.get_credentials().access_key_id
            document["now"], left = _carry_out(work, found, journal, access_key_id)
            if left is None:
                document["announced"] = announce.undone(
                    session, work.entry, work.remediation.kind.resource_type, document["now"], _person()
                )
            else:
                document["result"], denied = refused(work, str(left)), _is_unavailable(left)
        except (Declined, Refused, records.Unproved) as declined:
            document["result"] = f"not undone: {declined}"
        except (ResourceGone, PermanentError) as error:
            document["result"] = refused(work, str(error))
            denied = _is_unavailable(error)
        document["advice"] = advice(document, work, wish.lasting)
    output.show(form, document, lambda console: close(console, document, work))
    if denied:
        return CommandExit.UNAVAILABLE
    return CommandExit.DONE if document["result"] == "undone" or wish.dry_run else CommandExit.REFUSED


def _is_unavailable(error: ServiceError) -> bool:
    """Whether a service kept it from being undone, and not the resource itself."""
    return not isinstance(error, ResourceGone | PermanentError) or isinstance(
        error, PermissionMissing | DeniedByResource
    )


def _agreed(work: Undo, wish: UndoOptions) -> None:
    weakens = work.remediation.weakens(work.change)
    if wish.dry_run:
        raise Declined(f"this was a dry run{'; it needs --weaken' if weakens and not wish.weaken else ''}")
    if weakens and not wish.weaken:
        raise Declined(f"afterwards {weakens}; if that is meant, say so with --weaken")
    if not wish.yes and (reason := output.declined("Put this back?")):
        raise Declined(reason)


def _make_last(path: Path, work: Undo, lasting: Lasting) -> list[str]:
    """Write what makes the undo last; returns what was done, for people."""
    done = []
    if lasting.pause:
        write_pause(work.config.pause.file, f"paused by undo {work.entry.short_id}")
        done.append(f"all changes are paused by {work.config.pause.file}; remove it to let them go on")
    if lasting.exemption is not None:
        write_exemption(path, exemption_of(work, lasting.exemption), os.environ)
        done.append(f"{path} has an exemption now; workers go by it once they have been started anew")
    return done


def _carry_out(work: Undo, found: Identity, journal: Path, access_key_id: str) -> tuple[str, ServiceError | None]:
    """Revert between two lines of the journal; returns the state that is read back, and what kept it from being whole.

    Raises:
        Declined: nothing was undone, or the resource is another one now.
        ServiceError: it was not undone, or nobody knows what stands.
    """
    writer = JournalWriter(JournalFile(journal), who=_person())
    writer.opened(access_key_id)
    try:
        fields = {
            **{name: work.entry.text(name) for name in ("resource", "region", "account", "rule", "remediation")},
            "resource_type": work.remediation.kind.resource_type,
            "incarnation": found.incarnation,
            "undoes": work.entry.digest,
            "before": work.change.after,
        }
        try:
            writer.write([{"step": StepName.UNDO_BEFORE.value, **fields, "after": work.change.before}])
        except OSError as error:
            raise Declined(f"the journal cannot be written: {error.strerror}; nothing was changed") from None
        with _uncertain(work):
            left = _reverted(work, found)
        if left is not None and left.state != work.change.before:
            why = {"reason": left.error.code, "detail": str(left.error)}
            _journaled(writer, {"step": StepName.UNDONE_IN_PART.value, **fields, "after": left.state, **why})
            output.note(left_in_part(work))
            return left.state, left.error
        now: Identity = work.target.identity()
        if now.differs(found):
            raise Declined(_replaced(work, now, found))
        state = work.live(now)
        _journaled(writer, {"step": StepName.UNDONE.value, **fields, "after": state})
        return state, None
    finally:
        writer.close()


def _journaled(writer: JournalWriter, line: dict[str, str]) -> None:
    try:
        writer.write([line])
    except OSError as error:
        output.note(f"The line that it is {line['step'].replace('_', ' ')} could not be journaled: {error.strerror}")


@dataclass(frozen=True, slots=True)
class _Left:
    """What stands of an undo of which a request was accepted before a later one failed."""

    state: str
    error: ServiceError


def _reverted(work: Undo, found: Identity) -> _Left | None:
    """Send the requests; what they have reached where one of them failed, if that can be read.

    Raises:
        ServiceError: one failed, and no part of the undo shows.
    """
    try:
        work.remediation.revert(work.target, work.change)
    except ServiceError as error:
        state = _part(work, found) if written(work.target) is Written.YES else None
        if state is None:
            raise
        return _Left(state, error)
    return None


def _part(work: Undo, found: Identity) -> str | None:
    """The state, if it shows that a part was undone; the error before says why nothing else is known."""
    try:
        now: Identity = work.target.identity()
        state = None if now.differs(found) else work.live(now)
    except ServiceError:
        return None
    return None if state == work.change.after else state


@contextmanager
def _uncertain(work: Undo) -> Iterator[None]:
    """Say to who stops it here, or where no answer came, that nobody knows whether it was undone.

    Raises:
        KeyboardInterrupt: as it came, with that as a note.
        ServiceError: as it came.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.add_note(unread(work))
        raise
    except ServiceError as error:
        if isinstance(error, Retryable) or written(work.target) is not Written.NO:
            output.note(unread(work))
        raise


def _replaced(work: Undo, now: Identity, found: Identity) -> str:
    """What was done about a resource that is another one than a moment ago, for people.

    As in the worker, an accident of the repair's own calls is taken back, and only from the same owner. A resource that
    its owner has made anew is protected as before the undo.
    """
    noun = work.noun
    if not now.replaces(found):
        return f"the {noun} was deleted meanwhile; its name is another account's now"
    if ending := work.remediation.recover(work.target, found):
        return ending.detail
    try:
        work.remediation.apply(work.target, work.change)
    except ServiceError as error:
        return (
            f"the {noun} was deleted and made anew meanwhile; look at the new one, which could not be changed: {error}"
        )
    return f"the {noun} was deleted and made anew meanwhile; the new one is as the rule wants it"


def _person() -> str:
    """Who types, and where."""
    return f"{user()}@{actor()}"
