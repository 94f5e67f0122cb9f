"""When parking is interrupted or gives way to hiding, and that no failure loses a message or multiplies it."""

from __future__ import annotations

import pytest

from consumer.core.errors import (
    DamagedReply,
    MessageGone,
    NotAuthenticated,
    PermanentError,
    PermissionMissing,
    QueueMissing,
    ServiceError,
    Throttled,
    Unanswered,
    Unavailable,
    UnknownRefusal,
)
from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.engine.parked_copy import ParkedCopy
from consumer.engine.parking import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, PARKED_FOR_EACH_DUPLICATE
from consumer.engine.settle_queue import Action
from tests.unit.engine import Engine
from tests.unit.fakes import service_error
from tests.unit.parking import come_back, errors, hold


@pytest.mark.parametrize("kind", [PermissionMissing, QueueMissing, NotAuthenticated])
def test_a_refusal_of_all_copies_hides_what_waits_and_is_tried_again_now_and_then(kind: type[ServiceError]) -> None:
    """Said once, with the missing right; after a pause one message tries, and when it is parked all are."""
    engine = Engine()
    engine.queue.before_send.extend([service_error(kind, "AccessDenied")] * 2)
    for delivery in engine.receive(3):
        hold(engine, delivery)
    assert engine.dispositions == [Disposition.HIDDEN] * 3
    assert errors(engine) == [("park", "AccessDenied"), ("park", "interrupted"), ("park", "interrupted")]
    missing = {"missing_action": "mns:SendMessage"} if kind is PermissionMissing else {}
    assert engine.said == [("parking.interrupted", {"reason": "AccessDenied", **missing})]
    assert engine.parking.interrupted
    engine.clock.advance(FIRST_PAUSE_SECONDS)
    for delivery in engine.receive(2):
        hold(engine, delivery)
    assert errors(engine)[3:] == [("park", "AccessDenied"), ("park", "interrupted")]
    engine.clock.advance(2 * FIRST_PAUSE_SECONDS)
    for delivery in engine.receive(2):
        hold(engine, delivery)
    assert engine.dispositions[5:] == [Disposition.PARKED] * 2
    assert engine.said[1:] == [("parking.resumed", {})]
    assert not engine.parking.interrupted


@pytest.mark.parametrize("kind", [PermanentError, UnknownRefusal])
def test_a_refusal_of_one_message_interrupts_nothing(kind: type[ServiceError]) -> None:
    """Properties that the service does not take (400) are that message's: it is hidden, the next one is parked."""
    engine = Engine()
    refused, good = engine.receive(2)
    engine.queue.before_send.append(kind("mns", "SendMessage", "InvalidArgument", "no", status=400))
    hold(engine, refused)
    hold(engine, good)
    assert engine.dispositions == [Disposition.HIDDEN, Disposition.PARKED]
    assert errors(engine) == [("park", "InvalidArgument")]


def test_a_throttled_queue_gets_five_tries_and_then_hides() -> None:
    """A throttled request has no effect, so it is worth as many tries as any other."""
    engine = Engine()
    engine.queue.visibility_seconds = 600
    engine.queue.before_send.extend([service_error(Throttled)] * 5)
    (delivery,) = engine.receive()
    hold(engine, delivery)
    for _ in range(40):
        engine.clock.advance(1.0)
        engine.settle_all()
    assert errors(engine) == [("park", "Test")] * 5
    assert engine.dispositions == [Disposition.HIDDEN]
    assert not engine.queue.sent


