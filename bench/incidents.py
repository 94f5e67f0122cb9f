"""Measures what is no throughput: kill -9 in the middle of a backlog, an idle replica, and a start."""

from __future__ import annotations

import time

from bench.contenders import Contender, Feed, Transport
from bench.measurements import IdleResult, KillResult, StartResult
from bench.server.ledger import Track
from bench.stage import Condition, Scene, Stage
from bench.windows import settled, settled_at, wait_until

KILLED_MESSAGES = 200
VISIBILITY_SECONDS = 30
GRACE_SECONDS = 10
IDLE_SECONDS = 66.0
_SETTLE_DOWN_SECONDS = 5.0
_MEBIBYTE = 2**20


def kill(stage: Stage, contender: Contender) -> KillResult:
    """kill -9 when half of 200 messages are settled, an immediate restart, and a wait of the visibility + 10 s."""
    condition = Condition(Transport.HTTP, 0.02)
    with stage.set_up(contender, condition, backlog=KILLED_MESSAGES, lease_seconds=VISIBILITY_SECONDS) as scene:
        scene.client.start()
        while settled(contender, at_kill := scene.server.snapshot()) < KILLED_MESSAGES // 2:
            scene.client.check()
            time.sleep(0.002)
        killed_at = time.monotonic()
        scene.client.kill()
        tracks = scene.server.tracks()
        in_flight = sum(_begun(contender, track) and not settled_at(contender, track) for track in tracks)
        scene.client.start()
        end = killed_at + VISIBILITY_SECONDS + GRACE_SECONDS
        while settled(contender, scene.server.snapshot()) < KILLED_MESSAGES and time.monotonic() < end:
            scene.client.check()
            time.sleep(0.1)
        waited = time.monotonic() - killed_at
        return _killed(scene, killed_at, in_flight, settled(contender, at_kill), waited)


def _begun(contender: Contender, track: Track) -> bool:
    return bool(track.received_at if contender.feed is Feed.MNS else track.first_call_at)


def _killed(scene: Scene, killed_at: float, in_flight: int, settled_then: int, waited: float) -> KillResult:
    contender, tracks = scene.contender, scene.server.tracks()
    ends = [settled_at(contender, track) for track in tracks]
    open_ones = ends.count(0.0)
    if scene.redis is not None:
        held = scene.redis.held(scene.database)
    else:
        last = scene.server.snapshot()
        held = last.visible + last.hidden
    return KillResult(
        contender.name,
        KILLED_MESSAGES,
        settled_then,
        in_flight,
        lost=max(0, open_ones - held),
        not_back=min(open_ones, held),
        repeated=sum(track.puts > 1 for track in tracks),
        done_after_seconds=None if open_ones else max(ends) - killed_at,
        waited_seconds=waited,
        visibility_seconds=VISIBILITY_SECONDS,
    )


def idle(stage: Stage, contender: Contender, seconds: float = IDLE_SECONDS) -> IdleResult:
    """A replica with nothing to do for a while; the requests are counted between its first and its last receive.

    A window of fixed length would count one poll more or less by chance; from receive to receive it is exact.
    """
    with stage.set_up(contender, Condition(Transport.HTTP, 0.0)) as scene:
        scene.client.start()
        wait_until(scene, lambda: scene.server.snapshot().first_receive_at > 0, "the first receive")
        first = scene.server.snapshot()
        time.sleep(_SETTLE_DOWN_SECONDS)
        began, before = time.monotonic(), scene.client.usage()
        time.sleep(seconds)
        elapsed, after = time.monotonic() - began, scene.client.usage()
        last = scene.server.snapshot()
        requests = sum(last.requests.values()) - sum(first.requests.values())
        return IdleResult(
            contender.name,
            elapsed,
            requests,
            seconds_per_request=(last.last_receive_at - first.last_receive_at) / requests if requests else elapsed,
            core_share=(after.cpu_seconds - before.cpu_seconds) / elapsed,
            rss_mb=after.rss_bytes / _MEBIBYTE,
        )


def start(stage: Stage, contender: Contender) -> StartResult:
    """From the creation of the process to its first receive, as the server sees it."""
    with stage.set_up(contender, Condition(Transport.HTTP, 0.0)) as scene:
        began = time.monotonic()
        scene.client.start()
        wait_until(scene, lambda: scene.server.snapshot().first_receive_at > 0, "the first receive")
        return StartResult(contender.name, scene.server.snapshot().first_receive_at - began)
