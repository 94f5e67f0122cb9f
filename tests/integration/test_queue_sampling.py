"""What the queues hold, asked of the emulator by the real gateway and exported by a whole worker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from consumer.aliyun.mns.queue import Queue, QueueAddress
from consumer.core.observers import Hooks
from consumer.core.queue_attributes import Figures, QueueAttributes
from consumer.engine.in_flight import InFlight
from consumer.engine.queue_depth import DepthSample, QueueWatch, SamplingPolicy, Watched
from consumer.engine.sampler import Sampler
from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.conftest import DEAD_LETTERS, QUEUE, FixedCredentials, Run
from tests.unit.fakes import Clock, Recorder, instant_heartbeat
from tests.unit.telemetry.scrape import value

IDLE_SECONDS = 600


def threads() -> set[str]:
    """The names of all that run."""
    return {thread.name for thread in threading.enumerate()}


class Sampling:
    """A sampler over both queues of the emulator, made to ask by turning its clock."""

    def __init__(self, open_queue: Callable[[str], Queue]) -> None:
        self.clock = Clock()
        self.watch = QueueWatch(
            [Watched(open_queue(QUEUE), dead_letters=False), Watched(open_queue(DEAD_LETTERS), dead_letters=True)],
            InFlight(4).books,
            SamplingPolicy(idle_seconds=IDLE_SECONDS),
            monotonic=self.clock,
        )
        self.samples: list[DepthSample] = []
        self.learned: list[QueueAttributes | None] = []
        self.sampler = Sampler(
            self.watch,
            threading.Event(),
            instant_heartbeat(self.clock),
            observe=self.samples.append,
            learn=self.learned.append,
        )

    def ask_both(self) -> dict[str, Figures]:
        """Let the idle interval pass; what is known then."""
        self.clock.advance(IDLE_SECONDS)
        self.sampler.step()
        self.sampler.step()
        return dict(self.watch.figures())


@pytest.fixture
def sampling(channel: Emulator, credentials: FixedCredentials, recorder: Recorder) -> Iterator[Sampling]:
    """A sampler whose connections end with the test."""
    opened: list[Queue] = []

    def open_queue(name: str) -> Queue:
        opened.append(Queue(QueueAddress(channel.mns, name, call_timeout_seconds=5), credentials, Hooks((recorder,))))
        return opened[-1]

    yield Sampling(open_queue)
    for queue in opened:
        queue.close()


def test_both_queues_are_read_once_in_an_interval(sampling: Sampling, queue: Queue, recorder: Recorder) -> None:
    """One request each for their own figures, and one for the dead letters themselves."""
    for number in range(3):
        queue.send(str(number))
    queue.receive(1, 1)
    recorder.calls.clear()
    assert sampling.ask_both() == {QUEUE: Figures(2, 1, 0), DEAD_LETTERS: Figures(0, 0, 0)}
    sampling.sampler.step()
    assert sorted((call.operation, call.code) for call in recorder.calls) == [
        ("BatchPeekMessage", "empty"),
        ("GetQueueAttributes", "ok"),
        ("GetQueueAttributes", "ok"),
    ]


@pytest.mark.parametrize("withdrawn", ["zero", "absent"])
def test_withdrawn_figures_are_never_zeros(
    sampling: Sampling, queue: Queue, channel: Emulator, recorder: Recorder, withdrawn: str
) -> None:
    """As announced or left out: a queue that holds messages has no figures, and nothing counts as an error."""
    queue.send("x")
    channel.set_queue_figures(withdrawn)
    told = [figures.told() for figures in sampling.ask_both().values()]
    assert not any(told)
    assert {call.code for call in recorder.calls if call.operation == "GetQueueAttributes"} == {"ok"}


def test_a_refusal_costs_the_figures_and_nothing_else(sampling: Sampling, queue: Queue, channel: Emulator) -> None:
    """403, as without mns:GetQueueAttributes; they come back with the permission."""
    queue.send("x")
    before = sampling.ask_both()
    refused = channel.faults.add("error", "GetQueueAttributes", service="mns", status=403, code="AccessDenied")
    assert sampling.ask_both() == {QUEUE: Figures(), DEAD_LETTERS: Figures()}
    channel.faults.remove(refused)
    assert sampling.ask_both() == before


@pytest.mark.parametrize("kind", ["reset_before", "lost_reply", "damaged_xml", "web_page"])
def test_a_passing_failure_costs_nothing(sampling: Sampling, queue: Queue, channel: Emulator, kind: str) -> None:
    """The last good figures stay, and the next request finds its connection again."""
    queue.send("x")
    before = sampling.ask_both()
    queue.send("y")
    channel.faults.add(kind, "GetQueueAttributes", service="mns", count=2)
    assert sampling.ask_both() == before
    assert sampling.ask_both()[QUEUE] == Figures(2, 0, 0)


def test_a_worker_exports_what_its_queues_hold(run: Run, channel: Emulator, queue: Queue) -> None:
    """With the look at the queues before the start as the first sample; and ends in order."""
    for number in range(3):
        queue.send(f"poison {number}")
    channel.journal_reads(True)
    with run() as worker:
        found = worker.service.metrics
        eventually(lambda: value(found, "queue_messages", queue=QUEUE, role="main", state="active") == 3)
        assert value(found, "queue_messages", queue=QUEUE, role="main", state="delayed") == 0
        eventually(lambda: value(found, "queue_messages", queue=DEAD_LETTERS, role="dead_letter", state="active") == 0)
        eventually(lambda: "queue-sampler" in threads())
    assert "queue-sampler" not in threads()
    assert len(channel.journal(operation="GetQueueAttributes")) == 2


def test_a_worker_that_may_not_ask_runs_without_figures(run: Run, channel: Emulator) -> None:
    """The permission is optional."""
    channel.faults.add("error", "GetQueueAttributes", service="mns", status=403, code="AccessDenied")
    with run() as worker:
        eventually(lambda: worker.service.not_ready() == "")
        assert value(worker.service.metrics, "queue_messages", queue=QUEUE, role="main", state="active") is None


def test_a_worker_that_shall_not_ask_has_no_such_thread(run: Run, queue: Queue) -> None:
    """Switched off, neither thread nor metric is there."""
    queue.send("poison")
    with run(metrics__sample_queues="false") as worker:
        assert value(worker.service.metrics, "queue_messages", queue=QUEUE, role="main", state="active") is None
        eventually(lambda: "lease-keeper-4" in threads())  # the last one to be started but for this
        assert "queue-sampler" not in threads()
