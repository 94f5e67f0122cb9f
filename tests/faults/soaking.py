"""`python -m tests.faults.soak`: one worker, very many messages, and nothing that it holds may grow.

Measured from outside, in /proc. Messages of every kind come as fast as they are settled; the emulator forgets its
journal on the way, so that the measurement is not about the emulator.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.faults.replica import Replica
from tests.faults.resources import Growth, Sample, growth, sample
from tests.faults.stage import DEAD_LETTERS, READ_RULE, WRITE_RULE, Pace, Stage, staged

_BUCKETS = 400
_BACKLOG = 400
"""The next round comes when the queue holds fewer messages than this."""
_SAMPLES = 60
_WARM_UP_SHARE = 0.25
_STALLED_SECONDS = 60.0


class Supply:
    """Rounds of messages of every kind."""

    def __init__(self, stage: Stage) -> None:
        self._emulator = stage.emulator
        self._dice = random.Random(7)  # noqa: S311 - repeatable on purpose
        self._emulator.create_buckets(count=_BUCKETS)
        self.sent = 0
        self._rounds = 0

    def round(self) -> None:
        """About 300 messages: broken buckets, duplicates, late events, other kinds, poison."""
        self._rounds += 1
        config = self._emulator.config
        for number in self._dice.sample(range(_BUCKETS), 40):
            self._emulator.change_bucket(f"bucket-{number:05}", acl="public-read")
            self.sent += 1
        for number in self._dice.sample(range(_BUCKETS), 50):
            rule = self._dice.choice((READ_RULE, WRITE_RULE))
            self.sent += len(config.publish(bucket=f"bucket-{number:05}", rule=rule, count=4))
        # Names that were never seen before: whatever is remembered by name has to be forgotten again.
        for number in range(30):
            self.sent += len(config.publish(bucket=f"gone-{self._rounds}-{number}", rule=READ_RULE))
        self.sent += len(config.publish(kind="snapshot-success", count=20))
        self.sent += len(config.publish_raw(f"poison {self._rounds}", count=10))


def soak(stage: Stage, messages: int, progress: Callable[[int], None]) -> tuple[list[Sample], Replica]:
    """Send and settle so many messages; returns the samples and the worker, which still runs."""
    stage.emulator.journal_reads(False)
    replica = stage.replica(Pace(slots=128, workers=16))
    replica.start()
    supply, samples = Supply(stage), []
    every = max(1, messages // _SAMPLES)
    last, moved_at = 0, time.monotonic()
    while (settled := max(0, replica.books().settled)) < messages:
        progress(settled)
        if settled >= (len(samples) + 1) * every:
            samples.append(sample(replica.process.pid, settled))
            stage.emulator.clear_journal()
        if supply.sent < messages + _BACKLOG and stage.left() < _BACKLOG:
            supply.round()
        if settled != last:
            last, moved_at = settled, time.monotonic()
        elif time.monotonic() - moved_at > _STALLED_SECONDS:
            raise RuntimeError(f"no progress beyond {settled} messages:\n{replica.text()[-2000:]}")
        time.sleep(0.02)
    samples.append(sample(replica.process.pid, settled))
    return samples, replica


def judged(samples: Sequence[Sample]) -> list[Growth]:
    """The growth of everything, warm-up left out."""
    steady = [each for each in samples if each.messages >= samples[-1].messages * _WARM_UP_SHARE]
    return [
        growth("RSS, MiB", steady, [each.rss_bytes / 2**20 for each in steady], 3),
        growth("threads", steady, [each.threads for each in steady], 1),
        growth("file descriptors", steady, [each.descriptors for each in steady], 2),
        growth("sockets", steady, [each.sockets for each in steady], 2),
    ]


def show(console: Console, found: Sequence[Growth], count: int, seconds: float) -> None:
    """The table."""
    table = Table(title=f"{count} messages in {seconds:.0f} s ({count / seconds:.0f}/s)")
    for heading in ("", "after warm-up", "at the end", "per 100,000", "noise", ""):
        table.add_column(heading, justify="right")
    for each in found:
        verdict = "[green]flat" if each.flat else "[red]grows"
        numbers = (each.first, each.last, each.per_100k, each.noise)
        table.add_row(each.name, *(f"{number:.2f}" for number in numbers), verdict)
    console.print(table)


def main() -> int:
    """The command line; 0 only if nothing grows and the worker ends drained."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    count = parser.parse_args().messages
    console = Console()
    columns = (TextColumn("settled"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, staged(Path(folder)) as stage:
        began = time.monotonic()
        with Progress(*columns, console=console) as shown:
            task = shown.add_task("settled", total=count)
            samples, replica = soak(stage, count, lambda settled: shown.update(task, completed=settled))
        seconds = time.monotonic() - began
        status = replica.stop(60)
        letters = stage.left(DEAD_LETTERS)
    found = judged(samples)
    show(console, found, samples[-1].messages, seconds)
    console.print(f"exit status {status}, {letters} dead letters")
    return 0 if status == 0 and all(each.flat for each in found) else 1
