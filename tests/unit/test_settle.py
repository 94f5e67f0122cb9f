"""Settling: each ending carried out, confirmed, and reported as what really became of the message."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from consumer.core.errors import (
    DamagedReply,
    NotAuthenticated,
    PermissionMissing,
    QueueMissing,
    ServiceError,
    Throttled,
    Unanswered,
    UnknownRefusal,
)
from consumer.core.observers import SettleError
from consumer.core.outcome import SETTLED_BY, Disposition, Outcome, Settlement
from consumer.engine.dead_letter import DeadLetterTarget
from consumer.engine.lease import LeaseState
from consumer.engine.sender import Copier
from consumer.engine.settle_queue import Action
from consumer.guards.rule import Mode, Observed
from tests.patience import PATIENCE_SECONDS
from tests.unit.engine import Engine
from tests.unit.fakes import instant_heartbeat, service_error, unanswered
from tests.unit.telemetry.records import rule


def of(settlement: Settlement) -> list[Outcome]:
    """The outcomes that are settled like this."""
    return [outcome for outcome, by in SETTLED_BY.items() if by is settlement]


@pytest.mark.parametrize("outcome", of(Settlement.DELETE))
def test_a_successful_ending_deletes(outcome: Outcome) -> None:
    """The message is deleted, the lease ended, the failures forgotten, the deletion not counted as consumption."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.attempts.failed(delivery.message_id)
    engine.resolve(delivery, outcome)
    engine.settle_all()
    assert engine.queue.deleted == [delivery.message_id]
    assert engine.dispositions == [Disposition.DELETED]
    assert engine.recorder.reports[0].outcome is outcome
    assert delivery.lease.state is LeaseState.ENDED
    assert engine.attempts.of(delivery.message_id) == 0
    assert engine.undeleted.count(engine.clock()) == 0


@pytest.mark.parametrize("outcome", of(Settlement.HOLD))
@pytest.mark.parametrize(("hold", "hidden"), [(60.0, 60), (17.4, 17), (0.0, 1)])
def test_a_message_that_is_held_for_a_moment_is_hidden(outcome: Outcome, hold: float, hidden: int) -> None:
    """For the rule's own time, within what the queue takes; the message stays and counts as undeleted."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.resolve(delivery, outcome, hold_seconds=hold)
    engine.settle_all()
    assert engine.queue.hidden == [(delivery.message_id, hidden)]
    assert engine.dispositions == [Disposition.HIDDEN]
    assert engine.recorder.reports[0].hidden_seconds == hidden
    assert delivery.message_id in engine.queue.messages
    assert engine.undeleted.count(engine.clock()) == 1


@pytest.mark.parametrize("observed", Observed)
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("outcome", of(Settlement.HOLD))
def test_only_what_was_observed_may_be_settled_before_it_is_fixed(
    outcome: Outcome, mode: Mode, observed: Observed
) -> None:
    """And only where the rule says that catch-up brings it back; everything else that is held stays on the queue."""
    engine = Engine()
    (delivery,) = engine.receive()
    delivery.rule = replace(rule(mode=mode), observed=observed)
    engine.resolve(delivery, outcome)
    engine.settle_all()
    brought_back = (outcome, mode, observed) == (Outcome.WOULD_FIX, Mode.OBSERVE, Observed.DELETE)
    assert engine.dispositions == [Disposition.DELETED if brought_back else Disposition.PARKED]
    assert bool(engine.queue.messages) is not brought_back


@pytest.mark.parametrize("outcome", of(Settlement.HOLD))
@pytest.mark.parametrize(("hold", "delay"), [(None, 900), (60.6, 61), (10**6, 172_800)])
def test_a_message_that_is_held_for_longer_is_parked(outcome: Outcome, hold: float | None, delay: int) -> None:
    """The rule's time counts before the configured one; its copy is confirmed before it is deleted."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.resolve(delivery, outcome, hold_seconds=hold)
    assert engine.step()
    assert (engine.queue.sent, engine.queue.deleted) == ([("copy-1", delay)], [])
    engine.settle_all()
    assert engine.queue.deleted == [delivery.message_id]
    assert engine.dispositions == [Disposition.PARKED]
    report = engine.recorder.reports[0]
    assert (report.outcome, report.hidden_seconds, report.kept_seconds) == (outcome, 0, delay)
    assert report.parked_as == "copy-1"
    assert list(engine.queue.messages) == ["copy-1"]
    assert engine.undeleted.count(engine.clock()) == 0


