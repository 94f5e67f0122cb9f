"""The five-second form: everybody drains a small backlog, and every message is accounted for. No number is judged."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench import plan
from bench.contenders import (
    CELERY_PREFORK,
    CELERY_THREADS,
    DOCUMENTED,
    DRAMATIQ,
    FLOOR,
    STOCK,
    Contender,
    Feed,
    Transport,
)
from bench.stage import Condition, Stage
from bench.windows import settled, wait_until

MESSAGES = 48

CONTENDERS = (plan.WORKER, STOCK, FLOOR, DOCUMENTED, DRAMATIQ, CELERY_THREADS, CELERY_PREFORK)
_EVERY_TRANSPORT = frozenset({plan.WORKER.name, FLOOR.name})


@dataclass(frozen=True, slots=True)
class Drained:
    """What became of one small backlog."""

    contender: str
    condition: Condition
    settled: int
    repaired_once: int
    """Buckets that were changed exactly once."""
    left: int
    """Messages still in the queue, visible or hidden."""
    seconds: float
    missing: str = ""
    """What to install, if it could not be run."""


def smoke(stage: Stage) -> list[Drained]:
    """Drain with everybody over HTTP and with some over TLS as well, two at a time: nothing is measured here."""
    http, *tls = (Condition(transport, 0.0) for transport in Transport)
    runs = [(each, http) for each in CONTENDERS]
    runs += [(each, condition) for condition in tls for each in CONTENDERS if each.name in _EVERY_TRANSPORT]
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(lambda run: _drained(stage, *run), runs))


def _drained(stage: Stage, contender: Contender, condition: Condition) -> Drained:
    if contender.missing:
        return Drained(contender.name, condition, 0, 0, 0, 0.0, contender.missing)
    began = time.monotonic()
    with stage.set_up(contender, condition, backlog=MESSAGES) as scene:
        scene.client.start()
        wait_until(scene, lambda: settled(contender, scene.server.snapshot()) >= MESSAGES, "the small backlog")
        last, tracks = scene.server.snapshot(), scene.server.tracks()
    left = last.visible + last.hidden if contender.feed is Feed.MNS else 0
    once = sum(track.puts == 1 for track in tracks)
    return Drained(contender.name, condition, settled(contender, last), once, left, time.monotonic() - began)
