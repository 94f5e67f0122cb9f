"""The repair as a celery task on Redis; run by `celery -A bench.peers.celery_app worker`, settings in `BENCH_SETTINGS`.

Defaults as they come, which means that a task is acknowledged before it runs.
"""

from __future__ import annotations

import os

from celery import Celery

from bench.peers.stock_oss import StockOss
from bench.settings import Settings

_settings = Settings.load(os.environ["BENCH_SETTINGS"])
_oss = StockOss(_settings)
app = Celery("bench", broker=_settings.redis_url)


def _repair(bucket: str) -> None:
    _oss.repair(bucket)


_task = app.task(name="repair", ignore_result=True)(_repair)


def enqueue(bucket: str) -> None:
    """Ask for the repair of one bucket."""
    _task.delay(bucket)
