"""`python -m tests.faults.fairness`: very many messages that wait, and fresh events that must not wait for them.

Buckets that only an observing rule minds, so that their messages go round and round; among them fresh events of a rule
that enforces. 20,000 that wait for a quarter of an hour, as by default, come back at 22 a second; fewer wait for less
here, so that the pace is the same. It is kept in real time, for longer than the queue keeps a message. How long a fresh
event takes, from its push to its deletion, is read from the journal of the emulator and compared with an idle queue, in
turns: a second worker and emulator beside the first, so that whatever else the machine does slows down both. At last
the services' clock is moved, and all that wait come back at once, as after hours without any worker: how long a fresh
event then takes is shown, and none may be lost.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from mns.queue import QueueMeta
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from emulator.client import JournalEntry
from emulator.provisioning import account
from tests.faults.stage import ENCRYPTION_RULE, QUEUE, Pace, Stage, staged, until
from witness import Verdict, judge

_SHORTEST_HOLD = 120
_LONGEST_LEAP = 800
"""The services refuse signatures of a quarter of an hour ago."""


@dataclass(frozen=True, slots=True)
class Waits:
    """For how long messages are kept and wait, in seconds."""

    retention: int
    hold: int
    """What waits comes back after this: well before half of the retention."""

    @classmethod
    def of(cls, messages: int) -> Waits:
        """What lets so many come back at the pace of 20,000 that wait for a quarter of an hour."""
        hold = max(_SHORTEST_HOLD, messages * 900 // 20_000)
        return cls(2 * hold + 60, hold)

    @property
    def pace(self) -> Pace:
        """The worker's times."""
        return Pace(
            lease_seconds=30,
            wait_seconds=5,
            call_timeout_seconds=10,
            slots=128,
            workers=32,
            shutdown_grace_seconds=40,
            hold_seconds=self.hold,
            park_after_seconds=30,
            observes=True,
        )


_ON_QUEUE = f"queues/{QUEUE}"
_FRESH = "fresh"
_WAITING = "waiting"
_NOT_PARKED = re.compile(r'^remediator_settle_errors_total\{action="park",code="(\w+)"\} (\S+)$', re.MULTILINE)
_PATIENCE_SECONDS = 3_600.0
_BETWEEN_SECONDS = 0.25
_FRESH_AT_ONCE = 20
"""Fresh events between two looks at the journal, which take time from everybody."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a run has shown."""

    messages: int
    retention_seconds: int
    idle_seconds: tuple[float, ...]
    """From push to deletion, of fresh events on an idle queue."""
    cycling_seconds: tuple[float, ...]
    """The same while those that wait come back one after the other."""
    crowded_seconds: tuple[float, ...]
    """The same while all of them have come back at once."""
    lasted_seconds: float
    """From the first message that waits to the end, by the services' clock."""
    left: int
    """Messages that still wait, parked copies of one counted once."""
    refused_receives: int
    """Receives that the service throttled because too much was not deleted."""
    hidden: dict[str, int]
    """Deliveries that were hidden where all should be parked, by why."""
    verdict: Verdict

    @property
    def ratio(self) -> float:
        """How much longer than on an idle queue a fresh event takes, of a hundred the slowest but one."""
        return share(self.cycling_seconds, 0.99) / share(self.idle_seconds, 0.99)

    @property
    def problems(self) -> list[str]:
        """What is not as promised, times left out."""
        found = [str(violation) for violation in self.verdict.violations]
        if self.left != self.messages:
            found.append(f"{self.left} of {self.messages} messages still wait")
        if self.lasted_seconds <= self.retention_seconds:
            found.append(f"the run was over after {self.lasted_seconds:.0f} s, and nothing can have expired by then")
        if self.refused_receives:
            found.append(f"{self.refused_receives} receives were throttled")
        return found


