"""The limits of all replicas together.

A change is an entry of a sorted set whose score is the moment from which it counts no more. While it is under way that
moment lies as far ahead as any change may take, and then a window more, so that a replica that is killed in the middle
keeps its place until it is certain that the change has ended. Taking places under all limits is one script.

Not knowing is never more changes than the limit. Whoever finds no memory in the store begins a new epoch. A replica
that has used the store before knows that it forgot: then a limit counts as full until a window has passed since. A new
replica takes it for a new store, but changes nothing for a minute, in which older ones can report it. A store that was
restarted with its data may lack its newest entries: every replica adds its own again.

The store's clock decides, and it may be set. Back, entries count for longer. Forward, they would be gone too early:
each replica compares how much time has passed with its own clock, and where the store's leapt ahead what it knows
begins anew, too.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from consumer.core.errors import SharedUnreachable
from consumer.guards.limits import Limit, LimitReached, ObservedLimits, Reservation, limit_text
from consumer.guards.shared.store import NEW_STORE, RECOVERY_SECONDS, Script, Store, new_id
from consumer.resources.base import Resource

_LONGEST_LINE = 10_000

_RESERVE = Script(
    """
-- KEYS: epoch, recovering, new store, then for each window: its changes, its line of those who wait
-- ARGV: epoch as known here or '', a new epoch, entry, time under way in ms, longest line, ms since the last use here,
--       longest recovery in ms, then for each window: most changes, length in ms
-- returns: epoch, the window that is full or 0, how long to wait, the time, 1 if it is only not known to be free
local epoch, under_way = redis.call('HGET', KEYS[1], 'id'), tonumber(ARGV[4])
if not epoch then
  epoch = ARGV[2]
  redis.call('HSET', KEYS[1], 'id', epoch, 'begun', now, 'seems_new', 1)
end
if ARGV[1] ~= '' and ARGV[1] ~= epoch then
  redis.call('HDEL', KEYS[1], 'seems_new')
end
local begun = tonumber(redis.call('HGET', KEYS[1], 'begun'))
-- Older data than what this replica used last, or a clock that was set back behind the epoch.
if begun > now or (ARGV[1] ~= '' and ARGV[1] ~= epoch and begun < now - tonumber(ARGV[6])) then
  begun = now
  redis.call('HSET', KEYS[1], 'begun', begun)
  redis.call('HDEL', KEYS[1], 'seems_new')
end
if redis.call('DEL', KEYS[3]) == 1 then
  begun = 0
  redis.call('HSET', KEYS[1], 'begun', begun)
  redis.call('DEL', KEYS[2])
end
local function unknown(window, wait)
  for i = 4, #KEYS, 2 do
    redis.call('ZREM', KEYS[i], ARGV[3])  -- of an earlier try of this, whose reply was lost
  end
  return {epoch, window, wait, now, 1}
end
local recovering = redis.call('PTTL', KEYS[2])
if recovering > tonumber(ARGV[7]) then
  redis.call('PEXPIRE', KEYS[2], ARGV[7])
end
if recovering > 0 then
  return unknown(1, math.min(recovering, tonumber(ARGV[7])))
end
local windows = (#KEYS - 3) / 2
local seems_new = redis.call('HEXISTS', KEYS[1], 'seems_new') == 1
for i = 1, windows do
  local changes, line = KEYS[2 + 2 * i], KEYS[3 + 2 * i]
  local most, length = tonumber(ARGV[6 + 2 * i]), tonumber(ARGV[7 + 2 * i])
  -- What was under way when the store forgot may have ended as late as that.
  local known_from = begun + (seems_new and tonumber(ARGV[7]) or under_way + length)
  if begun > 0 and now < known_from then
    return unknown(i, known_from - now)
  end
  redis.call('ZREMRANGEBYSCORE', changes, '-inf', now)
  -- So late no change can end: the clock was set back, and it would count until that moment comes.
  local latest = now + under_way + length
  for _, late in ipairs(redis.call('ZRANGEBYSCORE', changes, latest + under_way + length, '+inf')) do
    redis.call('ZADD', changes, latest, late)
  end
  if redis.call('ZCARD', changes) >= most and not redis.call('ZSCORE', changes, ARGV[3]) then
    -- Each one that waits is given a turn of its own, else all would come back at once for a few places.
    local longest_line = tonumber(ARGV[5])
    redis.call('ZREMRANGEBYSCORE', line, '-inf', now)
    redis.call('ZREMRANGEBYSCORE', line, now + (2 + longest_line / most) * length, '+inf')
    local waiting = redis.call('ZCARD', line)
    local rounds, place = math.floor(waiting / most), waiting % most
    local frees = redis.call('ZRANGE', changes, place, place, 'WITHSCORES')
    local turn = math.min(tonumber(frees[2] or now), now + length) + rounds * length
    if waiting < longest_line then
      redis.call('ZADD', line, turn, ARGV[3])
      redis.call('PEXPIRE', line, turn - now + length)
    end
    return {epoch, i, math.max(turn - now, 0), now, 0}
  end
end
for i = 1, windows do
  local changes, length = KEYS[2 + 2 * i], tonumber(ARGV[7 + 2 * i])
  redis.call('ZADD', changes, now + under_way + length, ARGV[3])
  redis.call('PEXPIRE', changes, under_way + 2 * length)
end
return {epoch, 0, 0, now, 0}
"""
)

_LEAPT = Script(
    """
-- KEYS: epoch, then for each window its changes; ARGV: entry, ms since the last use here
for i = 2, #KEYS do
  redis.call('ZREM', KEYS[i], ARGV[1])
end
local begun = tonumber(redis.call('HGET', KEYS[1], 'begun') or now)
if begun < now - tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], 'begun', now)
end
redis.call('HDEL', KEYS[1], 'seems_new')
return 0
"""
)
"""The store's clock leapt ahead since the last use here, and nobody has begun an epoch for that yet."""

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
-- KEYS: epoch, then changes of each window; ARGV: epoch as known here or ''
local epoch = redis.call('HGET', KEYS[1], 'id')
if epoch and ARGV[1] ~= '' and ARGV[1] ~= epoch then
  redis.call('HDEL', KEYS[1], 'seems_new')
