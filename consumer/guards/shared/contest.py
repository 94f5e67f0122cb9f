"""The contests of all replicas together: a list of fixes for each resource under each rule, and which are contested.

A fix that cannot be recorded stays a fix, for it was made and read back; this replica remembers it besides, so that it
is never worse than one that shares nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

from consumer.core.errors import SharedUnreachable
from consumer.guards.contest import ContestPolicy, LocalContest
from consumer.guards.shared.store import Script, Store, new_id
from consumer.resources.base import Resource

_MOST_CONTESTED = 10_000
"""Of one rule at once; beyond that the one whose time ends first begins anew."""

_LOOK = Script(
    """
-- KEYS: fixes, contested, released; ARGV: subject, most fixes, window in ms, most contested
local window = tonumber(ARGV[3])
local contested_until = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or 0)
if contested_until > now + window then
  contested_until = now + window
  redis.call('ZADD', KEYS[2], contested_until, ARGV[1])  -- the clock was set back
end
if contested_until > now then
  return contested_until - now
end
if contested_until > 0 then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('DEL', KEYS[1])
  return 0
end
local released = tonumber(redis.call('GET', KEYS[3]) or 0)
if released > now then
  released = now - 1  -- the clock was set back: what is fixed from now on counts
  redis.call('SET', KEYS[3], released, 'PX', window)
end
local counts_from = math.max(now - window, released)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', counts_from)
if redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[2]) then
  return 0
end
redis.call('ZADD', KEYS[2], now + window, ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[4]))
redis.call('PEXPIRE', KEYS[2], 2 * window)
return window
"""
)

_FIXED = Script(
    """
-- KEYS: fixes; ARGV: this fix, most fixes, window in ms
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[2]))
redis.call('PEXPIRE', KEYS[1], 2 * tonumber(ARGV[3]))
return 0
"""
)

_COUNT = Script(
    """
local found = {}
for i = 1, #KEYS do
  found[i] = redis.call('ZCOUNT', KEYS[i], '(' .. now, '+inf')
end
return found
"""
)

_RELEASE = Script(
    """
-- KEYS: released, then contested of each rule; ARGV: window in ms
redis.call('SET', KEYS[1], now, 'PX', ARGV[1])
for i = 2, #KEYS do
  redis.call('DEL', KEYS[i])
end
return 0
"""
)


class SharedContest:
    """`consumer.guards.contest.Contest` over a store."""

    def __init__(self, store: Store, policy: ContestPolicy, rules: Collection[str]) -> None:
        self._store = store
        self._policy = policy
        self._rules = tuple(rules)
        self._unrecorded = LocalContest(policy)

    def found_broken(self, rule: str, resource: Resource, now: float) -> float:
        """Seconds for which the resource is left alone because it is contested; 0 if it may be fixed.

        Raises:
            SharedUnreachable: it is not known.
        """
        subject = _subject(resource)
        keys = [self._fixes(rule, subject), self._contested(rule), self._store.key("released")]
        arguments = [subject, self._policy.max_fixes, self._window_ms, _MOST_CONTESTED]
        left_ms = self._store.run("contest", _LOOK, keys, arguments, int)
        return max(left_ms / 1000, self._unrecorded.found_broken(rule, resource, now))

    def fixed(self, rule: str, resource: Resource, now: float) -> None:
        """We have fixed it and have read the fix back. Never fails."""
        keys = [self._fixes(rule, _subject(resource))]
        try:
            self._store.run("record", _FIXED, keys, [new_id(), self._policy.max_fixes, self._window_ms], int)
        except SharedUnreachable:
            self._unrecorded.fixed(rule, resource, now)

    def contested(self, now: float) -> dict[str, int]:
        """How many resources are contested now, by rule; those that only this replica knows of while it is down."""
        keys = [self._contested(rule) for rule in self._rules]

        def read(reply: Any) -> dict[str, int]:
            return {rule: int(count) for rule, count in zip(self._rules, reply, strict=True) if int(count)}

        try:
            return self._store.run("count", _COUNT, keys, [], read)
        except SharedUnreachable:
            return self._unrecorded.contested(now)

    def release(self) -> None:
        """Forget every contest of all replicas."""
        self._unrecorded.release()
        keys = [self._store.key("released"), *(self._contested(rule) for rule in self._rules)]
        try:
            self._store.run("release", _RELEASE, keys, [self._window_ms], int)
        except SharedUnreachable:
            return  # counted by the store

    @property
    def _window_ms(self) -> int:
        return round(self._policy.window_seconds * 1000)

    def _fixes(self, rule: str, subject: str) -> str:
        return self._store.key("fixes", rule, subject)

    def _contested(self, rule: str) -> str:
        return self._store.key("contested", rule)


def _subject(resource: Resource) -> str:
    """The resource as keys have it: nothing that came in a message gets into one.

    Earlier releases left the type out; what they have recorded is forgotten with its window.
    """
    parts = (resource.resource_type, resource.account_id, resource.region, resource.resource_id)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
