"""Settling is bounded: what the queue does not take is hidden, its slot is free again, and the books balance."""

from __future__ import annotations

import pytest

from consumer.core.errors import (
    NotAuthenticated,
    PermanentError,
    PermissionMissing,
    ServiceError,
    Throttled,
    Unanswered,
)
from consumer.core.observers import Hooks, Step
from consumer.core.outcome import Disposition, Outcome
from consumer.engine.lease import LeaseState
from consumer.engine.settle_queue import Action
from tests.unit.engine import Engine
from tests.unit.fakes import service_error
from tests.unit.settling import deletions, fail, recover


def test_a_deletion_that_fails_is_tried_five_times_and_then_hidden() -> None:
    """After 1, 2, 4 and 8 seconds again; then the slot is free, and the message comes back after its backoff."""
    engine = Engine()
    engine.queue.visibility_seconds = 60
    (delivery,) = engine.receive()
    fail(engine, Throttled)
    engine.resolve(delivery, Outcome.FIXED)
    assert deletions(engine, delivery, 40) == [0, 1, 3, 7, 15]
    recover(engine)
    engine.settle_all()
    assert engine.queue.hidden == [(delivery.message_id, 30)]
    assert engine.dispositions == [Disposition.HIDDEN]
    assert engine.recorder.reports[0].outcome is Outcome.FIXED
    assert engine.books.in_flight == 0
    assert engine.books.balanced


def test_time_ends_the_tries_as_well() -> None:
    """Requests that nobody answers for long are not tried five times: half a minute is all that a slot is worth."""
    engine = Engine()
    engine.queue.visibility_seconds = 60
    (delivery,) = engine.receive()
    fail(engine, Unanswered, 2)
    engine.resolve(delivery, Outcome.FIXED)
    engine.step()
    engine.clock.advance(29.5)
    engine.step()
    engine.settle_all()
    assert len(engine.queue.batches) == 2
    assert engine.dispositions == [Disposition.HIDDEN]


def test_a_retry_that_could_only_be_given_up_when_its_turn_comes_is_not_waited_for() -> None:
    """After 29 seconds the next try would come at the very end of the time: its slot is free a second earlier."""
    engine = Engine()
    engine.queue.visibility_seconds = 60
    (delivery,) = engine.receive()
    fail(engine, Unanswered, 1)
    engine.resolve(delivery, Outcome.FIXED)
    engine.clock.advance(29.0)
    engine.settle_all()
    assert engine.dispositions == [Disposition.HIDDEN]


@pytest.mark.parametrize("kind", [PermissionMissing, PermanentError, NotAuthenticated])
def test_a_refusal_that_lasts_is_not_repeated(kind: type[ServiceError]) -> None:
    """What the service will say no to again costs one request: the message is hidden at once."""
    engine = Engine()
    (delivery,) = engine.receive()
    fail(engine, kind, 1)
    engine.resolve(delivery, Outcome.FIXED)
    engine.settle_all()
    assert engine.queue.batches == [1]
    assert engine.queue.hidden == [(delivery.message_id, 30)]


def test_every_time_it_is_given_up_it_is_hidden_for_longer() -> None:
    """A queue that refuses deletions for hours is not asked twice a minute for each message."""
    engine = Engine()
    engine.queue.put("m")
    for _ in range(7):
        (delivery,) = engine.poll()
        fail(engine, PermissionMissing, 1)
        engine.resolve(delivery, Outcome.ALREADY_COMPLIANT)
        engine.settle_all()
        engine.clock.advance(engine.queue.hidden[-1][1])
    assert [seconds for _, seconds in engine.queue.hidden] == [30, 60, 120, 240, 480, 750, 750]


def test_a_hide_that_fails_too_leaves_the_message_to_its_lease() -> None:
    """Nothing is left to try: counted as lost, named as given up, no longer renewed, and the slot is free."""
    engine = Engine()
    engine.queue.visibility_seconds = 60
    (delivery,) = engine.receive()
    engine.keeper.keep(delivery.lease)
    fail(engine, Throttled)
    engine.resolve(delivery, Outcome.HELD, hold_seconds=30.0)
    for _ in range(40):
        engine.settle_all()
        engine.clock.advance(1.0)
    assert engine.dispositions == [Disposition.LEASE_LOST]
    assert [error.code for error in engine.recorder.settle_errors] == ["Refused"] * 5 + ["given_up"]
    assert delivery.lease.state is LeaseState.LOST
    assert engine.books.in_flight == 0
    recover(engine)
    engine.renew()
    assert not engine.queue.hidden


def test_a_dead_letter_queue_that_does_not_answer_holds_up_no_deletion_and_no_hide() -> None:
    """Each kind of request has its own queue and threads: deletions, hides and parks go on while copies wait."""
    engine = Engine()
    poison, fixed, held, parked = engine.receive(4)
    engine.resolve(poison, Outcome.INVALID)
    engine.resolve(fixed, Outcome.FIXED)
    engine.resolve(held, Outcome.HELD, hold_seconds=30.0)
    engine.resolve(parked, Outcome.HELD)
    assert engine.step(Action.DELETE)
    assert engine.step(Action.HIDE)
    assert engine.step(Action.PARK)
    assert engine.step(Action.DELETE)
    assert engine.dispositions == [Disposition.DELETED, Disposition.HIDDEN, Disposition.PARKED]
    assert engine.books.settling == 1


