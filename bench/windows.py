"""Measures one contender once: a window over a backlog, or a steady trickle."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench import machine
from bench.contenders import Contender, Feed, Transport
from bench.figures import percentile
from bench.machine import Usage
from bench.measurements import Latency, Measurement
from bench.server.ledger import Snapshot, Track
from bench.stage import BACKLOG, Condition, Scene, Stage

_PATIENCE_SECONDS = 60.0
_WARM_MESSAGES = 300
_WARM_SECONDS = 1.0
_LOOK_SECONDS = 0.1
_NEARLY_EMPTY = 100
_TRICKLE_WARM = 32
_MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class _Moment:
    server: Snapshot
    client: Usage
    others_seconds: float


def settled(contender: Contender, snapshot: Snapshot) -> int:
    """How many messages a contender has settled by then."""
    return snapshot.deleted if contender.feed is Feed.MNS else snapshot.confirmed


def settled_at(contender: Contender, track: Track) -> float:
    """When one message was settled; 0.0 if it was not."""
    return track.deleted_at if contender.feed is Feed.MNS else track.confirmed_at


def wait_until(scene: Scene, happened: Callable[[], bool], what: str, *, seconds: float = _PATIENCE_SECONDS) -> None:
    """Wait for something while the contender lives.

    Raises:
        Failed: it ended by itself, or it took too long.
    """
    end = time.monotonic() + seconds
    while not happened():
        scene.client.check()
        if time.monotonic() > end:
            raise scene.client.failure(f"{what}: not within {seconds:.0f} s")
        time.sleep(_LOOK_SECONDS / 5)


def backlog(
    stage: Stage, row: str, contender: Contender, condition: Condition, seconds: float, turn: int
) -> Measurement:
    """Messages settled in a window of so many seconds in the middle of a backlog."""
    with stage.set_up(contender, condition) as scene:
        _begin(scene, BACKLOG)
        _warm_up(scene)
        before = _moment(stage, scene)
        end = before.server.at + seconds
        while time.monotonic() < end and settled(contender, scene.server.snapshot()) < BACKLOG - _NEARLY_EMPTY:
            time.sleep(min(_LOOK_SECONDS, max(0.0, end - time.monotonic())))
        after = _moment(stage, scene)
        scene.client.check()
    return _measured(row, contender, turn, before, after, None)


def trickle(
    stage: Stage, row: str, contender: Contender, condition: Condition, seconds: float, turn: int, per_second: float
) -> Measurement:
    """How long messages take that come evenly, once the contender waits for them."""
    count = max(20, int(seconds * per_second))
    with stage.set_up(contender, condition) as scene:
        _begin(scene, _TRICKLE_WARM)
        warm = _settles(scene, _TRICKLE_WARM)
        wait_until(scene, warm, "the first messages")
        before = _moment(stage, scene)
        enqueued = _trickled(scene, count, per_second)
        wait_until(scene, _settles(scene, _TRICKLE_WARM + count), "the trickle", seconds=seconds + _PATIENCE_SECONDS)
        after = _moment(stage, scene)
        tracks = scene.server.tracks()[_TRICKLE_WARM:]
    return _measured(row, contender, turn, before, after, _latency(contender, tracks, enqueued))


def observed_calls(stage: Stage, contender: Contender) -> tuple[str, ...]:
    """The OSS requests that a contender sends for one open bucket, in order."""
    with stage.set_up(contender, Condition(Transport.HTTP, 0.0), backlog=1) as scene:
        scene.client.start()
        wait_until(scene, _settles(scene, 1), "the one message")
        (track,) = scene.server.tracks()
        return tuple(track.operations)


def _settles(scene: Scene, count: int) -> Callable[[], bool]:
    return lambda: settled(scene.contender, scene.server.snapshot()) >= count


def _begin(scene: Scene, messages: int) -> None:
    """Start, and give it its backlog once every replica polls: what starts later must not be measured as slow.

    A poll of an empty queue lasts 30 s, so that as many polls as replicas are one of each. Redis peers find theirs
    when they come.
    """
    if scene.contender.feed is Feed.REDIS:
        scene.load(messages)
        scene.client.start()
        return
    scene.client.start()
    replicas = scene.contender.replicas
    wait_until(scene, lambda: _receives(scene.server.snapshot()) >= replicas, "the first polls")
    scene.load(messages)


def _receives(snapshot: Snapshot) -> int:
    return sum(count for operation, count in snapshot.requests.items() if operation.endswith("ReceiveMessage"))


def _warm_up(scene: Scene) -> None:
    """Until it runs: some hundred messages, or of somebody slow what a second brings."""
    wait_until(scene, _settles(scene, 1), "the first message")
    first = time.monotonic()
    enough = _settles(scene, _WARM_MESSAGES)
    wait_until(scene, lambda: enough() or time.monotonic() - first > _WARM_SECONDS, "the warm-up")


def _moment(stage: Stage, scene: Scene) -> _Moment:
    return _Moment(scene.server.snapshot(), scene.client.usage(), machine.others_seconds(stage.machine.cores))


def _trickled(scene: Scene, count: int, per_second: float) -> list[float]:
    """Send the messages; returns when each was enqueued where the server cannot know."""
    if scene.contender.feed is Feed.MNS:
        scene.server.trickle(count, per_second)
        return []
    scene.server.load(count, queued=False)
    moments: list[float] = json.loads(scene.enqueue(_TRICKLE_WARM, count, per_second))
    return moments


def _latency(contender: Contender, tracks: list[Track], enqueued: list[float]) -> Latency:
    ends = [settled_at(contender, track) for track in tracks]
    begins = enqueued or [track.enqueued_at for track in tracks]
    redis = contender.feed is Feed.REDIS
    receipts = [track.first_call_at if redis else track.received_at for track in tracks]
    waits = [(end - begin) * 1000 for end, begin in zip(ends, begins, strict=True)]
    works = [(end - receipt) * 1000 for end, receipt in zip(ends, receipts, strict=True)]
    return Latency(percentile(waits, 0.5), percentile(waits, 0.99), percentile(works, 0.5), percentile(works, 0.99))


def _measured(
    row: str, contender: Contender, turn: int, before: _Moment, after: _Moment, latency: Latency | None
) -> Measurement:
    seconds = after.server.at - before.server.at
    messages = settled(contender, after.server) - settled(contender, before.server)
    cpu_seconds = after.client.cpu_seconds - before.client.cpu_seconds
    each = max(1, messages)
    return Measurement(
        row=row,
        contender=contender.name,
        round=turn,
        seconds=seconds,
        messages=messages,
        cpu_ms_per_message=cpu_seconds * 1000 / each,
        mns_requests_per_message=_requests(before, after, "mns:") / each,
        oss_requests_per_message=_requests(before, after, "oss:") / each,
        rss_mb=after.client.rss_bytes / _MEBIBYTE,
        server_utilisation=(after.server.cpu_seconds - before.server.cpu_seconds) / seconds,
        client_utilisation=cpu_seconds / seconds,
        latency=latency,
        others_share=max(0.0, after.others_seconds - before.others_seconds) / seconds,
    )


def _requests(before: _Moment, after: _Moment, service: str) -> int:
    return sum(
        count - before.server.requests.get(operation, 0)
        for operation, count in after.server.requests.items()
        if operation.startswith(service)
    )