class Fairness:
    """One run on one stage."""

    def __init__(
        self, stage: Stage, messages: int, waits: Waits, *, slots: int = 128, pace: Pace | None = None
    ) -> None:
        self._stage = stage
        self._waits = waits
        self._emulator = stage.emulator
        self._messages = messages
        self.journal: list[JournalEntry] = []
        """As far as it was taken over."""
        self._fresh = 0
        self._emulator.journal_reads(False)
        self._emulator.config.set_channel(non_compliance=True)
        self._emulator.set_consumption_throttle(5_000, 1_800)
        with account(self._emulator) as owner:
            owner.get_queue(QUEUE).set_attributes(QueueMeta(vis_timeout=30, msg_ttl=waits.retention))
        self.replica = stage.replica(pace or replace(waits.pace, slots=slots))

    def start(self) -> None:
        """Start the worker."""
        self.replica.start()
        if not until(self.replica.ready, 120):
            raise RuntimeError(f"the worker is not ready:\n{self.replica.text()[-2000:]}")

    def fill(self, seconds: float = 0.0) -> int:
        """Let everything that waits arrive within so many seconds, and be parked; returns the time before that."""
        began_ms, began = self.now_ms(), time.monotonic()
        names = self._emulator.create_buckets(count=self._messages, prefix=f"{_WAITING}-", acl="private")
        for number, name in enumerate(names):
            self._emulator.config.publish(bucket=name, rule=ENCRYPTION_RULE)
            time.sleep(max(0.0, began + seconds * number / self._messages - time.monotonic()))
            if number % 1_000 == 999:
                self.collect()
        self.settle(self.drained)
        return began_ms

    def push(self) -> None:
        """Let one fresh event arrive."""
        self._emulator.create_buckets([f"{_FRESH}-{self._fresh:06}"], acl="public-read")
        self._fresh += 1

    def due(self) -> None:
        """Let time pass until everything that waits has come back at once."""
        self._emulator.advance(min(self._waits.hold, _LONGEST_LEAP))

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
        self,
        began_ms: int,
        idle: Iterable[float] = (),
        cycling: Iterable[float] = (),
        crowded: Iterable[float] = (),
    ) -> Finding:
        """What was found; the worker is stopped."""
        metrics = self.replica.get("/metrics")[1]
        if status := self.replica.stop(60):
            raise RuntimeError(f"exit status {status}:\n{self.replica.text()[-2000:]}")
        self.collect()
        expected = self._stage.expectations(converged=False, reads_journaled=False)
        return Finding(
            messages=self._messages,
            retention_seconds=self._waits.retention,
            idle_seconds=tuple(idle),
            cycling_seconds=tuple(cycling),
            crowded_seconds=tuple(crowded),
            lasted_seconds=(self.now_ms() - began_ms) / 1000,
            left=self._stage.waiting(),
            refused_receives=metrics.count('code="TooManyRequests"'),
            hidden={code: int(float(count)) for code, count in _NOT_PARKED.findall(metrics)},
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


_Run = TypeVar("_Run", bound=Fairness)


def figures(values: Sequence[float]) -> str:
    """Median and the slowest of a hundred but one."""
    return f"p50 {share(values, 0.5):.3f} s, p99 {share(values, 0.99):.3f} s"


def fresh(runs: Sequence[Fairness], count: int) -> list[list[float]]:
    """Let so many fresh events arrive at each, in turns; how long each took, in seconds."""
    for each in runs:
        each.collect()
    first = [len(each.journal) for each in runs]
    for _ in range(count):
        for each in runs:
            each.push()
            time.sleep(_BETWEEN_SECONDS / len(runs))
    found = []
    for each, since in zip(runs, first, strict=True):
        each.settle(lambda each=each, since=since: len(taken(each.journal[since:])) >= count)  # type: ignore[misc]
        found.append(list(taken(each.journal[since:]).values()))
    return found


def side_by_side(stack: ExitStack, made: Callable[[Stage], _Run]) -> tuple[_Run, _Run]:
    """A run that is to be crowded and an idle one, each with a worker and an emulator of its own, both started."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fairness-")))
    stages = []
    for name in ("crowded", "idle"):
        (folder / name).mkdir()
        stages.append(stack.enter_context(staged(folder / name)))
    crowd, alone = (made(stage) for stage in stages)
    crowd.start()
    alone.start()
    return crowd, alone


def compared(crowd: Fairness, alone: Fairness, until_ms: float) -> tuple[list[float], list[float]]:
    """How long fresh events take in the crowd and alone, in turns, until that moment of the services' clock."""
    cycling: list[float] = []
    idle: list[float] = []
    while crowd.now_ms() <= until_ms:
        for values, found in zip((cycling, idle), fresh((crowd, alone), _FRESH_AT_ONCE), strict=True):
            values += found
    return cycling, idle


def run(messages: int, say: Callable[[str], None]) -> Finding:
    """The whole run: those that wait one after the other, for longer than they are kept, and then all at once."""
    with ExitStack() as stack:
        waits = Waits.of(messages)
        crowd, alone = side_by_side(stack, lambda stage: Fairness(stage, messages, waits))
        say(f"{messages} messages arrive within {waits.hold} s and are parked")
        began_ms = crowd.fill(waits.hold)
        say(f"they come back one after the other, until {waits.retention} s are over, and fresh events among them")
        cycling, idle = compared(crowd, alone, began_ms + waits.retention * 1000)
        say(f"{figures(cycling)}, on an idle queue {figures(idle)}")
        say("they come back at once, and fresh events among them")
        crowd.due()
        crowded: list[float] = []
        while not crowd.drained():
            crowded += fresh([crowd], _FRESH_AT_ONCE)[0]
        crowd.settle(crowd.drained)
        alone.replica.stop(60)
        return crowd.conclude(began_ms, idle, cycling, crowded)


def show(console: Console, found: Finding) -> None:
    """The table, and what is wrong."""
    table = Table(title=f"{found.messages} messages that wait", show_header=False)
    table.add_column(), table.add_column(justify="right")
    for name, values in (
        ("on an idle queue", found.idle_seconds),
        ("while they come back one after the other", found.cycling_seconds),
        ("while they come back at once", found.crowded_seconds),
    ):
        table.add_row(f"fresh events {name}, {len(values)}", figures(values))
    table.add_row("p99, one after the other against an idle queue", f"{found.ratio:.2f} x")
    table.add_row(f"lasted, against a retention of {found.retention_seconds} s", f"{found.lasted_seconds:.0f} s")
    table.add_row("copies parked", str(found.verdict.copies))
    hidden = ", ".join(f"{count} {code}" for code, count in found.hidden.items())
    table.add_row("deliveries hidden instead, by why", hidden or "0")
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
    given = parser.parse_args()
    console = Console()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as shown:
        task = shown.add_task("")

        def say(text: str) -> None:
            shown.console.print(text)
            shown.update(task, description=text)

        found = run(given.messages, say)
    show(console, found)
    return 0 if not found.problems and found.ratio <= 2 else 1
