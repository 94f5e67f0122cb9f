"""What a parked copy is: its history, its properties, how long it waits, and when there can be none."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from consumer.core.errors import PermissionMissing
from consumer.core.observers import SettleError
from consumer.core.outcome import Attempt, Disposition, Ending, Outcome
from consumer.core.parked import History, UserProperty, carried, written
from consumer.core.queue_attributes import QueueAttributes
from consumer.engine.delivery import Delivery
from consumer.engine.parked_copy import ParkedCopy
from consumer.engine.undeleted_limit import WINDOW_SECONDS
from tests.unit.engine import Engine
from tests.unit.fakes import received, service_error
from tests.unit.parking import come_back, errors, hold

DAY = 86_400


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


def test_a_copy_without_room_for_its_history_is_not_fresh() -> None:
    """Else events that fill their 64 KB and fail slowly would have the workers and slots of new ones."""
    engine = Engine()
    engine.queue.put("m-0", "b" * 65_536)
    (delivery,) = engine.poll()
    assert delivery.message.fresh
    hold(engine, delivery)
    (again,) = come_back(engine)
    assert (again.message.carried.history, again.message.receipts) == (None, 1)
    assert not again.message.fresh
    assert again.message.queued_seconds == 0.0


@pytest.mark.parametrize(("priority", "fresh"), [(None, True), (1, True), (8, True), (9, False), (16, False)])
def test_a_first_receipt_is_fresh_unless_its_priority_is_that_of_a_copy(priority: int | None, fresh: bool) -> None:
    """A reply without a priority says nothing about it."""
    assert replace(received(), priority=priority).fresh is fresh


@pytest.mark.parametrize(("retention", "delay"), [(60, 30), (1_200, 600), (345_600, 900), (604_800, 900)])
def test_a_copy_waits_for_half_of_the_retention_at_most(retention: int, delay: int) -> None:
    """It has as long to be received as it waits, or the service would drop it on the day it becomes visible."""
    engine = Engine()
    engine.parking.learn(QueueAttributes(30, retention, 65_536))
    (delivery,) = engine.receive()
    hold(engine, delivery)
    assert engine.queue.sent == [("copy-1", delay)]


@pytest.mark.parametrize(("wait", "delay"), [(0.2, 1), (1.0, 1), (1.6, 2), (61.4, 61)])
def test_a_copy_waits_for_whole_seconds_and_never_for_none(wait: float, delay: int) -> None:
    """Without a delay it would be received at once, again and again."""
    engine = Engine()
    (delivery,) = engine.receive()
    copy = engine.parking.copy(delivery, Ending(Outcome.HELD, "paused"), wait)
    assert isinstance(copy, ParkedCopy)
    assert copy.delay_seconds == delay


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


CROWD = [UserProperty(f"n{number}", "v") for number in range(45)]


@pytest.mark.parametrize(
    "foreign",
    [CROWD, [UserProperty("n", "x", "NUMBER")], [UserProperty("n", "v" * 4_096)] * 2, [UserProperty("n", "v" * 4_096)]],
    ids=["too many", "not sendable", "twice the same name", "too large"],
)
def test_properties_of_others_that_cannot_travel_stay_behind(foreign: list[UserProperty]) -> None:
    """Whoever sends a message cannot keep it from being parked by them; body and history are whole."""
    engine = Engine()
    engine.parking.learn(QueueAttributes(30, DAY, 4_096))
    engine.queue.put("m-0")
    (delivery,) = engine.poll()
    delivery.message = replace(delivery.message, carried=carried(foreign, 1))
    hold(engine, delivery)
    (again,) = come_back(engine)
    assert engine.dispositions == [Disposition.PARKED]
    assert (again.message.origin_id, again.message.body) == ("m-0", delivery.message.body)
    assert again.message.carried.foreign == ()


def test_as_many_properties_of_others_as_the_service_permits_travel_along() -> None:
    """Fifty with ours."""
    engine = Engine()
    (delivery,) = engine.receive()
    delivery.message = replace(delivery.message, carried=carried(CROWD[:44], 1))
    hold(engine, delivery)
    (again,) = come_back(engine)
    assert again.message.carried.foreign == tuple(CROWD[:44])


def test_a_body_that_leaves_no_room_for_its_history_is_parked_without() -> None:
    """The copy is a new message to others; the process that sent it still knows how often it failed."""
    engine = Engine()
    engine.attempts.failed("m-0")
    engine.queue.put("m-0", "b" * 65_536)
    (delivery,) = engine.poll()
    delivery.attempts = 1
    hold(engine, delivery)
    (again,) = come_back(engine)
    assert engine.dispositions == [Disposition.PARKED]
    assert (again.message.body, again.message.carried.history) == (delivery.message.body, None)
    assert engine.attempts.of(again.message_id, again.message.attempts) == 1


UNPARKABLE: list[dict[str, object]] = [{"body_md5": "other"}, {"damage": "cut"}, {"body": "a\rb"}]


@pytest.mark.parametrize("changes", UNPARKABLE)
def test_what_cannot_be_sent_again_as_it_came_is_hidden_and_counted(changes: dict[str, object]) -> None:
    """No request is made for it, others are parked all the same, and it counts as undeleted."""
    engine = Engine()
    odd, good = engine.receive(2)
    odd.message = replace(odd.message, **changes)  # type: ignore[arg-type]
    hold(engine, odd)
    hold(engine, good)
    assert engine.queue.hidden == [(odd.message_id, 900)]
    assert engine.dispositions == [Disposition.HIDDEN, Disposition.PARKED]
    assert engine.recorder.settle_errors == [SettleError(odd.message_id, "park", "not_repeatable")]
    assert engine.undeleted.count(engine.clock()) == 1


def odd_ones(engine: Engine, count: int) -> list[Delivery]:
    """So many messages that cannot be parked."""
    found = engine.receive(count)
    for odd in found:
        odd.message = replace(odd.message, body_md5="other")
    return found


def test_what_cannot_be_parked_never_fills_the_limit_of_undeleted_messages() -> None:
    """A quarter of it at most is theirs within half an hour; the rest are dead letters, whole, and work goes on."""
    engine = Engine(max_undeleted=20)
    for odd in odd_ones(engine, 12):
        hold(engine, odd)
    assert engine.dispositions == [*[Disposition.HIDDEN] * 5, *[Disposition.DEAD_LETTERED] * 7]
    letter = json.loads(engine.dead_letters.bodies[-1])
    assert (letter["outcome"], letter["reason"], letter["body"]) == ("rejected", "cannot_be_parked", "body")
    assert letter["detail"] == "held for now, and not_repeatable"
    engine.clock.advance(WINDOW_SECONDS)
    odd, *_ = odd_ones(engine, 1)
    hold(engine, odd)
    assert engine.dispositions[-1] is Disposition.HIDDEN


def test_a_message_that_cannot_be_parked_still_says_what_was_wanted() -> None:
    """As what it wanted and not as what it reached: for the journal it is no change, which undo would take back."""
    engine = Engine(max_undeleted=20)
    for odd in odd_ones(engine, 12):
        engine.resolve(odd, Outcome.HELD, before="public-read", after="private", hold_seconds=3_600)
        engine.settle_all()
    (last,) = [report.ending for report in engine.recorder.reports[-1:]]

    assert last is not None
    assert (last.outcome, last.before, last.after) == (Outcome.REJECTED, "", "")
    assert last.attempt == Attempt("public-read", "private", now="public-read")
    assert errors(engine) == [("park", "not_repeatable")] * 12, "the dead letters name what kept them from being parked"


def test_nobody_follows_a_message_into_the_dead_letter_queue_that_cannot_be_parked() -> None:
    """Else whoever pads an event could have older ones of the same resource dropped beside it."""
    engine = Engine(max_undeleted=1)
    hidden, leader, follower = odd_ones(engine, 3)
    hold(engine, hidden)
    hold(engine, leader, follower)
    assert engine.dispositions == [Disposition.HIDDEN, Disposition.DEAD_LETTERED, Disposition.RELEASED]


def test_what_cannot_be_parked_stays_hidden_where_no_dead_letter_queue_takes_it() -> None:
    """There is none, or it refuses: nothing is deleted, and it is not tried again and again."""
    without, refusing = Engine(max_undeleted=1, with_dead_letters=False), Engine(max_undeleted=1)
    refusing.dead_letters.before.extend([service_error(PermissionMissing)] * 5)
    for engine in (without, refusing):
        for odd in odd_ones(engine, 2):
            hold(engine, odd)
        assert engine.dispositions == [Disposition.HIDDEN] * 2
        assert not engine.queue.deleted
    assert len(refusing.dead_letters.before) == 4


def test_what_cannot_be_parked_is_a_dead_letter_before_it_expires() -> None:
    """Nothing is lost: hidden for half of what it has left each time, until three quarters are over."""
    engine = Engine()
    engine.parking.learn(QueueAttributes(30, 600, 65_536))
    for age in (0, 300, 301):
        (odd,) = odd_ones(engine, 1)
        odd.message = replace(odd.message, age_seconds=age)
        hold(engine, odd)
    assert [seconds for _, seconds in engine.queue.hidden] == [300, 150]
    assert engine.dispositions == [Disposition.HIDDEN, Disposition.HIDDEN, Disposition.DEAD_LETTERED]


def test_what_cannot_be_parked_is_a_dead_letter_at_once_while_the_retention_is_unknown() -> None:
    """It may be a minute; what waits for less than that is hidden."""
    engine = Engine()
    engine.parking.learn(None)
    short, long = odd_ones(engine, 2)
    hold(engine, short, seconds=30.0)
    hold(engine, long, seconds=900.0)
    assert engine.dispositions == [Disposition.HIDDEN, Disposition.DEAD_LETTERED]


def test_short_waits_are_parked_too_once_much_is_hidden() -> None:
    """A flood of events that fail once cannot bring polling to a stop, however short their first backoff is."""
    engine = Engine(max_undeleted=20, slots=256)
    for _ in range(12):
        for delivery in engine.receive(1):
            hold(engine, delivery, seconds=30.0)
    assert engine.dispositions == [*[Disposition.HIDDEN] * 5, *[Disposition.PARKED] * 7]
    assert {delay for _, delay in engine.queue.sent} == {30}


@pytest.mark.parametrize(("age_seconds", "hidden"), [(0, 300), (200, 200), (598, 1), (700, 1)])
def test_nothing_is_hidden_past_its_retention(age_seconds: float, hidden: int) -> None:
    """What cannot be parked waits for half of what it has left, however long it should, or the service drops it."""
    engine = Engine(with_dead_letters=False)
    engine.parking.learn(QueueAttributes(30, 600, 65_536))
    (odd,) = odd_ones(engine, 1)
    odd.message = replace(odd.message, age_seconds=age_seconds)
    hold(engine, odd)
    assert engine.queue.hidden == [(odd.message_id, hidden)]


def test_a_retention_that_nobody_knows_shortens_no_wait_of_what_can_go_nowhere() -> None:
    """A queue that may not be asked, and a message of yesterday: it is not looked at every second."""
    engine = Engine(with_dead_letters=False)
    engine.parking.learn(None)
    (odd,) = odd_ones(engine, 1)
    odd.message = replace(odd.message, age_seconds=200_000)
    hold(engine, odd)
    assert engine.queue.hidden == [(odd.message_id, 900)]


@pytest.mark.parametrize(("age_seconds", "wait", "parked"), [(0, 900, True), (0, 30, False), (15, 30, True)])
def test_a_retention_that_nobody_knows_may_be_the_shortest_there_is(
    age_seconds: float, wait: int, parked: bool
) -> None:
    """A minute, half of which a copy waits at most; a short wait is hidden only while that is safe on any queue."""
    engine = Engine()
    engine.parking.learn(None)
    (delivery,) = engine.receive()
    delivery.message = replace(delivery.message, age_seconds=age_seconds)
    hold(engine, delivery, seconds=wait)
    assert engine.queue.sent == ([("copy-1", 30)] if parked else [])
    assert engine.queue.hidden == ([] if parked else [(delivery.message_id, 30)])
    assert engine.said == [("parking.retention_unknown", {"assumed_seconds": 60})]


def test_what_cannot_be_parked_for_now_is_hidden_until_the_next_try_while_the_retention_is_unknown() -> None:
    """It may expire any minute, so it is there when parking works again; a lasting interruption costs few receipts."""
    engine = Engine()
    engine.parking.learn(None)
    engine.queue.before_send.extend([service_error(PermissionMissing)] * 3)
    for pause in (30, 60, 120):
        tried, waiting = engine.receive(2)
        hold(engine, tried)
        hold(engine, waiting)
        assert engine.queue.hidden == [(tried.message_id, pause), (waiting.message_id, pause)]
        engine.queue.messages.clear()
        engine.queue.hidden.clear()
        engine.clock.advance(pause)


def test_a_retention_that_changes_is_gone_by_from_then_on_and_logged() -> None:
    """Somebody shortens it, takes the right to read it away, and gives it back."""
    engine = Engine()
    changes = [QueueAttributes(30, 345_600, 65_536), QueueAttributes(30, 120, 65_536), None, None]
    delays = []
    for change in (*changes, QueueAttributes(30, 1_200, 65_536)):
        engine.parking.learn(change)
        (delivery,) = engine.receive()
        hold(engine, delivery)
        delays.append(engine.queue.sent[-1][1])
    assert delays == [900, 60, 30, 30, 600]
    assert engine.said == [
        ("parking.retention_changed", {"seconds": 120, "before_seconds": 345_600}),
        ("parking.retention_unknown", {"assumed_seconds": 60}),
        ("parking.retention_changed", {"seconds": 1_200, "before_seconds": None}),
    ]


def test_a_queue_with_a_smaller_limit_takes_smaller_copies() -> None:
    """Somebody lowered it, and not even the body fits any more."""
    engine = Engine()
    engine.parking.learn(QueueAttributes(30, DAY, 3))
    (delivery,) = engine.receive()
    hold(engine, delivery)
    assert errors(engine) == [("park", "too_large")]


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
