"""Several events for one resource and rule, in hand at once, become one repair: the newest wins.

The worker that brings the first opens a case and works on it; others only add their delivery. Because a repair looks
at the live resource, the newest event's repair covers every older one. Older deliveries follow the newest: they are
settled after it and only if it was settled or kept.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from consumer.bucket import Resource
from consumer.delivery import Delivery
from consumer.pipeline import Matched
from consumer.stages import Stages


@dataclass(frozen=True, slots=True)
class Member:
    """One delivery of a case."""

    delivery: Delivery
    matched: Matched
    stages: Stages = field(compare=False)

    @property
    def key(self) -> tuple[str, Resource]:
        """What makes two deliveries one case."""
        return self.matched.rule.name, self.matched.resource

    @property
    def age_order(self) -> tuple[int, int, float]:
        """Later is newer: by evaluation, then by notification; of two receipts of one message, the later receipt."""
        event = self.matched.event
        return event.evaluated_at_ms, event.notified_at_ms, self.delivery.received_at


class Cases:
    """The open cases; shared by all workers."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, Resource], list[Member]] = {}
        self._lock = threading.Lock()

    def join(self, member: Member) -> bool:
        """Add a delivery to its case; true if that opened the case, and the caller has to work on it."""
        with self._lock:
            members = self._open.get(member.key)
            if members is None:
                self._open[member.key] = [member]
                return True
            members.append(member)
            return False

    def newest(self, key: tuple[str, Resource]) -> Member | None:
        """Take the newest delivery out of a case; None closes the case."""
        with self._lock:
            members = self._open[key]
            if not members:
                del self._open[key]
                return None
            chosen = max(members, key=lambda member: member.age_order)
            members.remove(chosen)
            return chosen

    def older(self, than: Member) -> list[Member]:
        """Take every delivery out of a case that is not newer, those that joined meanwhile included."""
        with self._lock:
            members = self._open[than.key]
            older = [member for member in members if member.age_order <= than.age_order]
            self._open[than.key] = [member for member in members if member.age_order > than.age_order]
            return older
