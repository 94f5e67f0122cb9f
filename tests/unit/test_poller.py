"""Pollers: receive for free slots only, pause when the service does not hold the poll, and lose no slot on any path."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from consumer.core.errors import DamagedReply, NotAuthenticated, QueueMissing, ServiceError, Throttled, Unanswered
from consumer.core.message import Received
from consumer.core.outcome import Disposition
from consumer.engine.poll_board import UNDELETED_LIMIT, UNDELETED_RESERVE, PollBoard, PollState
from consumer.engine.poller import Poller
from consumer.engine.undeleted_limit import WINDOW_SECONDS
from tests.unit.engine import Engine
from tests.unit.fakes import instant_heartbeat, received, service_error

Answer = list[Received] | Exception | Callable[[], list[Received]]


@dataclass
class Polling:
    """A poller whose queue answers as told, and the engine behind it."""

    first: bool = True
    wait_seconds: int = 30
    slots: int = 32
    answers: list[Answer] = field(default_factory=list)
    asked: list[tuple[int, int]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    said: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    took_seconds: float = 0.0
    """How long each receive takes."""

    def __post_init__(self) -> None:
        self.engine = Engine(slots=self.slots, max_undeleted=100)
        self.stopping = threading.Event()
        self.board = PollBoard(
            wall=self.engine.clock, log_event=lambda event, **fields: self.said.append((event, fields))
        )
        self.heartbeat = instant_heartbeat(self.engine.clock)
        shared = replace(self.engine.shared, board=self.board, stopping=self.stopping, jitter=lambda _low, high: high)
        self.poller = Poller(
            shared,
            self,
            self.heartbeat,
            wait_seconds=self.wait_seconds,
            first=self.first,
            pause=self.pauses.append,
        )

    def receive(self, count: int, wait_seconds: int) -> list[Received]:
        """BatchReceiveMessage."""
        self.asked.append((count, wait_seconds))
        self.engine.clock.advance(self.took_seconds)
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    def steps(self, *answers: Answer) -> list[float]:
        """One step for each answer; the pauses they caused."""
        self.pauses.clear()
        self.answers = list(answers)
        for _ in answers:
            self.poller.poll()
        return list(self.pauses)

    @property
    def free(self) -> int:
        """Slots that are neither reserved nor taken."""
        return self.engine.in_flight._free()


def messages(count: int) -> list[Received]:
    """So many messages."""
    return [received(f"m-{number}") for number in range(count)]


def test_what_a_poll_brings_is_in_hand_and_kept() -> None:
    """Every message is buffered, its lease runs from the receive on, and the next poll follows without a pause."""
    polling = Polling()
    assert polling.steps(messages(3)) == []
    assert polling.asked == [(16, 30)]
    assert polling.engine.books.buffered == 3
    assert polling.free == 29
    polling.engine.clock.advance(13.5)
    due = [polling.engine.keeper.take(0) for _ in range(4)]
    assert [lease.message_id for lease in due if lease] == ["m-0", "m-1", "m-2"]


def test_a_lease_counts_from_the_arrival_of_the_reply_and_not_from_after_its_journal() -> None:
    """Ten seconds went into the journal: the lease is that much older, and is renewed that much earlier."""
    polling = Polling()
    arrived_at = polling.engine.clock() - 10.0
    polling.steps([replace(received("m-0"), arrived_at=arrived_at)])
    polling.engine.clock.advance(9.5)
    lease = polling.engine.keeper.take(0)
    assert lease is not None
    assert lease.expires_at == arrived_at + 30.0


def test_what_a_delivery_takes_is_measured_by_the_pollers_own_clock() -> None:
    """From its receive to its report there is one clock."""
    polling = Polling()
    polling.steps(messages(1))
    found = polling.engine.in_flight.next(0)
    assert found is not None
    with found.timings.measure("inspect"):
        polling.engine.clock.advance(2.0)
    assert found.timings.as_tuple() == (("inspect", 2.0),)


def test_an_empty_answer_in_time_is_followed_by_the_next_poll() -> None:
    """A long poll that was held to its end needs no pause, nor does one that was held for half of its time."""
    polling = Polling(took_seconds=30.0)
    assert polling.steps([], [], []) == []
    polling.took_seconds = 15.0
    assert polling.steps([], [], []) == []
    polling.took_seconds = 14.9
    assert polling.steps([]) == [1.0]


def test_early_empty_answers_pause_longer_each_time_up_to_the_wait() -> None:
    """A service that has stopped holding our polls must not become a busy loop."""
    polling = Polling(took_seconds=0.01)
    assert polling.steps(*([[]] * 8)) == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_message_ends_the_early_answers() -> None:
    """The pauses begin anew once something has come."""
    polling = Polling(took_seconds=0.01)
    assert polling.steps([], [], messages(1), []) == [1.0, 2.0, 1.0]


@pytest.mark.parametrize("kind", [Throttled, Unanswered, NotAuthenticated, QueueMissing, DamagedReply])
def test_failed_polls_pause_longer_each_time(kind: type[ServiceError]) -> None:
    """Errors are retried for ever, at most twice a minute, and are known to readiness; no slot is lost."""
    polling = Polling()
    error = service_error(kind)
    assert polling.steps(*([error] * 8)) == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert polling.board.state.last_error is error
    assert polling.free == 32
    polling.took_seconds = 30.0
    assert polling.steps([]) == []
    assert polling.board.state.last_error is None
    assert polling.board.state.last_success_at == polling.engine.clock()


def test_a_good_poll_ends_the_failures() -> None:
    """The pauses begin anew, and the last good poll stays known while later ones fail."""
    polling = Polling(took_seconds=30.0)
    failed = service_error(Throttled)
    assert polling.steps(failed, failed, [], failed) == [1.0, 2.0, 1.0]
    assert polling.board.state == PollState(polling.engine.clock() - 30.0, failed)
    assert polling.steps([], damaged(request_id="")) == [1.0]


def test_an_error_that_nobody_expects_gives_the_slots_back_too() -> None:
    """A fault ends the thread loudly, but a replacement would find every slot free."""
    polling = Polling()
    with pytest.raises(ZeroDivisionError):
        polling.steps(ZeroDivisionError())
    assert polling.free == 32


def test_without_room_nothing_is_received() -> None:
    """Buffered deliveries count: a full hand polls for nothing."""
    polling = Polling(slots=16)
    polling.steps(messages(16))
    polling.steps([])
    assert len(polling.asked) == 1


def test_near_the_services_throttle_polls_are_paced() -> None:
    """Too many deliveries without a deletion: one message at a time, at the pace at which the reserve lasts."""
    polling = Polling()
    for _ in range(80):
        polling.engine.undeleted.not_deleted(polling.engine.clock())
    polling.heartbeat.idle_seconds = 5.0
    assert polling.steps([]) == [5.0]
    assert not polling.asked
    polling.engine.clock.advance(90.0)
    polling.steps(messages(1))
    assert polling.asked == [(1, 30)]
    assert polling.steps([]) == [0.1]
    polling.engine.clock.advance(WINDOW_SECONDS)
    polling.steps(messages(1))
    assert polling.asked[1:] == [(16, 30)]


def damaged(request_id: str = "0A1B2C") -> DamagedReply:
    """A reply that cannot be read, of the service itself or of somebody in between."""
    return DamagedReply("mns", "BatchReceiveMessage", "damaged_reply", "as the test wants it", request_id=request_id)


def test_after_a_damaged_reply_messages_come_one_by_one() -> None:
    """One message may be what damages the reply; alone it hides no others, and after sixteen polls it is over."""
    polling = Polling(took_seconds=0.0)
    polling.steps(damaged())
    for _ in range(16):
        polling.steps(messages(1))
        found = polling.engine.in_flight.next(0)
        assert found is not None
        polling.engine.in_flight.worked([found])
        polling.engine.in_flight.settle(Disposition.DELETED)
    polling.steps(messages(1))
    assert [count for count, _ in polling.asked] == [16] + [1] * 16 + [16]


def test_forty_messages_that_damage_the_reply_do_not_starve_the_one_behind_them() -> None:
    """Polling one by one is the remedy, so nothing pauses between: the fresh event comes with the next poll."""
    polling = Polling(took_seconds=0.01)
    assert polling.steps(*[damaged()] * 41, messages(1)) == []
    assert polling.board.state.last_error is None
    assert polling.engine.books.buffered == 1


def test_damaged_replies_without_end_pause_after_all() -> None:
    """A service that answers nothing but nonsense must not become a busy loop; nor must a page of somebody else."""
    polling = Polling(took_seconds=0.01)
    assert polling.steps(*[damaged()] * 258) == [1.0, 2.0]
    strange = Polling(took_seconds=0.01)
    assert strange.steps(*[damaged(request_id="")] * 3) == [1.0, 2.0, 4.0]


def test_what_arrives_after_the_close_is_handed_back_at_once() -> None:
    """A long poll that was open when the process was asked to stop brings messages that go back to the queue."""
    polling = Polling()

    def late() -> list[Received]:
        polling.engine.in_flight.close()
        polling.engine.queue.put("late")
        return polling.engine.queue.receive(16, 0)

    polling.steps(late)
    assert polling.engine.books.settling == 1
    polling.engine.settle_all()
    assert polling.engine.queue.hidden == [("late", 1)]
    assert polling.engine.dispositions == [Disposition.RELEASED]
    assert polling.engine.in_flight.wait_until_empty(0)


def test_a_full_poll_calls_the_others_and_one_that_is_not_sends_them_back() -> None:
    """Helpers receive without waiting, and only while polls come back full."""
    polling = Polling()
    assert not polling.board.wait_for_full(0)
    polling.steps(messages(16))
    assert polling.board.wait_for_full(0)
    polling.steps(messages(15))
    assert not polling.board.wait_for_full(0)


def test_a_poll_that_ends_after_the_stop_sends_nobody_back_to_wait() -> None:
    """The first poller's last answer must not hide from the others that the process is stopping."""
    polling = Polling()
    polling.board.wake()
    polling.board.succeeded(full=False, waited=True)
    assert polling.board.wait_for_full(0)


