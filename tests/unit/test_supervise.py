"""The supervisor: one dead, silent or truant thread ends the process loudly; a frozen process proves nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from consumer.core.exit_codes import ExitCode
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.supervisor import CHECK_SECONDS, SupervisedThread
from tests.unit.supervision import Stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A stage whose threads end with the test."""
    made = Stage()
    yield made
    made.over.set()


def failed(reason: str) -> tuple[str, dict[str, object]]:
    """The last line of a process that ends for a fault."""
    return "service.failed", {"reason": reason}


def test_a_stop_with_empty_hands_is_a_clean_exit(stage: Stage) -> None:
    """Asked to stop with nothing in flight, every thread ends and the status says drained."""
    supervisor = stage.supervisor()
    stage.stop_request.make()
    assert supervisor.run() is ExitCode.DRAINED
    assert stage.said == [("service.stopping", {"grace_seconds": 5.0, "released": 0})]
    assert supervisor.fault() == ""


def test_it_looks_at_its_threads_every_second_until_the_stop(stage: Stage) -> None:
    """Nothing is wrong for a while, and then a signal arrives."""
    stage.stop_request.seconds = [0.0, 0.0, 0.0]
    assert stage.supervisor().run() is ExitCode.DRAINED
    assert stage.stop_request.waits == [CHECK_SECONDS] * 4


def test_no_thread_keeps_a_process_alive_that_has_to_end(stage: Stage) -> None:
    """A second signal ends it at once, whatever its threads wait for; each is called what its heartbeat is called."""
    thread = stage.idle("worker-1").thread
    assert (thread.daemon, thread.name) == (True, "worker-1")


def test_a_thread_that_dies_ends_the_process_with_its_reason_last(stage: Stage) -> None:
    """What killed the thread is the last thing that is said, liveness fails, and the status is a fault."""

    def die() -> None:
        raise MemoryError("no room")

    stage.worker = SupervisedThread(Heartbeat("worker-1", 1_000_000), die)
    stage.stop_request.seconds = [stage.until_ended(stage.worker)]
    supervisor = stage.supervisor()
    assert supervisor.run() is ExitCode.FAULT
    assert supervisor.fault() == "thread worker-1 died: MemoryError: no room"
    assert stage.said == [
        ("service.stopping", {"grace_seconds": 10.0, "released": 0}),
        failed("thread worker-1 died: MemoryError: no room"),
    ]


def test_a_thread_that_dies_after_the_stop_is_a_fault_too(stage: Stage) -> None:
    """Everything may be settled by then, and still a fault has shown itself."""

    def die() -> None:
        stage.stopping.wait()
        raise MemoryError("no room")

    stage.worker = SupervisedThread(Heartbeat("worker-1", 1_000_000), die)
    stage.stop_request.make()
    assert stage.supervisor().run() is ExitCode.FAULT
    assert stage.said[-1] == failed("thread worker-1 died: MemoryError: no room")


def test_a_thread_that_goes_home_too_early_ends_the_process(stage: Stage) -> None:
    """A loop that returns without being asked to is as bad as one that dies."""
    stage.worker = SupervisedThread(Heartbeat("worker-1", 1_000_000), lambda: None)
    stage.stop_request.seconds = [stage.until_ended(stage.worker)]
    assert stage.supervisor().run() is ExitCode.FAULT
    assert stage.said[-1] == failed("thread worker-1 ended by itself")


def silent_worker(stage: Stage, longest_seconds: float = 30.0) -> Heartbeat:
    """The heartbeat of a worker that says nothing by itself."""
    heartbeat = Heartbeat("worker-1", longest_seconds, monotonic=stage.clock)
    stage.worker = SupervisedThread(heartbeat, lambda: stage.stopping.wait())
    heartbeat.beat("working on message 7")
    return heartbeat


SILENT = "thread worker-1 fell silent while working on message 7"


def test_a_wedged_thread_ends_the_process_though_it_is_alive(stage: Stage) -> None:
    """A thread that misses its own announcement fails liveness and ends the process, named with what it was doing."""
    silent_worker(stage)
    supervisor = stage.supervisor()
    assert supervisor.fault() == ""
    stage.clock.advance(31)
    assert supervisor.fault() == SILENT
    stage.clock.advance(-31)
    stage.stop_request.seconds = [4.0] * 8
    assert supervisor.run() is ExitCode.FAULT
    assert stage.said[-1] == failed(SILENT)


def test_a_process_that_was_frozen_as_a_whole_is_given_its_time_again(stage: Stage) -> None:
    """After SIGSTOP everybody is late, the supervisor included: that is no fault, and a later silence still is."""
    silent_worker(stage)
    stage.stop_request.seconds = [3_600.0] + [1.0] * 30
    assert stage.supervisor().run() is ExitCode.DRAINED
    assert stage.stop_request.seconds == []


def test_the_time_that_is_given_again_is_no_longer_than_before(stage: Stage) -> None:
    """A thread that stays silent after the freeze is as wedged as any."""
    silent_worker(stage)
    stage.stop_request.seconds = [3_600.0] + [1.0] * 31
    assert stage.supervisor().run() is ExitCode.FAULT
    assert stage.said[-1] == failed(SILENT)


@pytest.mark.parametrize(("seconds", "status"), [(5.0, ExitCode.FAULT), (5.25, ExitCode.DRAINED)])
def test_five_seconds_without_a_look_are_no_freeze_yet(stage: Stage, seconds: float, status: ExitCode) -> None:
    """A busy machine makes everybody late now and then."""
    silent_worker(stage, longest_seconds=4.0)
    stage.stop_request.seconds = [seconds]
    assert stage.supervisor().run() is status


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
    assert stage.supervisor().run() is ExitCode.FAULT
    assert started == ["lease-keeper-1", "settler-1"]
    event, fields = stage.said[-1]
    assert event == "service.failed"
    assert str(fields["reason"]).startswith(
        "thread worker-1 could not be started: can't start new thread; a limit on memory (ulimit -v)"
    )


def test_pollers_are_the_last_to_start(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is received that nobody would work on, keep or settle."""
    started: list[str] = []
    start: Callable[[threading.Thread], None] = threading.Thread.start

    def noted(thread: threading.Thread) -> None:
        started.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", noted)
    stage.stop_request.make()
    stage.supervisor().run()
    assert started == ["lease-keeper-1", "settler-1", "worker-1", "poller-1"]
