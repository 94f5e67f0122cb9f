"""`python -m tests.faults.fairness`: very many messages that wait, and fresh events that must not wait for them.

Buckets that only an observing rule minds, so that their messages go round and round; among them fresh events of a rule
that enforces. How long one takes, from its push to its deletion, is read from the emulator's journal: first while the
queue is otherwise idle, then while all those that wait come due at once. The services' clock is moved, so that they
wait for longer than the queue keeps a message; by less than the quarter of an hour that a signature may be late.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mns.queue import QueueMeta
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from emulator.client import JournalEntry
from emulator.interruption import command
from emulator.provisioning import account
from tests.faults.stage import ENCRYPTION_RULE, QUEUE, Pace, Stage, staged, until
from witness import Verdict, judge

RETENTION_SECONDS = 600
HOLD_SECONDS = 240
"""What waits is due again after this: well before half of the retention."""
PACE = Pace(
    lease_seconds=30,
    wait_seconds=5,
    call_timeout_seconds=10,
    slots=128,
    workers=32,
    shutdown_grace_seconds=40,
    hold_seconds=HOLD_SECONDS,
    park_after_seconds=30,
    observes=True,
)
_ON_QUEUE = f"queues/{QUEUE}"
_FRESH = "fresh"
_WAITING = "waiting"
_PATIENCE_SECONDS = 3_600.0
_BETWEEN_SECONDS = 0.25
_STEP_SECONDS = 30
_STEP_PAUSE_SECONDS = 6.0
"""A poll that waits comes back within it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a run has shown."""

    messages: int
    idle_seconds: tuple[float, ...]
    """From push to deletion, of fresh events while nothing else was due."""
    crowded_seconds: tuple[float, ...]
    """The same while everything that waits was due."""
    rounds: int
    """How often everything that waits came due again."""
    lasted_seconds: float
    """From the first message that waits to the end, by the services' clock."""
    left: int
    """Messages that still wait, parked copies of one counted once."""
    refused_receives: int
    """Receives that the service throttled because too much was not deleted."""
    verdict: Verdict

    @property
    def ratio(self) -> float:
        """How much longer than on an idle queue a fresh event takes, of a hundred the slowest but one."""
        return share(self.crowded_seconds, 0.99) / share(self.idle_seconds, 0.99)

    @property
    def problems(self) -> list[str]:
        """What is not as promised, times left out."""
        found = [str(violation) for violation in self.verdict.violations]
        if self.left != self.messages:
            found.append(f"{self.left} of {self.messages} messages still wait")
        if self.lasted_seconds <= RETENTION_SECONDS:
            found.append(f"the run was over after {self.lasted_seconds:.0f} s, and nothing can have expired by then")
        if self.refused_receives:
            found.append(f"{self.refused_receives} receives were throttled")
        return found


class Fairness:
    """One run on one stage."""

    def __init__(self, stage: Stage, messages: int) -> None:
        self._stage = stage
        self._emulator = stage.emulator
        self._messages = messages
        self.journal: list[JournalEntry] = []
        """As far as it was taken over."""
        self._fresh = 0
        self._emulator.journal_reads(False)
        self._emulator.config.set_channel(non_compliance=True)
        self._emulator.set_consumption_throttle(5_000, 1_800)
        with account(self._emulator) as owner:
            owner.get_queue(QUEUE).set_attributes(QueueMeta(vis_timeout=30, msg_ttl=RETENTION_SECONDS))
        # So that nothing is hidden where it should be parked, because sending was slow on a busy machine.
        self.replica = stage.replica(PACE, REMEDIATOR__ENGINE__SETTLERS="8")

    def start(self) -> None:
        """Start the worker."""
        self.replica.start()
        if not until(self.replica.ready, 120):
            raise RuntimeError(f"the worker is not ready:\n{self.replica.text()[-2000:]}")

    def fill(self) -> int:
        """Let everything that waits arrive and be parked; returns the services' time before that."""
        began_ms = self.now_ms()
        names = self._emulator.create_buckets(count=self._messages, prefix=f"{_WAITING}-", acl="private")
        for number, name in enumerate(names):
            self._emulator.config.publish(bucket=name, rule=ENCRYPTION_RULE)
            if number % 1_000 == 999:
                self.collect()
        self.settle(self.drained)
        return began_ms

    def fresh(self, count: int, between_seconds: float = _BETWEEN_SECONDS) -> tuple[float, ...]:
        """Let so many fresh events arrive one after the other; how long each took, in seconds."""
        self.collect()
        first = len(self.journal)
        for _ in range(count):
            self._emulator.create_buckets([f"{_FRESH}-{self._fresh:06}"], acl="public-read")
            self._fresh += 1
            time.sleep(between_seconds)
        self.settle(lambda: len(taken(self.journal[first:])) >= count)
        return tuple(taken(self.journal[first:]).values())

    def due(self) -> None:
        """Let time pass until everything that waits is due, in steps: a leap could skip the time that a message has
        between its last hide and its end, in which a worker would have received it."""
        for _ in range(0, HOLD_SECONDS, _STEP_SECONDS):
            self._emulator.advance(_STEP_SECONDS)
            time.sleep(_STEP_PAUSE_SECONDS)

    def drained(self) -> bool:
        """Whether nothing is due any more."""
        return self.due_now() == 0

    def due_now(self) -> int:
        """How many messages can be received. From the service itself: the emulator's state would show all bodies."""
        with account(self._emulator) as owner, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the SDK's own, about these very figures
            return int(owner.get_queue(QUEUE).get_attributes().active_messages)

    def now_ms(self) -> int:
        """The services' time."""
        return int(self._emulator.control.call("GET", "/clock")["now_ms"])

    def settle(self, happened: Callable[[], bool]) -> None:
        """Wait until something is so, and take the journal over meanwhile.

        Raises:
            RuntimeError: it is not, after an hour.
        """

        def looked() -> bool:
            self.collect()
            return happened()

        if not until(looked, _PATIENCE_SECONDS, every=0.25):
            raise RuntimeError(f"it never came about:\n{self.replica.text()[-2000:]}")

    def collect(self) -> None:
        """Take the journal over, so that the emulator stays small."""
        after = self.journal[-1].sequence if self.journal else 0
        self.journal += self._emulator.journal(after)
        if self.journal:
            self._emulator.clear_journal(self.journal[-1].sequence)

    def received_before(self, message_id: str) -> int:
        """How many other messages were received between a message's push and its own first receipt."""
        others = 0
        pushed = False
        for entry in self.journal:
            pushed = pushed or (entry.operation == "PushToQueue" and entry.detail["message_id"] == message_id)
            if pushed and entry.operation == "BatchReceiveMessage" and entry.resource == _ON_QUEUE:
                received = [each["message_id"] for each in entry.detail["messages"]]
                if message_id in received:
                    return others
                others += len(received)
        raise LookupError(message_id)

    def last_pushed(self) -> str:
        """The id of the message that reached the queue last."""
        return next(str(e.detail["message_id"]) for e in reversed(self.journal) if e.operation == "PushToQueue")

    def conclude(
        self, began_ms: int, rounds: int, idle: Iterable[float] = (), crowded: Iterable[float] = ()
    ) -> Finding:
        """What was found; the worker is stopped."""
        throttled = self.replica.get("/metrics")[1].count('code="TooManyRequests"')
        if status := self.replica.stop(60):
            raise RuntimeError(f"exit status {status}:\n{self.replica.text()[-2000:]}")
        self.collect()
        expected = self._stage.expectations(converged=False, reads_journaled=False)
        return Finding(
            messages=self._messages,
            idle_seconds=tuple(idle),
            crowded_seconds=tuple(crowded),
            rounds=rounds,
            lasted_seconds=(self.now_ms() - began_ms) / 1000,
            left=self._stage.waiting(),
            refused_receives=throttled,
            verdict=judge(self.journal, expected),
        )