def test_a_helper_never_waits_on_the_service() -> None:
    """One idle long poll per replica: the others ask with no wait, and an empty answer is no early one to them."""
    polling = Polling(first=False)
    assert polling.steps([], []) == []
    assert polling.asked == [(16, 0), (16, 0)]


def test_a_helper_waits_for_a_full_poll_as_long_as_it_may_be_idle() -> None:
    """It shows that it is alive in between, and polls once it is called."""
    waits: list[float] = []

    class Watched(PollBoard):
        """Notes each wait, and takes no time for it."""

        def wait_for_full(self, seconds: float) -> bool:
            """As it is now."""
            waits.append(seconds)
            return super().wait_for_full(0)

    polling = Polling(first=False)
    polling.heartbeat.idle_seconds = 5.0
    board = Watched(wall=polling.engine.clock)
    shared = replace(polling.engine.shared, board=board)
    helper = Poller(shared, polling, polling.heartbeat, wait_seconds=30, first=False, pause=polling.pauses.append)
    helper.step()
    assert (waits, polling.asked) == ([5.0], [])
    board.succeeded(full=True, waited=True)
    helper.step()
    assert (waits, polling.asked) == ([5.0, 5.0], [(16, 0)])


def test_only_a_poll_that_waits_shows_that_the_replica_keeps_up() -> None:
    """Without a wait the service looks at a part of the queue only, so an empty answer to a helper proves nothing."""
    first, helper = Polling(took_seconds=30.0), Polling(first=False)
    first.steps([])
    helper.steps([])
    assert (first.board.keeping_up_since, helper.board.keeping_up_since) == (first.engine.clock(), None)