def test_a_failed_message_backs_off() -> None:
    """A failure hides the message for the backoff of its attempts."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.resolve(delivery, Outcome.FAILED)
    engine.settle_all()
    assert engine.queue.hidden == [(delivery.message_id, 30)]
    assert engine.dispositions == [Disposition.HIDDEN]


@pytest.mark.parametrize("outcome", of(Settlement.DEAD_LETTER))
def test_what_cannot_succeed_is_copied_and_then_deleted(outcome: Outcome) -> None:
    """The copy is confirmed before the delete is sent, and says why."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.attempts.failed(delivery.message_id)
    engine.resolve(delivery, outcome)
    assert engine.step()
    assert (len(engine.dead_letters.bodies), engine.queue.batches) == (1, [])
    assert engine.step()
    assert engine.queue.deleted == [delivery.message_id]
    assert engine.dispositions == [Disposition.DEAD_LETTERED]
    document = json.loads(engine.dead_letters.bodies[0])
    assert (document["outcome"], document["message_id"], document["body"]) == (outcome, delivery.message_id, "body")
    assert engine.attempts.of(delivery.message_id) == 0


@pytest.mark.parametrize("outcome", of(Settlement.DEAD_LETTER))
def test_without_a_dead_letter_queue_it_is_kept(outcome: Outcome) -> None:
    """With nowhere to copy it to, a message that cannot succeed is parked: a copy of it is on the queue ever after."""
    engine = Engine(with_dead_letters=False)
    (delivery,) = engine.receive()
    engine.resolve(delivery, outcome)
    engine.settle_all()
    assert engine.queue.sent == [("copy-1", 3_600)]
    assert list(engine.queue.messages) == ["copy-1"]
    assert engine.dispositions == [Disposition.PARKED]


@pytest.mark.parametrize("kind", [QueueMissing, PermissionMissing, NotAuthenticated, UnknownRefusal])
def test_a_dead_letter_queue_that_refuses_keeps_the_message_on_its_queue(kind: type[ServiceError]) -> None:
    """A copy that was refused is no copy: hidden for a moment, or parked where that will not pass by itself."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.dead_letters.before.append(service_error(kind, "Refused"))
    engine.resolve(delivery, Outcome.REJECTED)
    engine.settle_all()
    lasts = kind in (QueueMissing, PermissionMissing)
    assert engine.queue.hidden == ([] if lasts else [(delivery.message_id, 30)])
    assert engine.queue.sent == ([("copy-1", 3_600)] if lasts else [])
    assert engine.dispositions == [Disposition.PARKED if lasts else Disposition.HIDDEN]
    assert not engine.dead_letters.bodies
    assert [(error.action, error.code) for error in engine.recorder.settle_errors] == [("dead_letter", "Refused")]


@pytest.mark.parametrize("kind", [Unanswered, Throttled, DamagedReply])
def test_a_copy_that_is_not_confirmed_is_made_again_before_anything_is_deleted(kind: type[ServiceError]) -> None:
    """Two copies are better than none: only the confirmed one lets the delete go."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.dead_letters.after.append(service_error(kind))
    engine.resolve(delivery, Outcome.EXHAUSTED)
    engine.settle_all()
    assert not engine.queue.batches
    engine.clock.advance(1.0)
    engine.settle_all()
    assert len(engine.dead_letters.bodies) == 2
    assert engine.dispositions == [Disposition.DEAD_LETTERED]


def test_nothing_is_copied_for_a_lease_that_is_lost() -> None:
    """The message is somebody else's by now, who may yet repair it: a dead letter would be a false one."""
    engine = Engine()
    (delivery,) = engine.receive()
    delivery.lease.lose()
    engine.resolve(delivery, Outcome.REJECTED)
    engine.settle_all()
    assert not engine.dead_letters.bodies
    assert not engine.queue.batches
    assert engine.dispositions == [Disposition.LEASE_LOST]