def taken(entries: Iterable[JournalEntry]) -> dict[str, float]:
    """By message that was pushed and deleted within these entries: the seconds between."""
    pushed: dict[str, int] = {}
    found: dict[str, float] = {}
    for entry in entries:
        if entry.operation == "PushToQueue":
            pushed[entry.detail["message_id"]] = entry.time_ms
        elif entry.operation == "BatchDeleteMessage" and entry.resource == _ON_QUEUE:
            for message_id in entry.detail["deleted"]:
                if message_id in pushed:
                    found[message_id] = (entry.time_ms - pushed[message_id]) / 1000
    return found


def share(values: Iterable[float], part: float) -> float:
    """What this part of the values does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def run(messages: int, fresh: int, say: Callable[[str], None]) -> Finding:
    """The whole run: idle, filled, and due again until everything has waited for longer than it is kept."""
    with tempfile.TemporaryDirectory(prefix="fairness-") as folder, staged(Path(folder)) as stage:
        run = Fairness(stage, messages)
        run.start()
        say("fresh events on an idle queue")
        run.fresh(10)
        idle = run.fresh(fresh)
        say(f"{messages} messages arrive and are parked")
        began_ms = run.fill()
        crowded: list[float] = []
        rounds = 0
        while run.now_ms() - began_ms <= RETENTION_SECONDS * 1000:
            rounds += 1
            say(f"all are due, round {rounds}, and fresh events among them")
            run.due()
            while not run.drained() and len(crowded) < rounds * fresh:
                crowded += run.fresh(20)
            run.settle(run.drained)
        return run.conclude(began_ms, rounds, idle, crowded)


def show(console: Console, found: Finding) -> None:
    """The table, and what is wrong."""
    table = Table(title=f"{found.messages} messages that wait", show_header=False)
    table.add_column(), table.add_column(justify="right")
    for name, values in (("on an idle queue", found.idle_seconds), ("while all are due", found.crowded_seconds)):
        figures = f"{share(values, 0.5):.3f} s / {share(values, 0.99):.3f} s"
        table.add_row(f"fresh events {name}, {len(values)}: p50 / p99", figures)
    table.add_row("p99 against an idle queue", f"{found.ratio:.2f} x")
    table.add_row("rounds in which all came due", str(found.rounds))
    table.add_row(f"lasted, against a retention of {RETENTION_SECONDS} s", f"{found.lasted_seconds:.0f} s")
    table.add_row("copies parked", str(found.verdict.copies))
    table.add_row("receives throttled", str(found.refused_receives))
    endings = Counter(found.verdict.endings)
    table.add_row("messages by ending", ", ".join(f"{count} {ending.value}" for ending, count in endings.items()))
    table.add_row("still waiting", str(found.left))
    table.add_row("[bold]violations", f"[bold]{len(found.verdict.violations)}")
    console.print(table)
    for problem in found.problems[:20]:
        console.print(f"[red]✗[/] {problem}", markup=True, highlight=False)


def main() -> int:
    """The command line; 0 only if nothing is lost and fresh events take at most twice as long."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.fairness", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--fresh", type=int, default=200, help="fresh events on the idle queue, and in each round")
    given = parser.parse_args()
    console = Console()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as shown:
        task = shown.add_task("")
        found = run(given.messages, given.fresh, lambda text: shown.update(task, description=text))
    show(console, found)
    return 0 if not found.problems and found.ratio <= 2 else 1


if __name__ == "__main__":
    command("fairness", main)
