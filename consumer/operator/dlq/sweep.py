"""Goes once through a whole queue; a peek would show no more than sixteen of its messages.

Every message is received, which hides it for a moment and raises its dequeue count; what is not settled is released
at the end of the `with` block, visible again after a second. A sweep is bounded by what was in the queue when it
began: what somebody puts there meanwhile, such as a letter that was redriven and failed again, is released and
never counted. So two sweeps make a safe command: the first one finds out what there is, the second one acts on that.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from consumer.aliyun.mns.queue import Queue
from consumer.core.errors import MessageGone, ServiceError
from consumer.core.message import Received
from consumer.core.parked import NOTHING, Carried
from consumer.core.queue_limits import MAX_BATCH, MAX_VISIBILITY_SECONDS
from consumer.operator.dlq.letters import Letter, read

MOST_LETTERS = 10_000
"""One sweep takes no more, so that neither its time nor its memory depends on how full the queue is."""

_WAIT_SECONDS = 1
"""A receive without a wait asks a part of the service only, and may miss what is there."""
_BACK_SECONDS = 1
_BACK_BY_NOW_SECONDS = 4.0
"""What an earlier sweep released is visible again by then."""
_LONG_SECONDS = 600
"""A letter that comes back during the sweep, because its lease ran out, is hidden for so long."""
_MOST_RETURNS = 2
_MOST_IDLE_RECEIVES = 16
"""So many receives in a row that bring nothing but new arrivals end a sweep."""


@dataclass(slots=True)
class HeldLetter:
    """A letter that nobody else gets for the moment."""

    letter: Letter
    handle: str
    until: float
    """Local monotonic seconds."""
    carried: Carried = NOTHING
    """What it carries beside its body."""


@dataclass(slots=True)
class _LetterLease:
    handle: str
    until: float


class Sweep:
    """One pass; for one thread."""

    def __init__(
        self,
        queue: Queue,
        *,
        known: frozenset[str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Sweep `queue`; with `known`, the ids that an earlier sweep has `seen`, nothing else is in the queue."""
        self._queue = queue
        self._known = known
        self._monotonic = monotonic
        self._pause = pause
        self._began = monotonic()
        self._began_by_server_ms: int | None = None
        self._leases: dict[str, _LetterLease] = {}
        self._times: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lease in self._leases.values():
            if lease.until <= self._monotonic():
                continue  # it is visible already
            try:
                self._queue.hide(lease.handle, _BACK_SECONDS)
            except ServiceError:
                continue  # it becomes visible by itself when its lease ends

    @property
    def seen(self) -> frozenset[str]:
        """The ids of all letters that this sweep has found."""
        return frozenset(self._times)

    @property
    def cut(self) -> bool:
        """Whether there may be more letters than one sweep takes."""
        return len(self._times) >= MOST_LETTERS

    def __iter__(self) -> Iterator[HeldLetter]:
        """Every letter that was in the queue at the beginning, once, as far as it is visible.

        Raises:
            ServiceError: the queue cannot be read.
        """
        return (held for held in self._deliveries() if self._times[held.letter.message_id] == 1)

    def only(self, wanted: Collection[str], seconds: float) -> Iterator[HeldLetter]:
        """These letters, each once and safe from everybody else for so long; ends as soon as all were there.

        Raises:
            ServiceError: the queue cannot be read.
        """
        missing = set(wanted)
        for held in self._deliveries() if missing else ():
            if held.letter.message_id in missing and self._keep(held, seconds):
                missing.discard(held.letter.message_id)
                yield held
            if not missing:
                return

    def delete(self, held: HeldLetter) -> None:
        """Take the letter off the queue.

        Raises:
            ServiceError: it is not known to be deleted.
        """
        failures = self._queue.delete([held.handle])
        self._leases.pop(held.letter.message_id, None)
        for failure in failures.values():
            raise failure

    def _deliveries(self) -> Iterator[HeldLetter]:
        """Every receipt of a letter that was there at the beginning, returns included as far as they are bounded."""
        idle = 0
        while idle < _MOST_IDLE_RECEIVES and not self.cut:
            requested_at = self._monotonic()
            arrived = self._queue.receive(MAX_BATCH, _WAIT_SECONDS)
            useful = [held for message in arrived if (held := self._taken(message, requested_at)) is not None]
            yield from useful
            if useful or self._still_coming_back():
                idle = 0
            elif not arrived:
                return
            else:
                idle += 1
            if not arrived:
                self._pause(_WAIT_SECONDS / 4)  # an empty answer may come before its time

    def _still_coming_back(self) -> bool:
        """Whether what an earlier sweep released may still be hidden."""
        return self._known is not None and self._monotonic() - self._began < _BACK_BY_NOW_SECONDS

    def _taken(self, message: Received, requested_at: float) -> HeldLetter | None:
        """A receipt, if it is one of a letter that counts; all others are only released."""
        name = message.message_id
        lease = _LetterLease(message.receipt_handle, requested_at + message.lease_seconds)
        self._leases[name] = lease  # the newest handle is the one that releases it
        if not self._was_there(message):
            return None
        self._times[name] += 1
        if self._times[name] > 1:
            self._hide_for_long(lease)
        if self._times[name] > 1 + _MOST_RETURNS:
            return None
        letter = read(name, message.body, message.enqueued_at_ms)
        return HeldLetter(letter, lease.handle, lease.until, message.carried)

    def _was_there(self, message: Received) -> bool:
        if message.message_id in self._times:
            return True
        if self._known is not None:
            return message.message_id in self._known
        if message.dequeue_count == 1 and self._began_by_server_ms is None:
            self._began_by_server_ms = message.first_dequeued_at_ms  # a first receipt shows the server's own time
        return self._began_by_server_ms is None or message.enqueued_at_ms <= self._began_by_server_ms

    def _hide_for_long(self, lease: _LetterLease) -> None:
        requested_at = self._monotonic()
        try:
            lease.handle = self._queue.hide(lease.handle, _LONG_SECONDS)
        except ServiceError:
            return  # it may come back once more, which is bounded
        lease.until = requested_at + _LONG_SECONDS

    def _keep(self, held: HeldLetter, seconds: float) -> bool:
        """Make sure that nobody else gets the letter for so long; false if somebody may have it by now."""
        if held.until - self._monotonic() >= seconds:
            return True
        reach = min(math.ceil(seconds) * 2, MAX_VISIBILITY_SECONDS)
        requested_at = self._monotonic()
        try:
            held.handle = self._queue.hide(held.handle, reach)
        except MessageGone:
            return False
        held.until = requested_at + reach
        self._leases[held.letter.message_id] = _LetterLease(held.handle, held.until)
        return True