def test_a_lost_lease_costs_no_request_and_is_no_success() -> None:
    """An ending of lost lease does nothing to the message and is reported as what it is."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.resolve(delivery, Outcome.LEASE_LOST)
    engine.settle_all()
    assert (engine.queue.batches, engine.queue.hidden) == ([], [])
    assert engine.recorder.reports[0].outcome is Outcome.LEASE_LOST
    assert delivery.lease.state is LeaseState.LOST


@pytest.mark.parametrize("outcome", [Outcome.FIXED, Outcome.HELD, Outcome.FAILED])
def test_a_handle_that_the_queue_does_not_know_is_a_lost_lease(outcome: Outcome) -> None:
    """MessageNotExist proves no deletion: whatever the work came to, the delivery is reported as lost."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.clock.advance(31)
    engine.resolve(delivery, outcome)
    engine.settle_all()
    assert engine.dispositions == [Disposition.LEASE_LOST]
    assert engine.recorder.reports[0].outcome is Outcome.LEASE_LOST
    assert delivery.message_id in engine.queue.messages


def test_a_lost_reply_to_a_delete_is_never_taken_for_a_success() -> None:
    """The delete took effect, but nobody said so: asking again finds nothing, and that counts as lost."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.queue.after.append(unanswered())
    engine.resolve(delivery, Outcome.FIXED)
    engine.settle_all()
    engine.clock.advance(1.0)
    engine.settle_all()
    assert engine.dispositions == [Disposition.LEASE_LOST]


@pytest.mark.parametrize("outcome", [Outcome.FIXED, Outcome.HELD, None])
def test_no_renewal_replaces_a_handle_that_is_on_its_way(outcome: Outcome | None) -> None:
    """While a delete or a hide is under way the lease is in use, and a keeper whose turn it is leaves it alone."""
    engine = Engine()
    (delivery,) = engine.receive()
    renewals = []
    fail = engine.queue._fail

    def keeper_meanwhile(planned: object) -> None:
        if not renewals:
            renewals.append(delivery.lease)
            engine.renewer.renew(delivery.lease)
        fail(planned)  # type: ignore[arg-type]

    engine.queue._fail = keeper_meanwhile  # type: ignore[method-assign,assignment]
    engine.resolve(delivery, outcome, **({"hold_seconds": 30.0} if outcome else {}))
    engine.settle_all()
    assert renewals
    assert not engine.recorder.renewals
    assert engine.dispositions != [Disposition.LEASE_LOST]


def test_partial_failures_are_handled_one_by_one() -> None:
    """In one batch: what was deleted is deleted, what is gone is lost, what was refused is tried again."""
    engine = Engine()
    kept, gone, fine = engine.receive(3)
    engine.queue.hide(gone.message.receipt_handle, 10)
    refused = service_error(Throttled, "QpsLimitExceeded")
    delete = engine.queue.delete
    engine.queue.delete = lambda handles: {  # type: ignore[method-assign]
        **delete([handle for handle in handles if handle != kept.message.receipt_handle]),
        kept.message.receipt_handle: refused,
    }
    for delivery in (kept, gone, fine):
        engine.resolve(delivery, Outcome.FIXED)
    engine.step()
    assert engine.queue.deleted == [fine.message_id]
    assert engine.dispositions == [Disposition.LEASE_LOST, Disposition.DELETED]
    engine.queue.delete = delete  # type: ignore[method-assign]
    engine.clock.advance(1.0)
    engine.settle_all()
    assert engine.queue.deleted == [fine.message_id, kept.message_id]


def test_a_failure_listed_under_a_handle_we_did_not_send_lets_nothing_pass_for_deleted() -> None:
    """A list of failures that cannot be matched leaves every message of the batch in doubt, none deleted."""
    engine = Engine()
    for delivery in engine.receive(2):
        engine.resolve(delivery, Outcome.FIXED)
    engine.queue.delete = lambda _handles: {"another": service_error(Throttled)}  # type: ignore[method-assign]
    engine.step()
    assert not engine.dispositions
    assert len(engine.recorder.settle_errors) == 2


def test_a_released_delivery_is_visible_after_a_second() -> None:
    """Handing back is neither success nor failure, and the message is soon there for others."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.resolve(delivery, None)
    engine.settle_all()
    assert engine.queue.hidden == [(delivery.message_id, 1)]
    assert engine.dispositions == [Disposition.RELEASED]
    assert engine.recorder.reports[0].outcome is None


