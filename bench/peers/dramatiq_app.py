"""The repair as a dramatiq actor on Redis; run by `dramatiq bench.peers.dramatiq_app`, settings in `BENCH_SETTINGS`.

Defaults as they come: at-least-once, three weeks of retries, results kept nowhere.
"""

from __future__ import annotations

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.peers.stock_oss import StockOss
from bench.settings import Settings

_settings = Settings.load(os.environ["BENCH_SETTINGS"])
dramatiq.set_broker(RedisBroker(url=_settings.redis_url))
_actor = dramatiq.actor(StockOss(_settings).repair, actor_name="repair")


def enqueue(bucket: str) -> None:
    """Ask for the repair of one bucket."""
    _actor.send(bucket)
