"""What the messages that are next in the queue would lead to; none of them is taken."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from consumer.core.exit_codes import CommandExit
from consumer.core.message import Peeked
from consumer.operator import output
from consumer.operator.dry_run import Rehearsal, Rehearsed, summary
from consumer.operator.session import opened


def peek(path: Path, form: str, *, count: int, look: bool) -> CommandExit:
    """Show the messages that the queue would hand out next, and where each would lead.

    Raises:
        ConfigurationError: the configuration cannot be used, or there are no credentials.
        ServiceError: the queue cannot be read.
    """
    with opened(path) as session:
        waiting = session.queue(session.config.queue.name).peek(count)
        rehearsal = Rehearsal(session.config, session.bucket, look=look)
        bar, advance = output.progress("looking at buckets", len(waiting))
        found: list[tuple[Peeked, Rehearsed]] = []
        with bar:
            for message in waiting:
                found.append((message, rehearsal.of(message.body)))
                advance()
    document = [
        {"message_id": message.message_id, "dequeue_count": message.dequeue_count, **rehearsed.document()}
        for message, rehearsed in found
    ]
    output.show(form, document, lambda console: _draw(console, found, full=len(found) == count))
    return CommandExit.DONE


def _draw(console: Console, found: list[tuple[Peeked, Rehearsed]], *, full: bool) -> None:
    if not found:
        console.print("No message is visible now. Hidden ones are in work, held or waiting for another try.")
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
    console.print(output.table(("rule", "leads to", "messages"), summary(each for _, each in found)))
    if full:
        console.print("There may be more: a peek shows the next 16 at most.")


def change(found: Rehearsed) -> str:
    """Why a message leads where it leads, with the states before and after where they differ."""
    if found.before != found.after:
        return f"{found.detail}: {found.before} → {found.after}"
    return found.detail or found.reason