def test_a_listener_that_fails_changes_nothing() -> None:
    """Telemetry that raises is counted; the message is settled all the same."""
    engine = Engine()
    engine.recorder.reports = ()  # type: ignore[assignment]  # nothing can be appended, so its report() raises
    (delivery,) = engine.receive()
    engine.resolve(delivery, Outcome.FIXED)
    engine.settle_all()
    assert engine.queue.deleted == [delivery.message_id]
    assert engine.hooks.failures == 1
    assert engine.books.balanced


def test_the_settlers_loop_settles_what_comes_and_ends_when_it_is_closed() -> None:
    """The loop carries out what workers hand over, until nothing is in flight any more."""
    engine = Engine()
    thread = threading.Thread(target=engine.settlers[Action.DELETE].run, daemon=True)
    thread.start()
    for delivery in engine.receive(3):
        engine.resolve(delivery, Outcome.FIXED)
    assert engine.in_flight.wait_until_empty(30)
    engine.settlements.close()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert len(engine.queue.deleted) == 3


def test_a_lost_delivery_keeps_no_other_from_being_copied() -> None:
    """Of several that a sender is given, each is looked at for itself."""
    engine = Engine()
    lost, good = engine.receive(2)
    for delivery in (lost, good):
        engine.resolve(delivery, Outcome.REJECTED)
    lost.lease.lose()
    engine.settlers[Action.COPY].settle(engine.settle_queues[Action.COPY].drain())
    engine.settle_all()
    assert engine.dispositions == [Disposition.LEASE_LOST, Disposition.DEAD_LETTERED]


def test_a_settler_that_hangs_is_known_by_what_it_settles() -> None:
    """Its last announcement says how many deliveries the request that nobody answers is for."""
    engine = Engine()
    for delivery in engine.receive(3):
        engine.resolve(delivery, Outcome.FIXED)
    engine.step(Action.DELETE)
    engine.clock.advance(3_600.0)
    assert engine.settlers[Action.DELETE]._heartbeat.overdue() == "settling 3"


def test_only_a_delivery_with_a_planned_copy_can_be_parked() -> None:
    """A copy without a delay would come back at once, for ever."""
    engine = Engine()
    (delivery,) = engine.receive()
    with pytest.raises(ValueError, match=r"^only a delivery that has a copy planned can be parked$"):
        engine.settlers[Action.PARK].settle([delivery])
    assert not engine.queue.sent


def test_a_report_says_how_long_settling_took_and_when_it_was_over() -> None:
    """From the ending on, by the local clock; the moment by the wall clock."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.resolve(delivery, Outcome.FIXED)
    engine.clock.advance(1.5)
    engine.settle_all()
    (report,) = engine.recorder.reports
    assert dict(report.stage_seconds)["settle"] == 1.5
    assert report.settled_at_ms == 1_700_000_000_000


def test_every_failed_settlement_is_counted_for_its_message() -> None:
    """Message, request and code: what was refused, what was given up."""
    engine = Engine()
    (delivery,) = engine.receive()
    engine.queue.before.append(service_error(PermissionMissing, "AccessDenied"))
    engine.resolve(delivery, None)
    engine.settle_all()
    assert engine.recorder.settle_errors == [
        SettleError(delivery.message_id, "hide", "AccessDenied"),
        SettleError(delivery.message_id, "hide", "given_up"),
    ]


def test_a_dead_letter_says_when_it_was_written() -> None:
    """By the wall clock."""
    engine = Engine()
    (delivery,) = engine.receive()
    copier = Copier(
        engine.shared,
        engine.dead_letters,
        DeadLetterTarget("the-queue"),
        instant_heartbeat(engine.clock),
        wall_ms=lambda: 1_700_000_000_000,
    )
    engine.resolve(delivery, Outcome.REJECTED)
    copier.step()
    assert json.loads(engine.dead_letters.bodies[0])["dead_lettered_at_ms"] == 1_700_000_000_000