def test_a_poller_that_falls_silent_is_named_with_what_it_was_doing() -> None:
    """A poll may take a minute; an intended pause comes on top of that."""
    polling = Polling()
    doing: list[str] = []

    def look_after(seconds: float) -> None:
        polling.engine.clock.advance(seconds)
        doing.append(polling.heartbeat.overdue())

    def hang() -> list[Received]:
        look_after(60.0)
        look_after(0.5)
        return []

    def hang_in_the_pause(seconds: float) -> None:
        look_after(60.0 + seconds)
        look_after(0.5)

    polling.poller = Poller(
        replace(polling.engine.shared, board=polling.board),
        polling,
        polling.heartbeat,
        wait_seconds=300,
        first=True,
        pause=hang_in_the_pause,
    )
    polling.steps(hang)
    assert doing == ["", "polling", "", "pausing"]


def test_the_loop_ends_when_the_process_stops() -> None:
    """A poller that was asked to stop polls no more, even when woken by a full poll."""
    polling = Polling(first=False)
    polling.stopping.set()
    polling.board.wake()
    polling.poller.run()
    assert not polling.asked


def test_the_loop_polls_until_the_process_stops() -> None:
    """Poll after poll, and none after the stop."""
    polling = Polling(took_seconds=30.0)

    def last() -> list[Received]:
        polling.stopping.set()
        return []

    polling.answers = [messages(2), [], last]
    polling.poller.run()
    assert len(polling.asked) == 3


def test_a_pause_says_why_and_that_it_is_over() -> None:
    """One line for each reason, however many polls it leaves out or delays; and the reason for whoever asks."""
    polling = Polling()
    undeleted = polling.engine.undeleted

    def end_undeleted(count: int) -> None:
        for _ in range(count):
            undeleted.not_deleted(polling.engine.clock())

    end_undeleted(undeleted.unreserved)
    polling.steps([], [], [])
    assert polling.board.paused_for == UNDELETED_RESERVE
    end_undeleted(undeleted.most - undeleted.unreserved)
    polling.steps([], [], [])
    assert polling.board.paused_for == UNDELETED_LIMIT
    polling.engine.clock.advance(WINDOW_SECONDS + 1)
    polling.steps([])
    assert polling.board.paused_for == ""
    assert polling.said == [
        ("polling.paused", {"reason": UNDELETED_RESERVE, "undeleted": 80, "most": 100}),
        ("polling.paused", {"reason": UNDELETED_LIMIT, "undeleted": 100, "most": 100}),
        ("polling.resumed", {"reason": UNDELETED_LIMIT}),
    ]
