"""Decides whether a message that has to wait should and can be parked, and as what it is parked.

Parked, it is out of the way: sent again with a delay, confirmed, and then deleted. It counts no more as undeleted, its
retention begins anew, and its history travels with it. Hidden is what waits for a moment only, what cannot be sent
again as it came, and everything while parking does not work.

Copies must never multiply. A copy whose confirmation got lost, or whose original could not be deleted, is a duplicate
that would be parked again in its turn. So a park that does not end in a deletion interrupts parking, for longer each
time; then a single message tries it again. One original in a hundred that cannot be deleted is tolerated: hiding the
thousands that come meanwhile would cost more than one duplicate. See docs/decisions/0021-parking.md.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from consumer.core.errors import PermanentError, PermissionMissing, ServiceError, UnknownRefusal
from consumer.core.message import Received
from consumer.core.outcome import Ending
from consumer.core.queue_attributes import QueueAttributes
from consumer.core.queue_limits import MAX_DELAY_SECONDS, MAX_MESSAGE_BYTES, SHORTEST_RETENTION_SECONDS
from consumer.engine.delivery import Delivery
from consumer.engine.parked_copy import ParkedCopy, priority, properties

FIRST_PAUSE_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 1_800.0

PARKED_FOR_EACH_DUPLICATE = 100
"""So many messages have to be parked well for each original that may stay beside its copy without an interruption."""
_LAST_SHARE = 0.75
"""What cannot be parked is hidden until so much of its retention is over."""

_MOST_DUPLICATES = 10
"""So many such originals in a row at most."""

CHANGED_ON_ITS_WAY = "not_repeatable"
"""The code of a message that cannot be sent again as it came."""
TOO_LARGE = "too_large"
"""The code of a message that the queue would not take any more, for its limit was lowered."""
CANNOT_BE_PARKED = "cannot_be_parked"
"""The reason of a dead letter whose message can neither be sent again nor stay hidden any longer."""
INTERRUPTED = "interrupted"
"""The code of a message that is hidden because parking has not worked lately."""


@dataclass(frozen=True, slots=True)
class _QueueSettings:
    """The queue's own settings. What is not known of them is assumed so that no message can be lost by it."""

    retention_seconds: int | None = None
    """After which the queue drops a message; None while it is unknown."""
    max_message_bytes: int = MAX_MESSAGE_BYTES

    @property
    def longest_seconds(self) -> int:
        """Half of the retention, so that a copy has as long to be received as it waits."""
        retention_seconds = self.retention_seconds or SHORTEST_RETENTION_SECONDS
        return min(max(1, retention_seconds // 2), MAX_DELAY_SECONDS)


class Parking:
    """Whether and how messages are parked; one for the process, shared by workers, pollers and settlers."""

    def __init__(
        self,
        after_seconds: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        log_event: Callable[..., None] = lambda *_, **__: None,
    ) -> None:
        """Park what waits for longer than `after_seconds`; `log_event` takes the name of a log event and its fields."""
        self._after_seconds = after_seconds
        self._monotonic = monotonic
        self._log_event = log_event
        self._settings = _QueueSettings()
        self._learned = False
        """Whether `learn` was called before."""
        self._lock = threading.Lock()
        self._pause_seconds = 0.0
        """How long the present interruption lasts; 0 while parking works."""
        self._paused_until = 0.0
        self._trial = 0
        """How often it was interrupted."""
        self._parked_well = 0
        """Messages that were parked and deleted since then, less those that a tolerated duplicate has used up."""

    def learn(self, found: QueueAttributes | None) -> None:
        """Take over the queue's settings, at the start and at each further look; None if they may not be read."""
        before = self._settings.retention_seconds
        self._settings = _QueueSettings(found.retention_seconds, found.max_message_bytes) if found else _QueueSettings()
        now = self._settings.retention_seconds
        if now is None and (before is not None or not self._learned):
            self._log_event("parking.retention_unknown", assumed_seconds=SHORTEST_RETENTION_SECONDS)
        elif now is not None and self._learned and now != before:
            self._log_event("parking.retention_changed", seconds=now, before_seconds=before)
        self._learned = True

    @property
    def retention_seconds(self) -> int | None:
        """How long the queue keeps a message, by which all waits are bounded; None while that is unknown."""
        return self._settings.retention_seconds

    @property
    def interrupted(self) -> bool:
        """Whether parking has not worked lately, so that what waits is hidden."""
        return self._pause_seconds > 0

    def wanted(self, message: Received, received_at: float, seconds: float) -> bool:
        """Whether a message that has to wait for so long should be parked, if that can be done.

        It should also if the wait is short but would take it past half of its retention, which then begins anew.
        """
        if seconds > self._after_seconds:
            return True
        return self._age_seconds(message, received_at) + seconds > self._settings.longest_seconds

    def expires(self, message: Received, received_at: float, hidden_seconds: float) -> bool:
        """Whether a message that cannot be parked would be so near its expiry by then that it must not be hidden."""
        return (
            self._age_seconds(message, received_at) + hidden_seconds > _LAST_SHARE * 2 * self._settings.longest_seconds
        )

    def hidden_for(self, message: Received, received_at: float, seconds: float) -> float:
        """For how long at most to hide a message that should be hidden for so long: half of what it has left.

        However much is hidden, and however long that makes each wait: nothing is hidden past its retention. While that
        is unknown, no shorter wait is safer: what can be parked is, before it is as old as any queue keeps it.
        """
        if self._settings.retention_seconds is None:
            return seconds
        left_seconds = self._settings.retention_seconds - self._age_seconds(message, received_at)
        return min(seconds, max(1.0, left_seconds / 2))

    def hidden_until_tried(self, seconds: int) -> int:
        """For how long at most to hide a message that would be parked if that worked.

        While the retention is unknown, only until the next try: the message may be about to expire.
        """
        known = self._settings.retention_seconds is not None
        return seconds if known else min(seconds, round(max(self._pause_seconds, FIRST_PAUSE_SECONDS)))

    def copy(self, delivery: Delivery, ending: Ending, seconds: float) -> ParkedCopy | str:
        """The copy by which to park a message for so long, or the code of the reason why it cannot be parked now."""
        if not delivery.message.repeatable:
            return CHANGED_ON_ITS_WAY
        found = properties(delivery.message, ending, delivery.attempts, self._settings.max_message_bytes)
        if found is None:
            return TOO_LARGE
        if not self._may_try():
            return INTERRUPTED
        delay_seconds = max(1, min(round(seconds), self._settings.longest_seconds))
        return ParkedCopy(delay_seconds, found, priority(delivery.message), self._trial)

    def overtaken(self, copy: ParkedCopy) -> bool:
        """Whether parking was interrupted after this copy was planned, so that it is not to be sent any more."""
        return copy.trial != self._trial

    def worked(self, copy: ParkedCopy) -> None:
        """A message was parked as this copy, and deleted."""
        with self._lock:
            if self.overtaken(copy):
                return
            self._parked_well = min(self._parked_well + 1, _MOST_DUPLICATES * PARKED_FOR_EACH_DUPLICATE)
            resumed, self._pause_seconds = self.interrupted, 0.0
        if resumed:
            self._log_event("parking.resumed")

    def in_vain(self, copy: ParkedCopy, reason: str) -> None:
        """A message stays, or may stay, in the queue beside this copy of it: a duplicate."""
        with self._lock:
            tolerated = self._parked_well >= PARKED_FOR_EACH_DUPLICATE
            if tolerated:
                self._parked_well -= PARKED_FOR_EACH_DUPLICATE
        if not tolerated:
            self.interrupt(copy, reason)

    def refused(self, copy: ParkedCopy, error: ServiceError) -> None:
        """A copy was refused or not confirmed; a refusal of one message says nothing about others."""
        lasting = isinstance(error, PermanentError) and not isinstance(error, PermissionMissing)
        if not (lasting or (isinstance(error, UnknownRefusal) and error.status == 400)):
            self.interrupt(copy, error.code, "mns:SendMessage" if isinstance(error, PermissionMissing) else "")

    def interrupt(self, copy: ParkedCopy, reason: str, missing_action: str = "") -> None:
        """A park did not end in a deletion: hide what waits, for a while. Copies planned before that change nothing."""
        with self._lock:
            if self.overtaken(copy):
                return
            first = not self._pause_seconds
            self._pause_seconds = min(max(2 * self._pause_seconds, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
            self._paused_until = self._monotonic() + self._pause_seconds
            self._trial += 1
            self._parked_well = 0
        if first:
            missing = {"missing_action": missing_action} if missing_action else {}
            self._log_event("parking.interrupted", reason=reason, **missing)

    def _age_seconds(self, message: Received, received_at: float) -> float:
        return message.age_seconds + self._monotonic() - received_at

    def _may_try(self) -> bool:
        """Whether a message may be parked now; after a pause, one may."""
        if not self._pause_seconds:
            return True
        with self._lock:
            now = self._monotonic()
            if now < self._paused_until:
                return False
            self._paused_until = now + self._pause_seconds  # no other one until this one has ended
            return True
