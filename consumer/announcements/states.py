"""Notices when changes are paused and when a rule's breaker opens, and when either is over: once for each change."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator

from consumer.announcements.records import Kind, StateAnnouncement


class StateWatch:
    """Compares each look with the one before; only used by the announcer's thread.

    A process that starts while changes are paused announces that: whoever started it should know.
    """

    def __init__(
        self,
        held_by: Callable[[], str],
        open_rules: Callable[[], Collection[str] | None],
        *,
        identity: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """`open_rules` gives None while that is not known, which changes nothing."""
        self._held_by = held_by
        self._open_rules = open_rules
        self._identity = identity
        self._paused = False
        self._open: frozenset[str] = frozenset()

    def look(self, now_ms: int) -> Iterator[StateAnnouncement]:
        """What has changed since the last look."""
        held_by = self._held_by()
        if bool(held_by) is not self._paused:
            self._paused = bool(held_by)
            detail = f"changes are paused by {held_by}" if held_by else "changes go on"
            yield StateAnnouncement(Kind.PAUSED, self._identity(), now_ms, bool(held_by), detail=detail)
        found = self._open_rules()
        if found is None:
            return
        for rule in sorted(self._open.symmetric_difference(found)):
            is_open = rule in found
            detail = (
                "the rule's changes are stopped, because too many of them failed"
                if is_open
                else "the rule's changes go on"
            )
            yield StateAnnouncement(Kind.BREAKER_OPEN, self._identity(), now_ms, is_open, rule, detail)
        self._open = frozenset(found)
