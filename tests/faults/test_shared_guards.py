"""Several real workers under one limit that they share: never one change more, whatever becomes of the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.replica import Replica
from tests.faults.stage import Stage, until
from tests.patience import PATIENCE_SECONDS
from tests.redis_server import RedisServer, redis_server

_BUCKETS = 120
_LIMIT = 20
_BEFORE = 5
"""Changes before the store is lost, fewer than the limit."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as started:
        started.is_new()
        yield started


def started(stage: Stage, server: RedisServer, count: int) -> list[Replica]:
    """So many workers that share a limit of 20 changes in an hour."""
    settings = {
        "REMEDIATOR__SHARED__URL": server.url,
        "REMEDIATOR__SHARED__TIMEOUT_SECONDS": "10",  # a place that is taken when nobody waits any more stays taken
        "REMEDIATOR__LIMITS__MAX_CHANGES": str(_LIMIT),
        "REMEDIATOR__LIMITS__WINDOW_SECONDS": "3600",
        "REMEDIATOR__RETRY__HOLD_SECONDS": "2",
    }
    replicas = [stage.replica(**settings) for _ in range(count)]
    for replica in replicas:
        replica.start()
    return replicas


def changed(stage: Stage) -> int:
    """How many buckets were repaired."""
    return _BUCKETS - len(stage.broken())


def held(replicas: list[Replica], reason: str) -> int:
    """How many deliveries were held for that reason, by the workers' own logs."""
    return sum(line.get("reason") == reason for replica in replicas for line in replica.lines())


@pytest.mark.parametrize("count", [2, 4])
def test_replicas_together_change_exactly_as_many_as_the_limit_allows(
    count: int, stage: Stage, server: RedisServer
) -> None:
    """120 public buckets at once under a limit of 20: 20 are repaired, each other one is held at least once."""
    replicas = started(stage, server, count)
    stage.emulator.create_buckets(count=_BUCKETS, acl="public-read")
    assert until(lambda: held(replicas, "over_limit") >= _BUCKETS - _LIMIT)
    assert until(lambda: changed(stage) == _LIMIT)
    assert [replica.stop(PATIENCE_SECONDS) for replica in replicas] == [0] * count
    assert changed(stage) == _LIMIT


def test_a_store_that_is_killed_and_comes_back_empty_permits_nothing_more(stage: Stage, server: RedisServer) -> None:
    """Down: held and not ready. Back without its memory: full, because what was changed before is not known."""
    replicas = started(stage, server, 2)
    assert until(lambda: all(replica.ready() for replica in replicas))
    stage.emulator.create_buckets(count=_BEFORE, prefix="before-", acl="public-read")
    assert until(lambda: not stage.broken())
    server.kill()
    stage.emulator.create_buckets(count=_BUCKETS, acl="public-read")
    assert until(lambda: held(replicas, "shared_unreachable") >= _BUCKETS)
    assert not any(replica.ready() for replica in replicas)
    for _ in range(2):
        before = held(replicas, "over_limit")
        server.start()
        assert until(lambda before=before: held(replicas, "over_limit") >= before + _BUCKETS)  # type: ignore[misc]
        assert changed(stage) == 0
        server.kill()
    server.start()
    assert [replica.stop(PATIENCE_SECONDS) for replica in replicas] == [0, 0]
    assert changed(stage) == 0
