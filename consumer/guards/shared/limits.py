"""The limits of all replicas together.

A change is an entry of a sorted set whose score is the moment from which it counts no more. While it is under way that
moment lies as far ahead as any change may take, and then a window more, so that a replica that is killed in the middle
keeps its place until it is certain that the change has ended. Taking places under all limits is one script.

A store that has lost its memory counts as full until a window has passed, because what was changed before is not
known. One that was restarted with its data may lack its newest entries: every replica adds its own again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from consumer.core.errors import SharedUnreachable
from consumer.guards.limits import Limit, LimitReached, ObservedLimits, Reservation, limit_text
from consumer.guards.shared.store import Script, Store, new_id
from consumer.resources.base import Resource

_LONGEST_LINE = 10_000

_RESERVE = Script(
    """
-- KEYS: epoch, recovering, then for each window: its changes, its line of those who wait
-- ARGV: epoch as known here or '', a new epoch, entry, time under way in ms, longest line,
--       then for each window: most changes, length in ms
local epoch = redis.call('HGET', KEYS[1], 'id')
if not epoch then
  epoch = ARGV[2]
  redis.call('HSET', KEYS[1], 'id', epoch, 'begun', now)
end
if ARGV[1] ~= '' and ARGV[1] ~= epoch then
  redis.call('HSET', KEYS[1], 'forgot', 1)
end
local recovering = redis.call('PTTL', KEYS[2])
if recovering > 0 then
  return {epoch, 1, recovering}
