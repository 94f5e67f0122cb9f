"""The stop: bounded, in its order, and honest about what was not settled in time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from consumer.core.exit_codes import ExitCode
from consumer.core.outcome import Disposition
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.supervisor import SupervisedThread
from tests.unit.fakes import Clock, delivery
from tests.unit.supervision import Stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A stage whose stop is requested, and whose threads end with the test."""
    made = Stage()
    made.stop_request.make()
    yield made
    made.over.set()


@dataclass
class Waiting:
    """What happens in each wait for the last settlement; without that it passes, and something is still in flight."""

    clock: Clock
    waits: list[float] = field(default_factory=list)
    meanwhile: Callable[[], bool] = lambda: False

    def __call__(self, wait_seconds: float) -> bool:
        """Whether nothing is in flight after so long."""
        self.waits.append(wait_seconds)
        self.clock.advance(wait_seconds)
        return self.meanwhile()


def waiting(stage: Stage) -> Waiting:
    """The waits of this stage's stop."""
    found = Waiting(stage.clock)
    stage.shared.in_flight.wait_until_empty = found  # type: ignore[method-assign]
    return found


def settler_that_stays(stage: Stage) -> SupervisedThread:
    """A settler that goes on after the stop was requested."""
    return SupervisedThread(Heartbeat("settler-2", 1_000_000, monotonic=stage.clock), lambda: stage.over.wait())


def test_what_is_not_settled_within_the_grace_is_said_by_the_status(stage: Stage) -> None:
    """It is looked at every second, and not once more when the time is over."""
    stage.settlers = [*stage.settlers, settler_that_stays(stage)]
    waits = waiting(stage)
    assert stage.supervisor().run() is ExitCode.GRACE_EXCEEDED
    assert waits.waits == [1.0] * 5


def test_the_last_wait_is_as_long_as_what_is_left_of_the_grace(stage: Stage) -> None:
    """A wait that took longer than a second costs no second of the process's end."""
    stage.settlers = [settler_that_stays(stage)]
    waits = waiting(stage)
    late = iter([0.25])

    def take_longer() -> bool:
        stage.clock.advance(next(late, 0.0))
        return False

    waits.meanwhile = take_longer
    assert stage.supervisor().run() is ExitCode.GRACE_EXCEEDED
    assert waits.waits == [1.0, 1.0, 1.0, 1.0, 0.75]


def test_nobody_waits_where_no_settler_is_left(stage: Stage) -> None:
    """Nothing could be settled any more."""
    waits = waiting(stage)

    def all_end() -> bool:
        for settler in stage.settlers:
            stage.until_ended(settler)()
        return False

    waits.meanwhile = all_end
    assert stage.supervisor().run() is ExitCode.GRACE_EXCEEDED
    assert waits.waits == [1.0]


def test_what_nobody_has_begun_to_work_on_is_released_first(stage: Stage) -> None:
    """Another replica can begin on it while this one is still finishing."""
    for number in range(2):
        stage.parts.queue.put(f"m-{number}")
    arrived = [delivery(stage.clock, message) for message in stage.parts.queue.receive(2, 0)]
    in_flight = stage.shared.in_flight
    in_flight.receive(arrived, in_flight.reserve(2, 0))
    stage.clock.advance(3.0)
    waits = waiting(stage)

    def settle() -> bool:
        stage.parts.settle_all()
        return not in_flight.books().in_flight

    waits.meanwhile = settle
    assert stage.supervisor().run() is ExitCode.DRAINED
    assert stage.said == [("service.stopping", {"grace_seconds": 5.0, "released": 2})]
    assert stage.parts.dispositions == [Disposition.RELEASED] * 2
    assert [report.stage_seconds for report in stage.parts.recorder.reports] == [(("settle", 1.0),)] * 2


class Noted(threading.Thread):
    """A thread whose last seconds are noted, and take three."""

    def __init__(self, of: SupervisedThread, stage: Stage, joins: list[tuple[str, float | None]]) -> None:
        super().__init__(target=of.thread.run, name=of.heartbeat.name, daemon=True)
        self._stage = stage
        self._joins = joins

    def join(self, timeout: float | None = None) -> None:
        """So long it is waited for."""
        self._joins.append((self.name, timeout))
        self._stage.clock.advance(3.0)


def test_threads_are_waited_for_within_the_grace_and_in_the_order_of_the_stop(stage: Stage) -> None:
    """What has not ended by then ends with the process."""
    joins: list[tuple[str, float | None]] = []
    for each in (stage.poller, stage.worker, *stage.settlers, stage.renewer):
        each.thread = Noted(each, stage, joins)
    assert stage.supervisor().run() is ExitCode.DRAINED
    assert joins == [("poller-1", 5.0), ("worker-1", 2.0), ("settler-1", 0.0), ("lease-keeper-1", 0.0)]


def test_threads_are_not_waited_for_where_something_is_left(stage: Stage) -> None:
    """They may be in the middle of it; the queue delivers it again."""
    joins: list[tuple[str, float | None]] = []
    stage.settlers = [settler_that_stays(stage)]
    stage.worker.thread = Noted(stage.worker, stage, joins)
    waiting(stage)
    assert stage.supervisor().run() is ExitCode.GRACE_EXCEEDED
    assert joins == []
