"""The breakers of all replicas together: the same decisions as `consumer.guards.breaker`, each of them one script.

A probe whose replica dies is forgotten after a while, so that a breaker cannot stay open for want of its result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

from consumer.core.errors import SharedUnreachable
from consumer.guards.breaker import Admission, BreakerOpen, BreakerPolicy
from consumer.guards.shared.store import Script, Store

_FORGOTTEN_MS = 7 * 86_400_000
"""Nobody has changed anything under the rule for so long: it begins anew."""

_ADMIT = Script(
    """
-- KEYS: state, suspects; ARGV: resource, cool-down in ms, longest probe in ms
local opened_at = redis.call('HGET', KEYS[1], 'opened_at')
local era = tonumber(redis.call('HGET', KEYS[1], 'era') or 0)
if not opened_at then
  return {1, era, 0}
end
if tonumber(opened_at) > now then
  opened_at = now
  redis.call('HSET', KEYS[1], 'opened_at', now)  -- the clock was set back
end
local cool_down, suspected = tonumber(ARGV[2]), redis.call('ZSCORE', KEYS[2], ARGV[1])
local turns = 1
if suspected and redis.call('HGET', KEYS[1], 'unsuspected_waits') then
  turns = 2
end
local left = tonumber(opened_at) + cool_down * turns - now
if left > 0 then
  if not suspected then
    redis.call('HSET', KEYS[1], 'unsuspected_waits', 1)
  end
  return {0, left, 0}
end
local probing_until = tonumber(redis.call('HGET', KEYS[1], 'probing_until') or 0)
if probing_until > now and probing_until <= now + tonumber(ARGV[3]) then
  return {0, cool_down, 0}
end
redis.call('HSET', KEYS[1], 'probing_until', now + tonumber(ARGV[3]))
return {1, era, 1}
"""
)

_TURN = """
local function turn(opened_at)
  if opened_at then
    for _, resource in ipairs(redis.call('SMEMBERS', KEYS[4])) do
      redis.call('ZADD', KEYS[2], now, resource)
    end
    redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - most)
    redis.call('HSET', KEYS[1], 'opened_at', opened_at)
  else
    redis.call('DEL', KEYS[2])
    redis.call('HDEL', KEYS[1], 'opened_at')
  end
  redis.call('HDEL', KEYS[1], 'unsuspected_waits', 'probing_until')
  redis.call('HINCRBY', KEYS[1], 'era', 1)
  redis.call('DEL', KEYS[3], KEYS[4])
end
"""

_RECORD = Script(
    """
-- KEYS: state, suspects, judged, failed; ARGV: resource, era, 1 for a probe, 1 failed, 0 worked or -1 says nothing,
--       most resources, fewest resources, share of failures
local most = tonumber(ARGV[5])
"""
    + _TURN
    + """
if tonumber(ARGV[2]) ~= tonumber(redis.call('HGET', KEYS[1], 'era') or 0) then
  return 0
end
local probe, failed = ARGV[3] == '1', ARGV[4]
if probe then
  redis.call('HDEL', KEYS[1], 'probing_until')
end
if failed == '-1' then
  return 0
end
redis.call('ZADD', KEYS[3], redis.call('HINCRBY', KEYS[1], 'order', 1), ARGV[1])
if failed == '1' then
  redis.call('SADD', KEYS[4], ARGV[1])
else
  redis.call('SREM', KEYS[4], ARGV[1])
end
for _, oldest in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1 - most)) do
  redis.call('ZREM', KEYS[3], oldest)
  redis.call('SREM', KEYS[4], oldest)
end
local seen = redis.call('ZCARD', KEYS[3])
if probe then
  turn(failed == '1' and now or nil)
elseif seen >= tonumber(ARGV[6]) and redis.call('SCARD', KEYS[4]) >= tonumber(ARGV[7]) * seen then
  turn(now)
end
for i = 1, 4 do
  redis.call('PEXPIRE', KEYS[i], """
    + str(_FORGOTTEN_MS)
    + """)
end
return 0
"""
)

_RELEASE = Script("local most = 0\n" + _TURN + "turn(nil)\nreturn 0\n")

_OPEN = Script(
    """
local found = {}
for i = 1, #KEYS do
  found[i] = redis.call('HEXISTS', KEYS[i], 'opened_at')
end
return found
"""
)


class SharedBreakers:
    """`consumer.guards.breaker.Breakers` over a store."""

    def __init__(self, store: Store, policy: BreakerPolicy, rules: Collection[str], *, longest_probe_seconds: float):
        self._store = store
        self._policy = policy
        self._rules = tuple(rules)
        self._longest_probe_ms = round(longest_probe_seconds * 1000)

    def admit(self, rule: str, resource: str, now: float) -> Admission | BreakerOpen:  # noqa: ARG002 - the time is the store's
        """Permission for one attempt, whose result has to be recorded.

        Raises:
            SharedUnreachable: it is not known whether the rule's changes are stopped.
        """
        arguments = [_digest(resource), round(self._policy.cool_down_seconds * 1000), self._longest_probe_ms]
        admitted, value, probe = self._store.run("admit", _ADMIT, self._keys(rule)[:2], arguments, _admitted)
        if not admitted:
            return BreakerOpen(value / 1000)
        return Admission(rule, resource, value, probe=probe)

    def record(self, admission: Admission, *, failed: bool | None, now: float) -> None:  # noqa: ARG002 - likewise
        """The result of an attempt. Never fails: an attempt that cannot be recorded says nothing."""
        policy = self._policy
        arguments = [
            _digest(admission.resource),
            admission.era,
            int(admission.probe),
            -1 if failed is None else int(failed),
            policy.attempts,
            policy.min_attempts,
            policy.max_failure_share,
        ]
        try:
            self._store.run("record", _RECORD, self._keys(admission.rule), arguments, int)
        except SharedUnreachable:
            return  # counted by the store; a lost probe is forgotten in its time

    def release(self) -> None:
        """Close every breaker of all replicas, because a person says that the cause is gone."""
        for rule in self._rules:
            try:
                self._store.run("release", _RELEASE, self._keys(rule), [], int)
            except SharedUnreachable:
                return

    def open_rules(self) -> frozenset[str] | None:
        """The rules whose changes are stopped; None while the store is out of reach."""

        def read(reply: Any) -> frozenset[str]:
            return frozenset(rule for rule, is_open in zip(self._rules, reply, strict=True) if int(is_open))

        try:
            return self._store.run("count", _OPEN, [self._keys(rule)[0] for rule in self._rules], [], read)
        except SharedUnreachable:
            return None

    def _keys(self, rule: str) -> list[str]:
        return [self._store.key("breaker", part, rule) for part in ("state", "suspects", "judged", "failed")]


def _admitted(reply: Any) -> tuple[bool, int, bool]:
    admitted, value, probe = map(int, reply)
    return bool(admitted), value, bool(probe)


def _digest(resource: str) -> str:
    return hashlib.sha256(resource.encode()).hexdigest()[:32]