@pytest.mark.parametrize("kind", [Unanswered, DamagedReply, Unavailable])
def test_a_lost_confirmation_makes_a_duplicate_and_never_a_loss(kind: type[ServiceError]) -> None:
    """The original is deleted only once one copy is confirmed; of the two copies one is superseded by the other."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.queue.after_send.append(service_error(kind))
    hold(engine, delivery)
    assert not engine.queue.deleted
    engine.clock.advance(1.0)
    engine.settle_all()
    assert engine.dispositions == [Disposition.PARKED]
    one, other = come_back(engine)
    assert one.same_origin(other)
    hold(engine, one, other)
    assert [(report.outcome, report.disposition) for report in engine.recorder.reports[1:]] == [
        (Outcome.HELD, Disposition.PARKED),
        (Outcome.SUPERSEDED, Disposition.DELETED),
    ]
    assert engine.recorder.reports[-1].ending == Ending(
        Outcome.SUPERSEDED, "another_copy", "another copy of the same message was settled"
    )
    assert list(engine.queue.messages) == ["copy-3"]


def test_replies_that_are_lost_for_hours_do_not_multiply_messages() -> None:
    """Every send takes effect and nobody hears of it: in eight hours of cycles there are few copies."""
    engine = Engine(slots=256)
    engine.queue.visibility_seconds = 600
    engine.queue.after_send.extend([service_error(Unanswered)] * 10_000)
    for number in range(16):
        engine.queue.put(f"m-{number}")
    for _ in range(32):
        for delivery in come_back(engine):
            engine.resolve(delivery, Outcome.HELD)
        for _ in range(4):
            engine.settle_all()
            engine.clock.advance(1.0)
    assert len(engine.queue.messages) <= 16 + 2 * 32
    assert Disposition.PARKED not in engine.dispositions
    assert engine.said == [("parking.interrupted", {"reason": "Test"})]


@pytest.mark.parametrize("kind", [PermissionMissing, MessageGone])
def test_deletions_that_fail_for_hours_do_not_multiply_messages(kind: type[ServiceError]) -> None:
    """Each original that cannot be deleted stays beside its copy: then the next ones wait hidden."""
    engine = Engine(slots=256)
    engine.queue.delete = lambda handles: dict.fromkeys(handles, service_error(kind))  # type: ignore[method-assign]
    for number in range(16):
        engine.queue.put(f"m-{number}")
    for _ in range(32):
        for delivery in come_back(engine):
            hold(engine, delivery)
    assert len(engine.queue.messages) <= 16 + 32
    assert not engine.queue.deleted
    assert Disposition.PARKED not in engine.dispositions


def parked_well(engine: Engine, count: int) -> None:
    """So many messages are parked, and deleted."""
    for _ in range(count):
        hold(engine, *engine.receive())
    assert engine.dispositions == [Disposition.PARKED] * count


def test_one_lease_lost_in_a_hundred_parks_hides_nothing() -> None:
    """20,000 that come back at once are not hidden for half a minute because of one duplicate."""
    engine = Engine()
    parked_well(engine, 2 * PARKED_FOR_EACH_DUPLICATE + 50)
    for borne in (True, True, False):
        (delivery,) = engine.receive()
        engine.resolve(delivery, Outcome.HELD)
        engine.step(Action.PARK)
        engine.queue.hide(delivery.message.receipt_handle, 1)  # somebody else has it now
        engine.settle_all()
        assert engine.dispositions[-1] is Disposition.LEASE_LOST
        assert engine.parking.interrupted is not borne
        if borne:
            hold(engine, *engine.receive())
            assert engine.dispositions[-1] is Disposition.PARKED
    assert engine.said == [("parking.interrupted", {"reason": "lease_lost"})]


def test_deletions_that_fail_after_days_without_a_failure_are_borne_ten_times() -> None:
    """However long all went well: then what waits is hidden."""
    engine = Engine()
    parked_well(engine, 20 * PARKED_FOR_EACH_DUPLICATE)
    refused = {"reason": "given_up"}
    for number in range(12):
        (delivery,) = engine.receive()
        engine.queue.before.append(service_error(PermissionMissing))
        hold(engine, delivery)
        assert engine.parking.interrupted is (number >= 10)
    assert engine.said == [("parking.interrupted", refused)]


def test_an_original_whose_deletion_failed_is_looked_at_again_like_any_other() -> None:
    """It and its copy are duplicates of each other, of which one goes when both are in flight."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.queue.before.append(service_error(PermissionMissing))
    hold(engine, delivery)
    assert engine.dispositions == [Disposition.HIDDEN]
    copy, original = sorted(come_back(engine), key=lambda found: found.message_id)
    assert original.message_id == delivery.message_id
    hold(engine, copy, original)
    assert engine.dispositions == [Disposition.HIDDEN, Disposition.PARKED, Disposition.DELETED]
    assert list(engine.queue.messages) == ["copy-2"]


def test_nothing_is_parked_for_a_lease_that_is_lost() -> None:
    """It is somebody else's by now, who parks it as well; and that interrupts nothing."""
    engine = Engine()
    lost, good = engine.receive(2)
    lost.lease.lose()
    hold(engine, lost)
    hold(engine, good)
    assert engine.dispositions == [Disposition.LEASE_LOST, Disposition.PARKED]
    assert len(engine.queue.sent) == 1


