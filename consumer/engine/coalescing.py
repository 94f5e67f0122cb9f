"""Several events for one resource and rule, in hand at once, become one repair: the newest wins.

The worker that brings the first delivery for a bucket opens a case and works on it; others only add theirs. So one
bucket is worked on by one thread at a time, and two rules that rewrite the same setting never race. Because a repair
looks at the live resource, the newest event's repair covers every older one of its rule. Older deliveries follow the
newest: they are settled after it and only if it was settled or kept.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from consumer.engine.delivery import Delivery
from consumer.engine.pipeline import Matched
from consumer.engine.timings import Stages


@dataclass(frozen=True, slots=True)
class Member:
    """One delivery of a case."""

    delivery: Delivery
    matched: Matched
    stages: Stages = field(compare=False)

    @property
    def bucket_name(self) -> str:
        """What makes two deliveries one case: bucket names are unique over all accounts and regions."""
        return self.matched.resource.name

    def covers(self, other: Member) -> bool:
        """Whether repairing for this delivery repairs for the other one too.

        The region has to be the same as well: a newer event that names a wrong one must not stand in for a true one.
        """
        return (
            self.matched.rule.name == other.matched.rule.name
            and self.matched.resource == other.matched.resource
            and self.age_order >= other.age_order
        )

    @property
    def age_order(self) -> tuple[int, int, float]:
        """Later is newer: by evaluation, then by notification; of two receipts of one message, the later receipt."""
        event = self.matched.event
        return event.evaluated_at_ms, event.notified_at_ms, self.delivery.received_at


class Cases:
    """The open cases; shared by all workers."""

    def __init__(self) -> None:
        self._open: dict[str, list[Member]] = {}
        """By bucket name; a case whose worker is busy with its last member is empty, not absent."""
        self._lock = threading.Lock()

    def join(self, member: Member) -> bool:
        """Add a delivery to its case; true if that opened the case, and the caller has to work on it."""
        with self._lock:
            members = self._open.get(member.bucket_name)
            if members is None:
                self._open[member.bucket_name] = [member]
                return True
            members.append(member)
            return False

    def newest(self, bucket_name: str) -> Member | None:
        """Take the newest delivery out of a case; None closes the case."""
        with self._lock:
            members = self._open[bucket_name]
            if not members:
                del self._open[bucket_name]
                return None
            chosen = max(members, key=lambda member: member.age_order)
            members.remove(chosen)
            return chosen

    def covered(self, by: Member) -> list[Member]:
        """Take every delivery out of a case that this one covers, those that joined meanwhile included."""
        with self._lock:
            members = self._open[by.bucket_name]
            covered = [member for member in members if by.covers(member)]
            self._open[by.bucket_name] = [member for member in members if not by.covers(member)]
            return covered