end
local forgot = redis.call('HGET', KEYS[1], 'forgot')
local begun = tonumber(redis.call('HGET', KEYS[1], 'begun'))
local windows = (#KEYS - 2) / 2
for i = 1, windows do
  local changes, line = KEYS[1 + 2 * i], KEYS[2 + 2 * i]
  local most, length = tonumber(ARGV[4 + 2 * i]), tonumber(ARGV[5 + 2 * i])
  if forgot and now < begun + length then
    return {epoch, i, begun + length - now}
  end
  redis.call('ZREMRANGEBYSCORE', changes, '-inf', now)
  if redis.call('ZCARD', changes) >= most and not redis.call('ZSCORE', changes, ARGV[3]) then
    -- Each one that waits is given a turn of its own, else all would come back at once for a few places.
    redis.call('ZREMRANGEBYSCORE', line, '-inf', now)
    local waiting = redis.call('ZCARD', line)
    local rounds, place = math.floor(waiting / most), waiting % most
    local frees = redis.call('ZRANGE', changes, place, place, 'WITHSCORES')
    local turn = math.min(tonumber(frees[2] or now), now + length) + rounds * length
    if waiting < tonumber(ARGV[5]) then
      redis.call('ZADD', line, turn, ARGV[3])
      redis.call('PEXPIRE', line, turn - now + length)
    end
    return {epoch, i, math.max(turn - now, 0)}
  end
end
for i = 1, windows do
  local changes, length = KEYS[1 + 2 * i], tonumber(ARGV[5 + 2 * i])
  redis.call('ZADD', changes, now + tonumber(ARGV[4]) + length, ARGV[3])
  redis.call('PEXPIRE', changes, tonumber(ARGV[4]) + 2 * length)
end
return {epoch, 0, 0}
"""
)

_CONCLUDE = Script(
    """
-- KEYS: for each window its changes; ARGV: entry, 1 if the change was made, then each window's length in ms
for i = 1, #KEYS do
  if ARGV[2] == '1' then
    redis.call('ZADD', KEYS[i], 'XX', now + tonumber(ARGV[2 + i]), ARGV[1])
  else
    redis.call('ZREM', KEYS[i], ARGV[1])
  end
end
return 0
"""
)

_RESTORE = Script(
    """
-- KEYS: for each window its changes; ARGV: for each window its length in ms, then entries, each with the ms since it
-- ended, negative for one that may still be under way
for i = 1, #KEYS do
  local length, latest = tonumber(ARGV[i]), now
  for j = #KEYS + 1, #ARGV, 2 do
    local counts_until = now - tonumber(ARGV[j + 1]) + length
    if counts_until > now then
      redis.call('ZADD', KEYS[i], 'NX', counts_until, ARGV[j])
      latest = math.max(latest, counts_until)
    end
  end
  if redis.call('PTTL', KEYS[i]) < latest - now then
    redis.call('PEXPIRE', KEYS[i], latest - now + length)
  end
end
return 0
"""
)

_COUNT = Script(
    """
-- KEYS: changes of each window
local found = {}
for i = 1, #KEYS do
  found[i] = redis.call('ZCOUNT', KEYS[i], '(' .. now, '+inf')
end
return found
"""
)

_MOST_RESTORED = 1_000
"""Own changes that are remembered for a restart of the store; the newest."""


class SharedLimits:
    """`consumer.guards.limits.Limits` over a store; what observing rules rehearse stays this process's own."""

    def __init__(
        self,
        store: Store,
        overall: Limit | None = None,
        rules: Mapping[str, Limit] | None = None,
        *,
        longest_change_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._overall = overall
        self._rules = dict(rules or {})
        self._rehearsal = ObservedLimits(self._rules)
        self._under_way_ms = round(longest_change_seconds * 1000)
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._epoch = ""
        self._own: dict[str, tuple[str, float | None]] = {}
        """The newest changes of this replica: the rule, and when one ended by the local clock."""
        store.on_restart(self._restore)

    def reserve(self, rule: str, now: float) -> LimitReached | Reservation:  # noqa: ARG002 - the time is the store's
        """Take a place under every limit that binds this rule, or none and say which has no room.

        Raises:
            SharedUnreachable: it is not known whether there is room.
        """
        binding = self._binding(rule)
        entry = new_id()
        if not binding:
            return Reservation(rule, entry)
        keys = [self._store.key("epoch"), self._store.key("recovering")]
        arguments: list[object] = [self._epoch, new_id(), entry, self._under_way_ms, _LONGEST_LINE]
        for name, limit in binding:
            keys += [self._store.key("limit", name), self._store.key("line", name)]
            arguments += [limit.max_changes, round(limit.window_seconds * 1000)]
        epoch, full, wait_ms = self._store.run("reserve", _RESERVE, keys, arguments)
        self._epoch = str(epoch)
        if full:
            name, limit = binding[int(full) - 1]
            return LimitReached(limit_text(name, limit), int(wait_ms) / 1000)
        self._remember(entry, rule)
        return Reservation(rule, entry)

    def conclude(self, reservation: Reservation, now: float | None) -> None:
        """The change was made at that moment; None gives the places back. Never fails: at worst they count longer."""
        binding = self._binding(reservation.rule)
        if not binding:
            return
        self._ended(reservation, now)
        keys = [self._store.key("limit", name) for name, _ in binding]
        lengths = [round(limit.window_seconds * 1000) for _, limit in binding]
        try:
            self._store.run("conclude", _CONCLUDE, keys, [reservation.entry, int(now is not None), *lengths])
        except SharedUnreachable:
            return  # counted by the store; the place stays taken until the change is certain to have ended

    def rehearse(self, rule: str, resource: Resource, now: float) -> str:
        """For a rule that observes: which of its own limits would hold the change back, or nothing."""
        with self._lock:
            return self._rehearsal.full(rule, resource, now)

    def taken(self, now: float) -> dict[str, int]:  # noqa: ARG002 - the time is the store's
        """Changes in each window now, of all replicas; nothing while the store is out of reach."""
        names = self._names()
        try:
            counts = self._store.run("count", _COUNT, [self._store.key("limit", name) for name in names], [])
        except SharedUnreachable:
            return {}
        return {name: int(count) for name, count in zip(names, counts, strict=True)}

    def limits(self) -> dict[str, int]:
        """The most changes of each window, by the same names."""
        found = {name: limit.max_changes for name, limit in self._rules.items()}
        return found | ({"": self._overall.max_changes} if self._overall else {})

    def _names(self) -> list[str]:
        return [*self._rules, *([""] if self._overall else [])]

    def _binding(self, rule: str) -> list[tuple[str, Limit]]:
        found = [(rule, self._rules[rule])] if rule in self._rules else []
        return [*found, ("", self._overall)] if self._overall else found

    def _remember(self, entry: str, rule: str) -> None:
        with self._lock:
            self._own[entry] = (rule, None)
            while len(self._own) > _MOST_RESTORED:
                del self._own[next(iter(self._own))]

    def _ended(self, reservation: Reservation, now: float | None) -> None:
        with self._lock:
            if self._own.pop(reservation.entry, None) and now is not None:
                self._own[reservation.entry] = (reservation.rule, now)

    def _restore(self) -> None:
        """Add this replica's own changes again; an entry that is there already stays as it is."""
        now = self._monotonic()
        with self._lock:
            own = list(self._own.items())
        for rule in {rule for _, (rule, _) in own}:
            binding = self._binding(rule)
            keys = [self._store.key("limit", name) for name, _ in binding]
            arguments: list[object] = [round(limit.window_seconds * 1000) for _, limit in binding]
            for entry, (of_rule, ended_at) in own:
                if of_rule == rule:
                    age_ms = -self._under_way_ms if ended_at is None else round((now - ended_at) * 1000)
                    arguments += [entry, age_ms]
            self._store.restore(_RESTORE, keys, arguments)