end
local found = {}
for i = 2, #KEYS do
  found[i - 1] = redis.call('ZCOUNT', KEYS[i], '(' .. now, '+inf')
end
return found
"""
)

_DRIFT, _INEXACT_MS = 0.001, 5_000
"""By which clocks that nobody has set differ: a part of the time, and what a service for time corrects at once."""

_MOST_RESTORED = 1_000
"""Own changes that are remembered for a restart of the store; the newest."""


_UNKNOWN = "of which the shared store does not know what was changed before"


@dataclass(frozen=True, slots=True)
class Used:
    """When this replica used the store last, by both clocks."""

    at: float = 0.0
    """Before the request, by the local one."""
    store_ms: int | None = None
    """As the store had it; None before the first time."""

    def leapt(self, store_ms: int, now: float) -> bool:
        """Whether the store's clock went ahead by more than can have passed, with what two clocks may differ by."""
        if self.store_ms is None:
            return False
        passed_ms = (now - self.at) * 1000
        return store_ms - self.store_ms > passed_ms * (1 + _DRIFT) + _INEXACT_MS


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
        self._used = Used()
        self._unclear: deque[Reservation] = deque(maxlen=_MOST_RESTORED)
        """Places that may be taken for changes that were not made, because a reply was lost."""
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
        if not self._store.problem:
            self._give_back()
        used, started = self._used, self._monotonic()
        keys = [self._store.key(name) for name in ("epoch", "recovering", NEW_STORE)]
        idle_ms = round((started - used.at) * 1000)
        arguments: list[object] = [self._epoch, new_id(), entry, self._under_way_ms, _LONGEST_LINE, idle_ms]
        arguments.append(RECOVERY_SECONDS * 1000)
        for name, limit in binding:
            keys += [self._store.key("limit", name), self._store.key("line", name)]
            arguments += [limit.max_changes, round(limit.window_seconds * 1000)]
        try:
            found = self._store.run("reserve", _RESERVE, keys, arguments, lambda reply: _reserved(reply, len(binding)))
        except SharedUnreachable:
            self._unclear.append(Reservation(rule, entry))
            raise
        epoch, full, wait_ms, store_ms, unknown = found
        self._epoch, self._used = epoch, Used(started, store_ms)
        if used.leapt(store_ms, self._monotonic()):
            windows = [self._store.key("limit", name) for name, _ in binding]
            self._store.run("reserve", _LEAPT, [keys[0], *windows], [entry, idle_ms], int)
            name, limit = binding[-1]
            return LimitReached(f"{limit_text(name, limit)}, {_UNKNOWN},", limit.window_seconds)
        if full:
            name, limit = binding[full - 1]
            text = limit_text(name, limit)
            return LimitReached(f"{text}, {_UNKNOWN}," if unknown else text, wait_ms / 1000)
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
            self._store.run("conclude", _CONCLUDE, keys, [reservation.entry, int(now is not None), *lengths], int)
        except SharedUnreachable:
            if now is None:
                self._unclear.append(reservation)
            # Counted by the store; the place of a change that was made is taken until it is certain to have ended.

    def rehearse(self, rule: str, resource: Resource, now: float) -> str:
        """For a rule that observes: which of its own limits would hold the change back, or nothing."""
        with self._lock:
            return self._rehearsal.full(rule, resource, now)

    def taken(self, now: float) -> dict[str, int]:  # noqa: ARG002 - the time is the store's
        """Changes in each window now, of all replicas; nothing while the store is out of reach.

        Read for each scrape, so this is also how a replica without work says that a store has forgotten.
        """
        names = self._names()
        keys = [self._store.key("epoch"), *(self._store.key("limit", name) for name in names)]

        def read(reply: Any) -> dict[str, int]:
            return {name: int(count) for name, count in zip(names, reply, strict=True)}

        try:
            return self._store.run("count", _COUNT, keys, [self._epoch], read)
        except SharedUnreachable:
            return {}

    def limits(self) -> dict[str, int]:
        """The most changes of each window, by the same names."""
        found = {name: limit.max_changes for name, limit in self._rules.items()}
        return found | ({"": self._overall.max_changes} if self._overall else {})

    def _give_back(self) -> None:
        """Give back what could not be; what never is counts until its change would be certain to have ended."""
        for _ in range(len(self._unclear)):
            with suppress(IndexError):  # another thread was first
                self.conclude(self._unclear.popleft(), None)

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


def _reserved(reply: Any, windows: int) -> tuple[str, int, int, int, bool]:
    """The reply of `_RESERVE`: epoch, the window that is full or 0, ms to wait, the store's time, whether unknown."""
    epoch, *numbers = reply
    full, wait_ms, store_ms, unknown = map(int, numbers)
    if not 0 <= full <= windows:
        raise ValueError(f"there is no window {full}")
    return str(epoch), full, wait_ms, store_ms, bool(unknown)