def test_a_lease_that_is_lost_after_a_confirmed_copy_is_reported_as_lost() -> None:
    """The message is on the queue twice: nothing is reported as parked, and parking pauses for a moment."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.resolve(delivery, Outcome.HELD)
    engine.step(Action.PARK)
    engine.queue.hide(delivery.message.receipt_handle, 5)
    engine.settle_all()
    assert engine.dispositions == [Disposition.LEASE_LOST]
    assert len(engine.queue.messages) == 2
    assert engine.said == [("parking.interrupted", {"reason": "lease_lost"})]


def test_a_lease_that_is_lost_while_it_is_unknown_whether_a_copy_was_made_interrupts_parking() -> None:
    """The service may have taken the copy that it has not confirmed: as good as a duplicate, so others wait hidden."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.queue.after_send.append(service_error(Unanswered))
    hold(engine, delivery)
    delivery.lease.lose()
    engine.clock.advance(1.0)
    engine.settle_all()
    assert engine.dispositions == [Disposition.LEASE_LOST]
    assert engine.said == [("parking.interrupted", {"reason": "lease_lost"})]


def test_an_original_whose_deletion_never_came_to_its_turn_interrupts_parking() -> None:
    """Behind deletions that fail, its time ends without a request of its own: it is hidden beside its copy."""
    engine = Engine()
    engine.queue.visibility_seconds = 60
    first, second = engine.receive(2)
    engine.resolve(first, Outcome.FIXED)
    engine.queue.before.append(service_error(Throttled))
    engine.step(Action.DELETE)
    engine.resolve(second, Outcome.HELD)
    engine.step(Action.PARK)
    engine.clock.advance(30.0)
    engine.settle_all()
    assert engine.dispositions == [Disposition.HIDDEN, Disposition.HIDDEN]
    assert engine.said == [("parking.interrupted", {"reason": "given_up"})]


def test_a_deletion_that_is_refused_is_not_taken_for_a_copy_that_was() -> None:
    """The right that is missing is that to delete: nobody is sent to look for mns:SendMessage."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.queue.before.append(service_error(PermissionMissing, "AccessDenied"))
    hold(engine, delivery)
    assert engine.said == [("parking.interrupted", {"reason": "given_up"})]


def test_a_copy_that_comes_back_is_given_up_for_longer_than_its_original_was() -> None:
    """A queue that refuses deletions is asked less and less, whether the message was parked in between or not."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.queue.before.append(service_error(PermissionMissing))
    engine.resolve(delivery, Outcome.FIXED)
    engine.settle_all()
    (again,) = come_back(engine, 30.0)
    hold(engine, again)
    (copy,) = come_back(engine)
    engine.queue.before.append(service_error(PermissionMissing))
    engine.resolve(copy, Outcome.FIXED)
    engine.settle_all()
    assert engine.queue.hidden == [(delivery.message_id, 30), (copy.message_id, 60)]


def test_a_pause_that_fails_again_and_again_doubles_up_to_half_an_hour() -> None:
    """A right that is missing for days costs two requests an hour."""
    engine = Engine()
    engine.queue.before_send.extend([service_error(PermissionMissing)] * 20)
    pauses = []
    for _ in range(10):
        delivery, *hidden_before = engine.receive()
        for other in hidden_before:
            engine.resolve(other, Outcome.FIXED)
        hold(engine, delivery)
        pauses.append(engine.parking._paused_until - engine.clock())
        engine.clock.advance(pauses[-1])
    assert pauses == [30, 60, 120, 240, 480, 960, *[LONGEST_PAUSE_SECONDS] * 4]


def test_failures_of_the_same_moment_are_one_interruption() -> None:
    """A burst in flight when the network goes is no reason to wait for half an hour."""
    engine = Engine()
    deliveries = engine.receive(8)
    for delivery in deliveries:
        engine.resolve(delivery, Outcome.HELD)
    engine.queue.before_send.extend([service_error(PermissionMissing)] * 8)
    engine.settle_all()
    assert engine.parking._paused_until == engine.clock() + FIRST_PAUSE_SECONDS
    assert errors(engine) == [("park", "Test"), *[("park", "interrupted")] * 7]
    assert engine.dispositions == [Disposition.HIDDEN] * 8


def slowly(engine: Engine, request: str, seconds: float) -> None:
    """Each request of this kind takes so long from now on."""
    quickly = getattr(engine.queue, request)

    def slow(*words: object, **more: object) -> object:
        engine.clock.advance(seconds)
        return quickly(*words, **more)

    setattr(engine.queue, request, slow)


