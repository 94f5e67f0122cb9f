"""Parking: what has to wait is sent again, confirmed and only then deleted; what cannot be is hidden."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from consumer.core.message import body_md5
from consumer.core.observers import SettleError
from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.core.parked import History, UserProperty, carried, written
from consumer.core.queue_attributes import QueueAttributes
from consumer.engine.delivery import Delivery
from consumer.engine.parked_copy import ParkedCopy, history
from consumer.engine.parking import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, PARKED_FOR_EACH_DUPLICATE
from consumer.engine.settle_queue import Action
from tests.unit.engine import Engine
from tests.unit.fakes import received, service_error

DAY = 86_400


def errors(engine: Engine) -> list[tuple[str, str]]:
    """Action and code of every settlement that did not work out."""
    return [(error.action, error.code) for error in engine.recorder.settle_errors]


def hold(engine: Engine, delivery: Delivery, *followers: Delivery, seconds: float = 900.0) -> None:
    """Hold a delivery for so long, and settle what is due."""
    engine.resolve(delivery, Outcome.HELD, *followers, hold_seconds=seconds)
    engine.settle_all()


def come_back(engine: Engine, seconds: float = 900.0) -> list[Delivery]:
    """What is received after so long."""
    engine.clock.advance(seconds)
    return engine.poll()


def test_a_history_grows_with_every_copy_and_begins_with_the_first() -> None:
    """Three cycles later the origin, its times and all receipts are known, and the body is the same."""
    engine = Engine()
    (first,) = engine.receive()
    delivery = first
    for _ in range(3):
        delivery.attempts = 1
        hold(engine, delivery)
        (delivery,) = come_back(engine)
    found = delivery.message
    assert (found.message_id, found.dequeue_count) == ("copy-3", 1)
    assert (found.body, found.priority) == (first.message.body, 9)
    assert found.carried.history == History(
        first.message_id,
        first.message.enqueued_at_ms,
        first.message.first_dequeued_at_ms,
        receipts=3,
        attempts=1,
        reason="held:reason",
    )
    assert found.receipts == 4
    assert found.queued_seconds == 0.0


def test_properties_of_others_travel_along_and_a_priority_is_never_raised() -> None:
    """What waits comes after what is new, and whoever gave a message a low priority keeps it."""
    engine = Engine()
    foreign = UserProperty("trace", "x")
    (delivery,) = engine.receive()
    delivery.message = replace(delivery.message, carried=carried([foreign], 1), priority=12)
    hold(engine, delivery)
    (again,) = come_back(engine)
    assert (again.message.carried.foreign, again.message.priority) == ((foreign,), 12)


@pytest.mark.parametrize(("retention", "delay"), [(60, 30), (1_200, 600), (345_600, 900), (604_800, 900)])
def test_a_copy_waits_for_half_of_the_retention_at_most(retention: int, delay: int) -> None:
    """It has as long to be received as it waits, or the service would drop it on the day it becomes visible."""
    engine = Engine()
    engine.parking.learn(QueueAttributes(30, retention, 65_536))
    (delivery,) = engine.receive()
    hold(engine, delivery)
    assert engine.queue.sent == [("copy-1", delay)]


@pytest.mark.parametrize(("age_seconds", "parked"), [(DAY - 31, False), (DAY - 29, True), (2 * DAY, True)])
def test_a_short_wait_is_parked_where_the_retention_gets_short(age_seconds: float, parked: bool) -> None:
    """What is older than half of its retention would expire one day while it is hidden; a copy begins anew."""
    engine = Engine()
    engine.parking.learn(QueueAttributes(30, 2 * DAY, 65_536))
    (delivery,) = engine.receive()
    delivery.message = replace(delivery.message, age_seconds=age_seconds)
    hold(engine, delivery, seconds=30.0)
    assert engine.dispositions == [Disposition.PARKED if parked else Disposition.HIDDEN]
    assert engine.queue.sent == ([("copy-1", 30)] if parked else [])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"body_md5": "other"}, "not_repeatable"),
        ({"damage": "cut"}, "not_repeatable"),
        ({"carried": carried([UserProperty("n", "x", "NUMBER")], 1)}, "not_repeatable"),
        ({"body": "b" * 65_400, "body_md5": body_md5("b" * 65_400)}, "too_large"),
    ],
)
def test_what_cannot_be_sent_again_as_it_came_is_hidden_and_counted(changes: dict[str, object], code: str) -> None:
    """No request is made for it, others are parked all the same, and it counts as undeleted."""
    engine = Engine()
    odd, good = engine.receive(2)
    odd.message = replace(odd.message, **changes)  # type: ignore[arg-type]
    hold(engine, odd)
    hold(engine, good)
    assert engine.queue.hidden == [(odd.message_id, 900)]
    assert engine.dispositions == [Disposition.HIDDEN, Disposition.PARKED]
    assert engine.recorder.settle_errors == [SettleError(odd.message_id, "park", code)]
    assert engine.undeleted.count(engine.clock()) == 1


@pytest.mark.parametrize(("age_seconds", "hidden"), [(0, 300), (200, 200), (598, 1), (700, 1)])
def test_nothing_is_hidden_past_its_retention(age_seconds: float, hidden: int) -> None:
    """What cannot be parked waits for half of what it has left, however long it should, or the service drops it."""
    engine = Engine()
    engine.parking.learn(QueueAttributes(30, 600, 65_536))
    (odd,) = engine.receive()
    odd.message = replace(odd.message, body_md5="other", age_seconds=age_seconds)
    hold(engine, odd)
    assert engine.queue.hidden == [(odd.message_id, hidden)]


def test_a_retention_that_nobody_knows_shortens_no_wait() -> None:
    """A queue that may not be asked, and a message of yesterday: it is not looked at every second."""
    engine = Engine()
    (odd,) = engine.receive()
    odd.message = replace(odd.message, body_md5="other", age_seconds=200_000)
    hold(engine, odd)
    assert engine.queue.hidden == [(odd.message_id, 900)]


def test_a_queue_with_a_smaller_limit_takes_smaller_copies() -> None:
    """The queue's own limit counts, with the properties."""
    engine = Engine()
    engine.parking.learn(QueueAttributes(30, DAY, 100))
    (delivery,) = engine.receive()
    hold(engine, delivery)
    assert errors(engine) == [("park", "too_large")]


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


