"""Messages whose settlement was given up, as their next delivery needs it. In memory, bounded, of this process.

A message whose deletion the queue refused comes back although its work is done. The resource is then looked at again
like any other, because it may have changed since; a look cannot show whether the message already stands in the
dead-letter queue, so that is remembered here. See docs/decisions/0015-settling-is-bounded.md.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from consumer.core.outcome import Ending

_REMEMBERED = 65_536
"""The longest unseen are forgotten first: they are copied once more, never lost."""


@dataclass(slots=True)
class _Known:
    times: int = 0
    copied: Ending | None = None


class Unsettled:
    """How often each message's settlement was given up, and how the one ended that is copied; shared by all threads."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def given_up(self, message_id: str) -> int:
        """One more settlement of this message was given up; returns how many there are now."""
        with self._lock:
            known = self._of(message_id)
            known.times += 1
            return known.times

    def copied(self, message_id: str, ending: Ending) -> None:
        """The message stands in the dead-letter queue with this ending; only its deletion is outstanding."""
        with self._lock:
            self._of(message_id).copied = ending

    def ending_of_copy(self, message_id: str) -> Ending | None:
        """How the message ended, if its copy stands in the dead-letter queue."""
        known = self._known.get(message_id)
        return known.copied if known else None

    def carry(self, message_id: str, copy_id: str) -> None:
        """The message goes on as a parked copy, which has been given up as often."""
        known = self._known.get(message_id)
        if known and known.times:
            with self._lock:
                self._of(copy_id).times = known.times

    def forget(self, message_id: str) -> None:
        """The message is out of the queue."""
        with self._lock:
            self._known.pop(message_id, None)

    def _of(self, message_id: str) -> _Known:
        known = self._known.pop(message_id, None) or _Known()
        self._known[message_id] = known
        if len(self._known) > self._remembered:
            self._known.popitem(last=False)
        return known
