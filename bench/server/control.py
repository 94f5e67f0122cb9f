"""The port through which the benchmark fills the server and reads it: one JSON object a line, one answer a line.

It is asked between and around measurements only a few times a second, and shares the server's one thread.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bench import events
from bench.server.ledger import Ledger
from bench.server.mns import Mns
from bench.server.oss import Oss

Answer = dict[str, Any]


class Control:
    """What can be asked of the server."""

    def __init__(self, ledger: Ledger, mns: Mns, oss: Oss) -> None:
        self._ledger = ledger
        self._mns = mns
        self._oss = oss
        self._commands: dict[str, Callable[..., Answer]] = {
            "load": self.load,
            "trickle": self.trickle,
            "latency": self.latency,
            "snapshot": self.snapshot,
            "tracks": self.tracks,
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection."""
        with suppress(asyncio.CancelledError):  # the server ends while somebody is still connected
            while line := await reader.readline():
                asked = json.loads(line)
                told = self._commands[asked.pop("do")](**asked)
                writer.write(json.dumps(told).encode() + b"\n")
                await writer.drain()
        writer.close()

    def load(self, first: int, count: int, queued: bool) -> Answer:
        """Make `count` open buckets, numbered from `first`, and enqueue an event for each if `queued`."""
        for number in range(first, first + count):
            self._add(number, queued)
        return {}

    def trickle(self, first: int, count: int, per_second: float) -> Answer:
        """Make and enqueue `count` of them from now on, evenly."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        for index in range(count):
            loop.call_at(begin + index / per_second, self._add, first + index, True)
        return {}

    def latency(self, seconds: float) -> Answer:
        """How much later OSS answers from now on."""
        self._oss.latency_seconds = seconds
        return {}

    def snapshot(self) -> Answer:
        """Every counter now."""
        now = time.monotonic()
        return self._ledger.snapshot(now, *self._mns.queue.counts(now))

    def tracks(self) -> Answer:
        """The way of every bucket, one row each."""
        return {"tracks": [track.row() for track in self._ledger.tracks.values()]}

    def _add(self, number: int, queued: bool) -> None:
        bucket = f"bench-{number:06}"
        self._oss.create(bucket)
        if queued:
            self._mns.send(bucket, events.body(bucket, int(time.time() * 1000)))
        else:
            self._ledger.add(bucket, 0.0)
