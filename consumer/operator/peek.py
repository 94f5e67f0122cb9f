"""What the messages that are next in the queue would lead to; none of them is taken."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from consumer.core.exit_codes import CommandExit
from consumer.core.message import Peeked
from consumer.core.parked import History
from consumer.operator import output, states, times
from consumer.operator.dry_run import DryRun, DryRunResult, summary
from consumer.operator.session import opened

_PARKED = ("message", "parked copy of", "first enqueued (UTC)", "received", "attempts", "parked because")


def peek(path: Path, form: str, *, count: int, look: bool) -> CommandExit:
    """Show the messages that the queue would deliver next, and where each would lead.

    Raises:
        ConfigurationError: the configuration cannot be used, or there are no credentials.
        ServiceError: the queue cannot be read.
    """
    with opened(path) as session:
        waiting = session.queue(session.config.queue.name).peek(count)
        rehearsal = DryRun(session.config, session.open, look=look)
        bar, advance = output.progress("looking at resources", len(waiting))
        found: list[tuple[Peeked, DryRunResult]] = []
        with bar:
            for message in waiting:
                found.append((message, rehearsal.of(message.body)))
                advance()
    document = [{**_message(message), **rehearsed.document()} for message, rehearsed in found]
    output.show(form, document, lambda console: _draw(console, found, full=len(found) == count))
    return CommandExit.UNAVAILABLE if any(each.unavailable for _, each in found) else CommandExit.DONE


def _draw(console: Console, found: list[tuple[Peeked, DryRunResult]], *, full: bool) -> None:
    if not found:
        console.print("No message is visible now. Hidden and parked ones are in work, held or waiting for another try.")
        return
    rows = [
        (
            message.message_id[-12:],
            message.dequeue_count,
            each.rule or "-",
            each.mode or "-",
            each.resource or "-",
            each.outcome.value if each.outcome else "?",
            change(each),
        )
        for message, each in found
    ]
    columns = ("message", "received", "rule", "mode", "resource", "leads to", "because")
    console.print(output.table(columns, rows))
    if parked := [_parked(message, history) for message, _ in found if (history := message.carried.history)]:
        console.print(output.table(_PARKED, parked))
    console.print(output.table(("rule", "leads to", "messages"), summary(each for _, each in found)))
    if full:
        console.print("There may be more: a peek shows the next 16 at most.")


def _parked(message: Peeked, history: History) -> tuple[object, ...]:
    """What a parked copy says of the messages before it, as far as it can be believed."""
    return (
        message.message_id[-12:],
        history.origin_id[-12:],
        times.moment(history.first_enqueued_ms),
        history.receipts + message.dequeue_count,
        history.attempts,
        history.reason,
    )


def _message(message: Peeked) -> dict[str, Any]:
    """For scripts; `parked` is null for a message that is no parked copy."""
    history = message.carried.history
    return {
        "message_id": message.message_id,
        "dequeue_count": message.dequeue_count,
        "parked": None if history is None else asdict(history),
    }


def change(found: DryRunResult) -> str:
    """Why a message leads where it leads, with the states before and after where they differ."""
    if found.before != found.after:
        return f"{states.cut(found.detail)}: {states.change(found.before, found.after)}"
    return states.cut(found.detail or found.reason)