def test_poison_is_copied_at_once_while_the_dead_letter_queue_is_quick() -> None:
    """A burst that fills every slot is no reason to hide: a copy that is confirmed in milliseconds frees its slot."""
    engine = Engine(slots=16)
    for delivery in engine.receive(8) + engine.receive(8):
        engine.resolve(delivery, Outcome.INVALID)
    engine.settle_all()
    assert not engine.queue.hidden
    assert engine.dispositions == [Disposition.DEAD_LETTERED] * 16
    assert not engine.recorder.settle_errors


def slow_copies(engine: Engine, seconds: float) -> None:
    """Each copy takes so long from now on."""
    send = engine.dead_letters.send

    def slowly(body: str) -> str:
        engine.clock.advance(seconds)
        return send(body)

    engine.dead_letters.send = slowly  # type: ignore[method-assign]


def test_a_dead_letter_queue_that_is_known_to_be_slow_gets_no_more_than_half_of_the_slots() -> None:
    """Also when each burst is new and none has waited yet: or a flood of poison would take every slot each time."""
    engine = Engine(slots=16)
    engine.queue.visibility_seconds = 60
    slow_copies(engine, 0.8)
    for delivery in engine.receive(2):
        engine.resolve(delivery, Outcome.INVALID)
    engine.settle_all()
    for delivery in engine.receive(8) + engine.receive(8):
        engine.resolve(delivery, Outcome.INVALID)
    while engine.step(Action.HIDE):
        pass
    assert engine.books.settling == 8
    assert [error.code for error in engine.recorder.settle_errors] == ["slow"] * 8


@pytest.mark.parametrize("fails", [False, True])
def test_the_pace_of_copies_is_that_of_their_requests(fails: bool) -> None:
    """However they end: one that is refused after a while has held up the others just as long."""
    engine = Engine()
    slow_copies(engine, 0.5)
    if fails:
        engine.dead_letters.before.append(service_error(PermissionMissing))
    (delivery,) = engine.receive()
    engine.resolve(delivery, Outcome.INVALID)
    engine.step(Action.COPY)
    assert engine.settle_queues[Action.COPY].pace_seconds() == 0.5


@pytest.mark.parametrize(("sending", "hiding"), [(0.3125, None), (0.3125, 0.25), (0.5, 0.4375), (0.0625, 0.0)])
def test_what_hiding_would_save_counts_beyond_three_seconds(sending: float, hiding: float | None) -> None:
    """A sixteenth of a second for each of 48 is not too much; hiding counts as rather slow before it was done."""
    engine = Engine(slots=64)
    engine.settle_queues[Action.COPY].took(sending)
    if hiding is not None:
        engine.settle_queues[Action.HIDE].took(hiding)
    for _ in range(4):
        for delivery in engine.receive(16):
            engine.resolve(delivery, Outcome.INVALID)
    assert engine.settle_queues[Action.COPY].waiting == 49
    assert [error.code for error in engine.recorder.settle_errors] == ["slow"] * 15


def test_at_most_half_of_the_slots_wait_for_copies_that_turn_out_to_be_slow() -> None:
    """A flood of poison and a slow dead-letter queue leave the other half for fresh events, and it is said why."""
    engine = Engine(slots=16)
    engine.queue.visibility_seconds = 60
    slow_copies(engine, 0.8)
    for delivery in engine.receive(8) + engine.receive(8):
        engine.resolve(delivery, Outcome.INVALID)
    while sum(engine.step(action) for action in Action):
        pass
    assert engine.dispositions.count(Disposition.HIDDEN) == 7
    assert engine.dispositions.count(Disposition.DEAD_LETTERED) == 9
    assert [error.code for error in engine.recorder.settle_errors] == ["slow"] * 7
    hidden = {
        report.message.message_id for report in engine.recorder.reports if report.disposition is Disposition.HIDDEN
    }
    assert {error.message_id for error in engine.recorder.settle_errors} == hidden


def test_at_most_half_of_the_slots_wait_for_copies_that_fail() -> None:
    """Once a copy has failed, every further one that would crowd the slots is hidden at once."""
    engine = Engine(slots=16)
    engine.queue.visibility_seconds = 60
    deliveries = engine.receive(8) + engine.receive(8)
    engine.dead_letters.before.append(service_error(Throttled, "Refused"))
    engine.resolve(deliveries[0], Outcome.INVALID)
    engine.step(Action.COPY)
    for delivery in deliveries[1:]:
        engine.resolve(delivery, Outcome.INVALID)
    while engine.step(Action.HIDE):
        pass
    assert engine.books.settling == 8
    assert engine.dispositions == [Disposition.HIDDEN] * 8


