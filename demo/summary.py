"""What the demonstration came to: the table, and what is wrong if anything is; from the emulator's journal alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from demo.scene import DEAD_LETTERS, QUEUE, RULES, Scene, what_stays
from emulator.client import Emulator, Identity, JournalEntry
from witness import Ending, Expectations, Verdict, judge, watch

_ROWS = (
    ("fixed", Ending.FIXED),
    ("already compliant", Ending.ALREADY_COMPLIANT),
    ("superseded by a newer event", Ending.SUPERSEDED),
    ("gone", Ending.GONE),
    ("exempt", Ending.EXEMPT),
    ("not ours", Ending.NOT_OURS),
    ("dead-lettered", Ending.DEAD_LETTERED),
    ("kept: observed, contested, no right", Ending.KEPT),
    ("lost", Ending.LOST),
)


@dataclass(frozen=True, slots=True)
class Finish:
    """How the run ended."""

    exit_status: int
    """Of the worker, after SIGTERM."""
    verdict: Verdict
    brought: frozenset[str]
    """The resources that catch-up sent an event for."""
    log: str
    """The worker's own words, shown only when something is wrong."""


def judged(
    entries: list[JournalEntry], emulator: Emulator, rule_ids: dict[str, str], key: Identity, scene: Scene
) -> Verdict:
    """What the journal says of the whole run; the worker is known by its access key."""
    watched = {rule: watch(rule.identifier, rule_ids[rule.identifier], group=rule.name) for rule in RULES}
    expectations = Expectations(
        account_id=emulator.endpoints.account_id,
        queue=QUEUE,
        dead_letter_queue=DEAD_LETTERS,
        rules=tuple(each for rule, each in watched.items() if rule.mode == "enforce"),
        observed=tuple(each for rule, each in watched.items() if rule.mode == "observe"),
        worker_access_keys=frozenset({key.access_key_id}),
        exempt={scene.exempt},
        held={scene.contested, scene.claimed},
        reads_journaled=True,
    )
    return judge(entries, expectations)


def show(console: Console, verdict: Verdict, brought: int) -> None:
    """Print the summary; `brought` is how many events catch-up sent."""
    table = Table(title="Summary, from the emulator's journal", title_justify="left", show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    # A parked copy is the message that it stands for, not one more that was received.
    table.add_row("messages received", str(len(verdict.messages) - verdict.copies))
    table.add_row("of them brought by catch-up", str(brought))
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
    if finish.brought != {*scene.missed}:
        yield f"catch-up was to bring {sorted(scene.missed)}, and brought {sorted(finish.brought)}"
    non_compliant = set(emulator.non_compliant())
    for name in sorted(non_compliant.intersection(scene.broken)):
        yield f"Cloud Config still finds {name} non-compliant"
    for name in scene.groups:
        if not what_stays(emulator, name):
            yield f"security group {name} has not exactly the rules that it was to keep"
    acls = emulator.acls()
    for name in (scene.exempt, scene.contested, *scene.untouchable):
        if acls.get(name) != "public-read":
            yield f"bucket {name} was to be left as it is, and is {acls.get(name, 'gone')}"
    for name in set(scene.observed) - non_compliant:
        yield f"bucket {name} was changed although its rule only observes"
    for name in set(scene.deleted) & acls.keys():
        yield f"bucket {name} was deleted by its owner and exists again"
