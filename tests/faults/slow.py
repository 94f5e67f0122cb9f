"""`python -m tests.faults.slow_failures`: messages that fail after seconds each, and fresh events that must not wait.

Buckets whose looks take more than two seconds and then fail, many more than there are slots, so that their messages
come back all the time and would fill every slot; among them fresh events. As in `tests.faults.fairness` how long a
fresh event takes is compared with an idle queue, in turns, and none of the others may be lost over a retention that is
shorter than the run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import ExitStack

from rich.console import Console

from tests.faults.fair import Fairness, Finding, Waits, compared, figures, side_by_side, taken
from tests.faults.stage import Pace

_SLOW = "slow"
_STALL_SECONDS = 0.5
"""Each of the four tries of a look."""
_WAITS = Waits(retention=120, hold=60)
_PACE = Pace(
    lease_seconds=30,
    wait_seconds=5,
    call_timeout_seconds=10,
    shutdown_grace_seconds=40,
    backoff_base_seconds=10,
    backoff_cap_seconds=60,
    max_attempts=1_000,
    hold_seconds=_WAITS.hold,
    park_after_seconds=5,
)
"""32 slots and 8 workers; failures wait for so little that the next ones are always due."""


class SlowFailures(Fairness):
    """A run with slow messages instead of many."""

    def fill(self, seconds: float = 0.0) -> int:  # noqa: ARG002 - they all come at once
        """Let the slow ones arrive and fail, so that they are fresh no more; returns the time before that."""
        began_ms = self.now_ms()
        self._emulator.faults.add("stall", "GetBucket*", service="oss", resource=f"*{_SLOW}-*", seconds=_STALL_SECONDS)
        self._emulator.create_buckets(count=self._messages, prefix=f"{_SLOW}-", acl="public-read")
        self.settle(lambda: len(taken(self.journal)) >= self._messages)
        return began_ms


def run(messages: int, say: Callable[[str], None]) -> Finding:
    """So many slow ones beside fresh events, until the retention is over."""
    with ExitStack() as stack:
        crowd, alone = side_by_side(stack, lambda stage: SlowFailures(stage, messages, _WAITS, pace=_PACE))
        say(f"{messages} messages arrive, each of which fails after {4 * _STALL_SECONDS:g} s")
        began_ms = crowd.fill()
        say(f"they come back until {_WAITS.retention} s are over, and fresh events among them")
        cycling, idle = compared(crowd, alone, began_ms + _WAITS.retention * 1000)
        alone.replica.stop(60)
        return crowd.conclude(began_ms, idle, cycling)


def main() -> int:
    """The command line; 0 only if nothing is lost and fresh events take at most twice as long."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.slow_failures", description=__doc__)
    parser.add_argument("--messages", type=int, default=200)
    given = parser.parse_args()
    console = Console()
    began = time.monotonic()
    found = run(given.messages, console.print)
    for name, values in (("on an idle queue", found.idle_seconds), ("beside slow failures", found.cycling_seconds)):
        console.print(f"{len(values)} fresh events {name}: {figures(values)}, slowest {max(values):.3f} s")
    console.print(f"p99 against an idle queue: {found.ratio:.2f} x; lasted {found.lasted_seconds:.0f} s")
    console.print(
        f"{found.verdict.copies} copies parked, {found.left} messages still wait, hidden instead {found.hidden}"
    )
    for problem in found.problems[:20]:
        console.print(f"✗ {problem}", markup=False, highlight=False)
    console.print(f"{time.monotonic() - began:.0f} s")
    return 0 if not found.problems and found.ratio <= 2 else 1