def flood(engine: Engine) -> None:
    """All slots are taken by messages that have to wait, and as many of them are sent or hidden as there is work."""
    engine.queue.visibility_seconds = 60
    for delivery in engine.receive(8) + engine.receive(8):
        engine.resolve(delivery, Outcome.HELD)
    engine.settle_all()


def test_what_waits_is_hidden_where_that_frees_its_slots_much_sooner() -> None:
    """A flood of held messages and a queue that takes its time over sends: half of the slots are for fresh events."""
    engine = Engine(slots=16)
    slowly(engine, "send", 0.8)
    flood(engine)
    assert engine.dispositions.count(Disposition.HIDDEN) == 7
    assert engine.dispositions.count(Disposition.PARKED) == 9
    assert errors(engine) == [("park", "slow")] * 7


def test_what_waits_is_parked_where_hiding_it_would_take_as_long() -> None:
    """On a slow day of queue or machine all requests are slow: hidden, it would come back and cost the same again."""
    engine = Engine(slots=16)
    for request in ("send", "hide"):
        slowly(engine, request, 0.8)
    (short,) = engine.receive()
    engine.resolve(short, Outcome.HELD, hold_seconds=30.0)
    engine.settle_all()
    flood(engine)
    assert engine.dispositions == [Disposition.HIDDEN, *[Disposition.PARKED] * 16]
    assert errors(engine) == []


def test_while_stopping_what_cannot_be_parked_is_hidden_at_once() -> None:
    """A stop is no time for many tries; whoever goes on parks it."""
    engine = Engine()
    engine.settlements.hurry()
    engine.queue.before_send.extend([service_error(Throttled)] * 9)
    for delivery in engine.receive(8):
        engine.resolve(delivery, Outcome.HELD)
    for _ in range(9):
        engine.step(Action.PARK)
        engine.clock.advance(1.0)
    engine.settle_all()
    assert engine.dispositions == [Disposition.HIDDEN] * 8
    assert engine.in_flight.wait_until_empty(0)


def test_requests_that_were_under_way_together_are_one_interruption() -> None:
    """Two settlers send at once: what the second one hears is no news, neither a failure nor a success."""
    engine = Engine()
    one, other = engine.receive(2)
    ending = Ending(Outcome.HELD, "paused")
    copies = [engine.parking.copy(delivery, ending, 900.0) for delivery in (one, other)]
    first, second = (copy for copy in copies if isinstance(copy, ParkedCopy))
    engine.parking.interrupt(first, "timeout")
    engine.parking.interrupt(second, "timeout")
    engine.parking.worked(second)
    assert engine.parking._paused_until == engine.clock() + FIRST_PAUSE_SECONDS
    assert engine.said == [("parking.interrupted", {"reason": "timeout"})]


def test_a_copy_that_may_have_been_taken_interrupts_parking_when_it_is_late() -> None:
    """Unconfirmed, and its time is over before it is tried again: as good as a duplicate, so what waits is hidden."""
    engine = Engine()
    engine.queue.visibility_seconds = 600
    (delivery,) = engine.receive()
    engine.queue.after_send.append(service_error(Unanswered))
    engine.resolve(delivery, Outcome.HELD)
    engine.step(Action.PARK)
    engine.clock.advance(30.0)
    engine.settle_all()
    assert engine.dispositions == [Disposition.HIDDEN]
    assert engine.said == [("parking.interrupted", {"reason": "given_up"})]


def test_a_copy_that_may_have_been_taken_interrupts_parking_when_it_gives_way() -> None:
    """Two unconfirmed, one that worked, and no slots left for the retries: their messages are hidden beside copies."""
    engine = Engine(slots=16)
    engine.queue.visibility_seconds = 600
    slowly(engine, "send", 4.0)
    unconfirmed, other, good, *fixed = engine.receive(8) + engine.receive(8)
    engine.queue.after_send.extend([service_error(Unanswered)] * 2)
    for delivery in (unconfirmed, other):
        engine.resolve(delivery, Outcome.HELD)
    engine.step(Action.PARK)
    engine.resolve(good, Outcome.HELD)
    for _ in range(2):
        engine.step(Action.PARK)
    for delivery in fixed:
        engine.resolve(delivery, Outcome.FIXED)
    engine.clock.advance(2.0)
    engine.step(Action.PARK)
    engine.settle_all()
    assert ("park", "slow") in errors(engine)
    assert ("parking.interrupted", {"reason": "given_up"}) in engine.said
