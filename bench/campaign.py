"""Runs the schedule and collects what it brings; a contender that fails is noted and costs nobody else anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from statistics import median
from typing import TypeVar

from bench import incidents, machine, plan, targets, windows
from bench.contenders import CALLS, Contender
from bench.measurements import Absence, IdleResult, KillResult, Results
from bench.plan import Row
from bench.settings import THREE_CALLS
from bench.stage import Failed, Stage

Say = Callable[[str], None]
_T = TypeVar("_T")

_CAPACITY_SECONDS = 2.0
_HEAD_START_SECONDS = 3.0


class Campaign:
    """One run of the benchmark."""

    def __init__(self, stage: Stage, rounds: int, say: Say) -> None:
        self.results = Results.empty()
        self._stage = stage
        self._rounds = rounds
        self._say = say
        self._until = time.monotonic() + plan.LONGEST_SECONDS
        self._called: tuple[str, ...] = THREE_CALLS
        """What the worker sends for one message."""

    def run(self, rows: Collection[str]) -> Results:
        """Measure the named rows, in the order of the schedule."""
        for row in plan.BACKLOG_ROWS:
            if row.name in rows:
                self._backlog(row)
        if plan.TRICKLE.name in rows:
            self._trickle(plan.TRICKLE)
        if plan.START in rows:
            self._starts()
        if plan.INCIDENTS in rows:
            self._incidents()
        self._more_rounds()
        return self.results

    def _more_rounds(self) -> None:
        """One round more of every comparison that is undecided, again and again while there is time for it."""
        for turn in count(self._rounds + 1):
            asked = targets.undecided(self.results)
            if not asked or turn > plan.MOST_ROUNDS:
                return
            for number, (name, *sides) in enumerate(asked):
                if time.monotonic() > self._until:
                    return
                (row,) = (each for each in plan.BACKLOG_ROWS if each.name == name)
                self._say(f"{name}: still undecided, one round more of {' and '.join(sides)}")
                for contender in row.contenders:
                    if contender.name in sides:
                        # A number of its own, or one side's round would be held against another pair's.
                        self._measure(row, self._as_called(contender), turn * 1_000 + number)

    def _backlog(self, row: Row) -> None:
        if CALLS in row.contenders:
            self._called = self._calls()
        for turn, contender in plan.turns(row, self._rounds):
            self._say(f"{row.name} {turn}/{self._rounds}  {contender.name}")
            self._measure(row, self._as_called(contender), turn)

    def _as_called(self, contender: Contender) -> Contender:
        return replace(CALLS, calls=self._called) if contender is CALLS else contender

    def _calls(self) -> tuple[str, ...]:
        """What the worker sends for one message, as the server sees it: the engine is measured against just that."""
        found = self._tried(plan.WORKER.name, CALLS, lambda: windows.observed_calls(self._stage, plan.WORKER))
        self._say(f"the worker's OSS requests per message: {', '.join(found or ())}")
        return found or THREE_CALLS

    def _measure(self, row: Row, contender: Contender, turn: int) -> None:
        found = self._tried(
            row.name,
            contender,
            lambda: windows.backlog(self._stage, row.name, contender, row.condition, row.seconds, turn),
        )
        if found is not None:
            self.results.measurements.append(found)

    def _trickle(self, row: Row) -> None:
        paces: dict[str, float] = {}
        for contender in row.contenders:
            self._say(f"{row.name}      capacity of {contender.name}")
            capacity = self._capacity(row, contender)
            if capacity is not None:
                paces[contender.name] = capacity / 2
        for turn, contender in plan.turns(row, self._rounds):
            if (pace := paces.get(contender.name)) is not None:
                self._say(f"{row.name} {turn}/{self._rounds}  {contender.name}, {pace:.0f}/s")
                self._trickle_once(row, contender, turn, pace)

    def _capacity(self, row: Row, contender: Contender) -> float | None:
        """Messages per second under the row's condition: those of an earlier row if it had the same condition."""
        known = [
            each.messages_per_second
            for other in plan.BACKLOG_ROWS
            if other.condition == row.condition
            for each in self.results.of(other.name, contender.name)
        ]
        if known:
            return median(known)
        found = self._tried(
            row.name,
            contender,
            lambda: windows.backlog(self._stage, row.name, contender, row.condition, _CAPACITY_SECONDS, 0),
        )
        return None if found is None else found.messages_per_second

    def _trickle_once(self, row: Row, contender: Contender, turn: int, pace: float) -> None:
        found = self._tried(
            row.name,
            contender,
            lambda: windows.trickle(self._stage, row.name, contender, row.condition, row.seconds, turn, pace),
        )
        if found is not None:
            self.results.measurements.append(found)

    def _starts(self) -> None:
        cores = self._stage.machine.cores
        for number in range(1, plan.STARTS + 1):
            self._say(f"{plan.START} {number}/{plan.STARTS}")
            others, began = machine.others_seconds(cores), time.monotonic()
            found = self._tried(
                plan.START, plan.WORKER_SHIPPED, lambda: incidents.start(self._stage, plan.WORKER_SHIPPED)
            )
            if found is not None:
                share = max(0.0, machine.others_seconds(cores) - others) / (time.monotonic() - began)
                self.results.starts.append(replace(found, others_share=share))

    def _incidents(self) -> None:
        """Everything that mostly waits, at the same time; nothing here is measured against anything else."""
        names = ", ".join(contender.name for contender in plan.KILLED)
        self._say(f"{plan.INCIDENTS}  kill -9: {names}; beside them an idle replica for {incidents.IDLE_SECONDS:.0f} s")
        with ThreadPoolExecutor(max_workers=len(plan.KILLED) + 1) as pool:
            idle: Future[IdleResult | None] = pool.submit(
                self._tried,
                plan.INCIDENTS,
                plan.WORKER_SHIPPED,
                lambda: incidents.idle(self._stage, plan.WORKER_SHIPPED),
            )
            # Until the idle one has started: whatever shares its core then would be counted as its own slowness.
            time.sleep(_HEAD_START_SECONDS)
            kills: list[Future[KillResult | None]] = [pool.submit(self._killed, contender) for contender in plan.KILLED]
            self.results.kills += [result for each in kills if (result := each.result()) is not None]
            self.results.idles += [found] if (found := idle.result()) is not None else []

    def _killed(self, contender: Contender) -> KillResult | None:
        return self._tried(plan.INCIDENTS, contender, lambda: incidents.kill(self._stage, contender))

    def _tried(self, row: str, contender: Contender, measure: Callable[[], _T]) -> _T | None:
        """The measurement, or a note why there is none."""
        try:
            if contender.missing:
                raise Failed(f"missing here; install it with: {contender.missing}")
            return measure()
        except Failed as failure:
            absence = Absence(row, contender.name, str(failure))
            if absence not in self.results.absences:
                self.results.absences.append(absence)
                self._say(f"NOT MEASURED: {contender.name}: {str(failure).splitlines()[0]}")
            return None
