"""The end of a delivery: its lease, what is remembered of its message, the books, the report, and what followed it."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from consumer.core.observers import Hooks
from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.engine.backoff import Attempts
from consumer.engine.delivery import Delivery
from consumer.engine.in_flight import InFlight
from consumer.engine.parking import CANNOT_BE_PARKED, Parking
from consumer.engine.undeleted_limit import UndeletedLimit
from consumer.engine.unsettled import Unsettled


class Conclusions:
    """Closes deliveries whose disposition is certain; shared by all settlers."""

    def __init__(
        self,
        in_flight: InFlight,
        attempts: Attempts,
        unsettled: Unsettled,
        undeleted: UndeletedLimit,
        parking: Parking,
        hooks: Hooks,
        *,
        monotonic: Callable[[], float],
        wall_ms: Callable[[], int],
    ) -> None:
        self._in_flight = in_flight
        self._attempts = attempts
        self._unsettled = unsettled
        self._undeleted = undeleted
        self._parking = parking
        self._hooks = hooks
        self._monotonic = monotonic
        self._wall_ms = wall_ms

    def conclude(self, delivery: Delivery, disposition: Disposition) -> list[Delivery]:
        """The delivery is settled: books and report; returns its followers, each with an ending to be settled."""
        now = self._monotonic()
        lost = disposition is Disposition.LEASE_LOST
        delivery.lease.lose() if lost else delivery.lease.end()
        self._remember(delivery, disposition, now)
        delivery.stages.add("settle", now - delivery.resolved_at)
        self._in_flight.settle(disposition)
        self._hooks.report(delivery.report(disposition, self._wall_ms()))
        for follower in delivery.followers:
            follower.ending = _ending_of_follower(follower, delivery, lost=lost)
            follower.resolved_at = self._monotonic()
        return delivery.followers

    def _remember(self, delivery: Delivery, disposition: Disposition, now: float) -> None:
        match disposition:
            case Disposition.DELETED | Disposition.DEAD_LETTERED | Disposition.PARKED:
                self._attempts.forget(delivery.message_id)
                self._unsettled.forget(delivery.message_id)
                if delivery.parked_copy:
                    self._parking.worked(delivery.parked_copy)
            case Disposition.HIDDEN | Disposition.RELEASED | Disposition.LEASE_LOST:
                self._undeleted.not_deleted(now)
            case _:
                assert_never(disposition)


def _ending_of_follower(follower: Delivery, leader: Delivery, *, lost: bool) -> Ending | None:
    """A follower is superseded only by a delivery that is settled or kept; otherwise it is released.

    An older receipt of the leader's own message is neither: deleting it could delete what was just kept. And nobody
    follows a leader into the dead-letter queue whose attempts are used up by its own claim alone, or that is there only
    because it cannot be parked.
    """
    if follower.message_id == leader.message_id:
        return Ending(Outcome.LEASE_LOST, "received_again", "a later receipt of the same message was settled")
    if lost or leader.exhausted_by_claim or (leader.ending and leader.ending.reason == CANNOT_BE_PARKED):
        return None
    if follower.same_origin(leader):
        return Ending(Outcome.SUPERSEDED, "another_copy", "another copy of the same message was settled")
    return Ending(Outcome.SUPERSEDED, "newer_event", "a newer event was settled")
