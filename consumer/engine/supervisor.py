"""The supervisor: starts the threads, watches their progress, and ends the process in good order or loudly.

Order of a stop, and why: polling ends first, so that nothing new comes in. What is buffered and untouched is given
back at once, because another replica can begin on it while we are still finishing. Workers finish what they have
begun, with their leases kept, because a repair cut in half helps nobody. Settlers then flush without lingering. The
threads that renew leases end last: until the final message is settled, something is still ours.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from consumer.core import threads
from consumer.core.errors import ThreadNotStarted
from consumer.core.exit_codes import ExitCode
from consumer.engine.context import EngineContext
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.stop_request import StopRequest

CHECK_SECONDS = 1.0
_FROZEN_SECONDS = 5.0
"""When the supervisor itself was not run for this long, the whole process was stopped, and silence proves nothing."""

_FAULT_GRACE_SECONDS = 10.0
"""After a fault, what still works may finish for so long."""


@dataclass(slots=True)
class SupervisedThread:
    """One supervised thread: its loop, its announcements, and what ended it."""

    heartbeat: Heartbeat
    loop: Callable[[], None]
    close: Callable[[], None] = lambda: None
    """Frees what the thread used; called in that thread when its loop is over."""
    failure: BaseException | None = None
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, name=self.heartbeat.name, daemon=True)

    def _run(self) -> None:
        try:
            self.loop()
        except BaseException as error:  # noqa: BLE001 - kept for the supervisor, which ends the process for it
            self.failure = error
        finally:
            self.close()


@dataclass(frozen=True, slots=True)
class Engine:
    """Every part of the engine that the supervisor starts and stops."""

    shared: EngineContext
    pollers: Sequence[SupervisedThread]
    workers: Sequence[SupervisedThread]
    settlers: Sequence[SupervisedThread]
    renewers: Sequence[SupervisedThread]
    others: Sequence[SupervisedThread] = ()
    """Threads that no message depends on; they end by themselves when the process is stopping."""

    @property
    def threads(self) -> Sequence[SupervisedThread]:
        """All of them, in the order in which a stop ends them; they start the other way round.

        So nothing is received before there are threads to keep its lease, to work on it and to settle it.
        """
        return (*self.pollers, *self.workers, *self.settlers, *self.renewers, *self.others)


class Supervisor:
    """Runs an engine until a stop is requested or something in it breaks."""

    def __init__(
        self,
        engine: Engine,
        grace_seconds: float,
        log_event: Callable[..., None],
        *,
        stop_request: StopRequest,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`stop_request` is made from outside, by signals."""
        self._engine = engine
        self._grace_seconds = grace_seconds
        self._log_event = log_event
        self._monotonic = monotonic
        self._stop_request = stop_request
        self._last_check = monotonic()
        self._fault = ""

    def fault(self) -> str:
        """Which thread is dead or has fallen silent, or nothing: the liveness of the process."""
        return self._fault or self._check()

    def run(self) -> ExitCode:
        """Run until the stop, and stop; returns what the process should exit with."""
        self._start()
        while not self._fault and not self._stop_request.within(CHECK_SECONDS):
            self._excuse_a_freeze()
            self._fault = self._check()
        drained = self._drain(_FAULT_GRACE_SECONDS if self._fault else self._grace_seconds)
        self._fault = self._fault or self._death()
        if self._fault:
            self._log_event("service.failed", reason=self._fault)
            return ExitCode.FAULT
        return ExitCode.DRAINED if drained else ExitCode.GRACE_EXCEEDED

    def _start(self) -> None:
        try:
            for thread in reversed(self._engine.threads):
                threads.start(thread.thread)
        except ThreadNotStarted as error:
            self._fault = str(error)

    def _death(self) -> str:
        for thread in self._engine.threads:
            if thread.failure is not None:
                return f"thread {thread.heartbeat.name} died: {type(thread.failure).__name__}: {thread.failure}"
        return ""

    def _check(self) -> str:
        if death := self._death():
            return death
        for thread in self._engine.threads:
            if not thread.thread.is_alive() and thread.thread.ident is not None and not self._stop_request:
                return f"thread {thread.heartbeat.name} ended by itself"
            if doing := thread.heartbeat.overdue():
                return f"thread {thread.heartbeat.name} fell silent while {doing}"
        return ""

    def _excuse_a_freeze(self) -> None:
        """Give every thread its time again after the whole process was stopped (SIGSTOP, a paused machine)."""
        now = self._monotonic()
        if now - self._last_check > _FROZEN_SECONDS:
            for thread in self._engine.threads:
                thread.heartbeat.excuse()
        self._last_check = now

    def _drain(self, grace_seconds: float) -> bool:
        """Stop in the order given above; whether everything in flight was settled or released in time."""
        shared = self._engine.shared
        until = self._monotonic() + grace_seconds
        shared.stopping.set()
        shared.board.wake()
        untouched = shared.in_flight.close()
        self._log_event("service.stopping", grace_seconds=grace_seconds, released=len(untouched))
        for delivery in untouched:
            delivery.resolved_at = self._monotonic()
            shared.settlements.release(delivery)
        shared.settlements.hurry()
        drained = self._wait_until_empty(until)
        shared.settlements.close()
        shared.keeper.close()
        if drained:
            for thread in self._engine.threads:
                if thread.thread.ident is not None:
                    thread.thread.join(max(0.0, until - self._monotonic()))
        return drained

    def _wait_until_empty(self, until: float) -> bool:
        while (left := until - self._monotonic()) > 0:
            if self._engine.shared.in_flight.wait_until_empty(min(left, CHECK_SECONDS)):
                return True
            if self._nobody_settles():
                return False  # waiting longer could not settle anything
        return False

    def _nobody_settles(self) -> bool:
        return not any(thread.thread.is_alive() for thread in self._engine.settlers)
