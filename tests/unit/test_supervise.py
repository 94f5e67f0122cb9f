"""The supervisor: one dead, silent or truant thread ends the process loudly; a frozen process proves nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from consumer.core.exit_codes import ExitCode
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.renewer import Renewer
from consumer.engine.supervisor import Engine, SupervisedThread, Supervisor
from tests.unit import engine as parts
from tests.unit.fakes import Clock, FakeQueue


@dataclass
class Stage:
    """An engine of idle threads, one of which a test puts something else into."""

    clock: Clock = field(default_factory=Clock)
    stopping: threading.Event = field(default_factory=threading.Event)
    said: list[tuple[str, str]] = field(default_factory=list)

    def idle(self, name: str) -> SupervisedThread:
        """A thread that does nothing until the stop."""
        return SupervisedThread(Heartbeat(name, 1_000_000, monotonic=self.clock), lambda: self.stopping.wait())

    def supervisor(self, worker: SupervisedThread, monotonic: Callable[[], float] | None = None) -> Supervisor:
        """A supervisor over that worker and nothing but idle company."""
        shared = replace(parts.Engine(slots=4, clock=self.clock).shared, stopping=self.stopping)
        renewer_pulse = Heartbeat("lease-keeper-1", 1_000_000)
        engine = Engine(
            shared,
            pollers=[self.idle("poller-1")],
            workers=[worker],
            settlers=[self.idle("settler-delete-1")],
            renewers=[SupervisedThread(renewer_pulse, Renewer(shared, FakeQueue(self.clock), renewer_pulse).run)],
        )

        def say(event: str, **fields: object) -> None:
            self.said.append((event, str(fields.get("reason", ""))))

        clocks = {"monotonic": monotonic} if monotonic else {}
        return Supervisor(engine, 5.0, say, **clocks)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A stage whose threads end with the test."""
    made = Stage()
    yield made
    made.stopping.set()


def test_a_stop_with_empty_hands_is_a_clean_exit(stage: Stage) -> None:
    """Asked to stop with nothing in flight, every thread ends and the status says drained."""
    supervisor = stage.supervisor(stage.idle("worker-1"))
    supervisor.stop()
    assert supervisor.run() is ExitCode.DRAINED
    assert stage.said == [("service.stopping", "")]


def test_a_thread_that_dies_ends_the_process_with_its_reason_last(stage: Stage) -> None:
    """What killed the thread is the last thing that is said, liveness fails, and the status is a fault."""

    def die() -> None:
        raise MemoryError("no room")

    supervisor = stage.supervisor(SupervisedThread(Heartbeat("worker-1", 1_000_000), die))
    assert supervisor.run() is ExitCode.FAULT
    assert supervisor.fault() == "thread worker-1 died: MemoryError: no room"
    assert stage.said[-1] == ("service.failed", "thread worker-1 died: MemoryError: no room")


def test_a_thread_that_goes_home_too_early_ends_the_process(stage: Stage) -> None:
    """A loop that returns without being asked to is as bad as one that dies."""
    supervisor = stage.supervisor(SupervisedThread(Heartbeat("worker-1", 1_000_000), lambda: None))
    assert supervisor.run() is ExitCode.FAULT
    assert stage.said[-1] == ("service.failed", "thread worker-1 ended by itself")


def test_a_wedged_thread_ends_the_process_though_it_is_alive(stage: Stage) -> None:
    """A thread that misses its own announcement fails liveness and ends the process, named with what it was doing."""
    heartbeat = Heartbeat("worker-1", 30, monotonic=stage.clock)
    worker = SupervisedThread(heartbeat, lambda: stage.stopping.wait())
    supervisor = stage.supervisor(worker)
    heartbeat.beat("working on message 7")
    assert supervisor.fault() == ""
    stage.clock.advance(31)
    assert supervisor.fault() == "thread worker-1 fell silent while working on message 7"
    assert supervisor.run() is ExitCode.FAULT
    assert stage.said[-1] == ("service.failed", "thread worker-1 fell silent while working on message 7")


def test_a_process_that_was_frozen_as_a_whole_is_given_its_time_again(stage: Stage) -> None:
    """After SIGSTOP everybody is late, the supervisor included: that is no fault, and a later silence still is."""
    heartbeat = Heartbeat("worker-1", 30, monotonic=stage.clock)
    worker = SupervisedThread(heartbeat, lambda: stage.stopping.wait())
    supervisor = stage.supervisor(worker, monotonic=stage.clock)
    heartbeat.beat("working on message 7")
    stage.clock.advance(3_600)
    supervisor._excuse_a_freeze()
    assert supervisor.fault() == ""
    for _ in range(31):
        stage.clock.advance(1)
        supervisor._excuse_a_freeze()
    assert supervisor.fault() == "thread worker-1 fell silent while working on message 7"


def test_a_thread_that_cannot_be_started_ends_the_process_before_anything_is_received(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What keeps leases, settles and works starts before what receives; the last line names thread and limits."""
    started: list[str] = []
    start = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if thread.name == "worker-1":
            raise RuntimeError("can't start new thread")
        started.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    supervisor = stage.supervisor(stage.idle("worker-1"))
    assert supervisor.run() is ExitCode.FAULT
    assert started == ["lease-keeper-1", "settler-delete-1"]
    event, reason = stage.said[-1]
    assert event == "service.failed"
    assert reason.startswith(
        "thread worker-1 could not be started: can't start new thread; a limit on memory (ulimit -v)"
    )


def test_pollers_are_the_last_to_start(stage: Stage) -> None:
    """Nothing is received that nobody would work on, keep or settle."""
    supervisor = stage.supervisor(stage.idle("worker-1"))
    names = [thread.heartbeat.name for thread in reversed(supervisor._engine.threads)]
    assert names == ["lease-keeper-1", "settler-delete-1", "worker-1", "poller-1"]
