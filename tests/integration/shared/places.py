"""Limits over a store, and how many changes find a place under them."""

from __future__ import annotations

import time

from consumer.guards.limits import Limit, Reservation
from consumer.guards.shared.limits import SharedLimits
from consumer.guards.shared.store import RECOVERY_SECONDS, Store

RULE = "public-read"


def limits(store: Store, most: int = 20, window_seconds: float = 3600.0, rule: str = RULE) -> SharedLimits:
    """A limit on one rule, under a wide one on everything."""
    rules = {rule: Limit(most, window_seconds)}
    return SharedLimits(store, Limit(1000, 3600), rules, longest_change_seconds=60.0)


def places(of: SharedLimits, count: int, rule: str = RULE) -> int:
    """How many of so many changes find a place and are made."""
    found = 0
    for _ in range(count):
        reserved = of.reserve(rule, 0.0)
        if isinstance(reserved, Reservation):
            of.conclude(reserved, time.monotonic())
            found += 1
    return found


def a_minute_passes(shared: SharedLimits) -> None:
    """In the store: what it has to wait for is over, and what has begun began earlier."""
    client, epoch = shared._store._client, shared._store.key("epoch")
    client.delete(shared._store.key("recovering"))
    if client.hexists(epoch, "begun"):
        client.hincrby(epoch, "begun", -1000 * RECOVERY_SECONDS)
