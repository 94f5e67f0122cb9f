"""What the demonstration came to: the table, and what is wrong if anything is; from the emulator's journal alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from demo.scene import DEAD_LETTERS, QUEUE, READ_RULE, WRITE_RULE, Scene
from emulator.client import Emulator, Identity, JournalEntry
from witness import Ending, Expectations, Verdict, judge, watch

_ROWS = (
    ("fixed", Ending.FIXED),
    ("already compliant", Ending.ALREADY_COMPLIANT),
    ("superseded by a newer event", Ending.SUPERSEDED),
    ("gone", Ending.GONE),
    ("not ours", Ending.NOT_OURS),
    ("dead-lettered", Ending.DEAD_LETTERED),
    ("kept in the queue", Ending.KEPT),
    ("lost", Ending.LOST),
)


@dataclass(frozen=True, slots=True)
class Finish:
    """How the run ended."""

    exit_status: int
    """Of the worker, after SIGTERM."""
    verdict: Verdict
    log: str
    """The worker's own words, shown only when something is wrong."""


def judged(entries: list[JournalEntry], emulator: Emulator, rule_ids: dict[str, str], key: Identity) -> Verdict:
    """What the journal says of the whole run; the worker is known by its access key."""
    return judge(
        entries,
        Expectations(
            account_id=emulator.endpoints.account_id,
            queue=QUEUE,
            dead_letter_queue=DEAD_LETTERS,
            worker_access_keys=frozenset({key.access_key_id}),
            rules=tuple(watch(identifier, rule_id=rule_ids[identifier]) for identifier in (READ_RULE, WRITE_RULE)),
        ),
    )


def show(console: Console, verdict: Verdict) -> None:
    """Print the summary."""
    table = Table(title="Summary, from the emulator's journal", title_justify="left", show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    table.add_row("messages received", str(len(verdict.messages)))
    for name, ending in _ROWS:
        table.add_row(name, str(verdict.endings[ending]))
    table.add_section()
    table.add_row("exposure p50", f"{verdict.exposure(0.50):.2f} s")
    table.add_row("exposure p99", f"{verdict.exposure(0.99):.2f} s")
    console.print(table)


def problems(finish: Finish, emulator: Emulator, scene: Scene) -> Iterator[str]:
    """Every way in which the run did not go as promised."""
    if finish.exit_status != 0:
        yield f"the worker ended with exit status {finish.exit_status} instead of 0"
    yield from map(str, finish.verdict.violations)
    acls = emulator.acls()
    for name in scene.broken:
        if acls.get(name) != "private":
            yield f"bucket {name} is {acls.get(name, 'gone')} instead of private"
    for name in scene.untouchable:
        if acls.get(name) != "public-read":
            yield f"bucket {name} of another account was changed to {acls.get(name, 'gone')}"
    for name in scene.deleted:
        if name in acls:
            yield f"bucket {name} was deleted by its owner and exists again"
    for name in emulator.non_compliant():
        if name not in scene.untouchable:
            yield f"Cloud Config still finds bucket {name} non-compliant"