def test_properties_that_the_service_does_not_return_cost_no_attempt() -> None:
    """The copy looks like a new message, and the process that sent it still knows how often it failed."""
    engine = Engine()
    engine.queue.keeps_properties = False
    engine.attempts.failed("m-0")
    (delivery,) = engine.receive()
    delivery.attempts = 1
    hold(engine, delivery)
    (again,) = come_back(engine)
    assert (again.message.origin_id, again.message.receipts) == ("copy-1", 1)
    assert engine.attempts.of(again.message_id, again.message.attempts) == 1


def test_followers_of_what_only_claims_to_be_exhausted_are_tried_for_themselves() -> None:
    """Who forges attempts gets a dead letter for their own message, and not for older events of the resource."""
    engine = Engine()
    leader, follower = engine.receive(2)
    leader.attempts, leader.attempts_seen = 1_000, 1
    engine.resolve(leader, Outcome.EXHAUSTED, follower)
    engine.settle_all()
    assert engine.dispositions == [Disposition.DEAD_LETTERED, Disposition.RELEASED]


def test_an_origin_that_is_claimed_for_another_body_is_another_message() -> None:
    """Whoever names somebody else's id does not become that message."""
    engine = Engine()
    forged, victim = engine.receive(2)
    claim = History(victim.message_id, 1, 1, 1, 0, "held:x")
    forged.message = replace(forged.message, body="other", carried=carried(written(claim), 10**13))
    assert forged.message.origin_id == victim.message.origin_id
    assert not forged.same_origin(victim)


@given(
    st.integers(0, 10**13), st.integers(0, 10**13), st.integers(0, 10**9), st.integers(0, 10**9), st.text(max_size=80)
)
def test_whatever_a_message_is_its_next_history_can_be_read(
    enqueued: int, dequeued: int, receipts: int, attempts: int, why: str
) -> None:
    """Absurd stamps and counts of the service make a history that a later copy can still carry on."""
    message = replace(received(), enqueued_at_ms=enqueued, first_dequeued_at_ms=dequeued, dequeue_count=receipts)
    made = history(message, Ending(Outcome.HELD, why), attempts)
    found = carried(written(made), max(made.first_received_ms, 1)).history
    assert found is not None
    assert (found.receipts, found.attempts, found.reason) == (made.receipts, made.attempts, made.reason)


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
