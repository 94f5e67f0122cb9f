"""Several events for one resource and rule, in flight at once, become one repair: the newest wins.

The worker that brings the first delivery for a resource opens its group and works on it; other workers only add theirs.
So one resource is worked on by one thread at a time, and two rules that rewrite the same setting never race. Because a
repair looks at the live resource, the newest event's repair covers every older one of its rule. Older deliveries follow
the newest: they are settled after it and only if it was settled or kept.
"""

from __future__ import annotations

import threading

from consumer.engine.delivery import Delivery


class Groups:
    """The deliveries in work by resource; shared by all workers."""

    def __init__(self) -> None:
        self._open: dict[str, list[Delivery]] = {}
        """By resource; a group whose worker is busy with its last delivery is empty, not absent."""
        self._lock = threading.Lock()

    def join(self, delivery: Delivery) -> bool:
        """Add a delivery to its group; true if that opened the group, and the caller has to work on it."""
        key = _key(delivery)
        with self._lock:
            waiting = self._open.get(key)
            if waiting is None:
                self._open[key] = [delivery]
                return True
            waiting.append(delivery)
            return False

    def newest(self, of: Delivery) -> Delivery | None:
        """Take the newest delivery out of the group that this one belongs to; None closes the group."""
        key = _key(of)
        with self._lock:
            waiting = self._open[key]
            if not waiting:
                del self._open[key]
                return None
            chosen = max(waiting, key=lambda delivery: delivery.age_order)
            waiting.remove(chosen)
            return chosen

    def covered(self, by: Delivery) -> list[Delivery]:
        """Take every delivery out of a group that this one covers, those that joined meanwhile included."""
        key = _key(by)
        with self._lock:
            waiting = self._open[key]
            covered = [delivery for delivery in waiting if by.covers(delivery)]
            self._open[key] = [delivery for delivery in waiting if not by.covers(delivery)]
            return covered


def _key(delivery: Delivery) -> str:
    """What makes two deliveries one group: the resource, in whatever region an event claims it to be."""
    if delivery.resource is None:
        raise ValueError("only a delivery with a resource has a group")
    return delivery.resource.key