def test_at_most_half_of_the_slots_wait_for_deletions_that_fail() -> None:
    """While deletions work, all slots may wait for them; once they fail, every further one is hidden at once."""
    engine = Engine(slots=16)
    deliveries = engine.receive(8) + engine.receive(8)
    for delivery in deliveries[:15]:
        engine.resolve(delivery, Outcome.FIXED)
    assert engine.books.settling == 15
    fail(engine, Throttled, 1)
    engine.step(Action.DELETE)
    engine.resolve(deliveries[15], Outcome.FIXED)
    while engine.step(Action.HIDE):
        pass
    assert len(engine.queue.hidden) == 16
    assert engine.books.in_flight == 0


def test_what_has_waited_too_long_behind_failing_requests_is_hidden_without_one() -> None:
    """A deletion that never came to its turn is not sent when its time is over, as long as others fail."""
    engine = Engine()
    engine.queue.visibility_seconds = 60
    first, second = engine.receive(2)
    engine.resolve(first, Outcome.FIXED)
    fail(engine, Throttled, 1)
    engine.step(Action.DELETE)
    engine.resolve(second, Outcome.FIXED)
    engine.clock.advance(30.0)
    engine.settle_all()
    assert engine.queue.batches == [1]
    assert engine.dispositions == [Disposition.HIDDEN, Disposition.HIDDEN]


def test_a_long_wait_is_no_reason_to_hide_while_requests_succeed() -> None:
    """Slow is not failing: work that is done is not thrown away because many wait."""
    engine = Engine()
    engine.queue.visibility_seconds = 600
    (delivery,) = engine.receive()
    engine.resolve(delivery, Outcome.FIXED)
    engine.clock.advance(300.0)
    engine.settle_all()
    assert engine.dispositions == [Disposition.DELETED]


def test_a_message_whose_copy_stands_is_only_deleted_when_it_comes_back() -> None:
    """The deletion after a confirmed copy was refused: its redelivery makes no second letter."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.resolve(delivery, Outcome.REJECTED)
    engine.step(Action.COPY)
    fail(engine, PermissionMissing, 1)
    engine.settle_all()
    assert engine.dispositions == [Disposition.HIDDEN]
    engine.clock.advance(engine.queue.hidden[-1][1])
    (again,) = engine.poll()
    assert engine.history.unsettled.ending_of_copy(again.message_id) == delivery.ending
    engine.resolve(again, Outcome.REJECTED)
    engine.settle_all()
    assert len(engine.dead_letters.bodies) == 1
    assert engine.dispositions == [Disposition.HIDDEN, Disposition.DEAD_LETTERED]
    assert engine.history.unsettled.ending_of_copy(again.message_id) is None


def test_a_handle_of_the_past_does_not_make_deletions_failing() -> None:
    """It is one delivery's loss; the next deletion is sent although more than half of the slots are settling."""
    engine = Engine(slots=4)
    gone, *others = engine.receive(2) + engine.receive(2)
    engine.queue.hide(gone.message.receipt_handle, 60)
    engine.resolve(gone, Outcome.FIXED)
    engine.step(Action.DELETE)
    for delivery in others:
        engine.resolve(delivery, Outcome.FIXED)
    engine.settle_all()
    assert engine.dispositions == [Disposition.LEASE_LOST, *[Disposition.DELETED] * 3]


def test_one_that_is_given_up_takes_no_other_with_it() -> None:
    """Only a stop gives up what waits behind a failure: else each has its own tries."""
    engine = Engine()
    first, second = engine.receive(2)
    engine.dead_letters.before.append(service_error(PermissionMissing))
    engine.resolve(first, Outcome.INVALID)
    engine.resolve(second, Outcome.INVALID)
    engine.settle_all()
    assert sorted(engine.dispositions) == [Disposition.DEAD_LETTERED, Disposition.PARKED]


def test_the_ending_is_on_record_before_anything_is_done_to_the_message() -> None:
    """Verified for a repair, decided for everything else, and nothing for a delivery that is only released."""
    engine = Engine()
    steps: list[tuple[str, Outcome | None, int, str, str]] = []

    class Follower:
        """Follows each step, as the journal does."""

        def received(self, _messages: object) -> None:
            """Not of interest here."""

        def report(self, _report: object) -> None:
            """Not of interest here."""

        def sync(self) -> None:
            """Not of interest here."""

        def step(self, step: Step) -> None:
            """How many messages were deleted or hidden by then."""
            done = len(engine.queue.deleted) + len(engine.queue.hidden)
            steps.append((step.name, step.ending.outcome if step.ending else None, done, step.before, step.after))

    engine.settlements._ledger._hooks = Hooks((engine.recorder,), (Follower(),))  # type: ignore[arg-type]
    fixed, held, released = engine.receive(3)
    engine.resolve(fixed, Outcome.FIXED, before="acl=public-read", after="acl=private")
    engine.settle_all()
    engine.resolve(held, Outcome.HELD, before="acl=public-read")
    engine.resolve(released, None)
    engine.settle_all()
    assert steps == [
        ("verified", Outcome.FIXED, 0, "acl=public-read", "acl=private"),
        ("decided", Outcome.HELD, 1, "acl=public-read", ""),
    ]
