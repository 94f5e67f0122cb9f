"""A consumer as somebody writes it who knows the SDK: one thread receives batches, many repair, one deletes batches.

No lease is renewed, nothing is retried, and an exception in a repair leaves its message to its visibility timeout.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from bench.peers.stock_oss import bucket_of

BATCH = 16
_LINGER_SECONDS = 0.02
"""How long a deletion waits for others; the same as the worker's default."""

_log = logging.getLogger(__name__)


class Task(NamedTuple):
    """One received message."""

    handle: str
    body: str


class QueueClient(Protocol):
    """One connection to the queue, for one thread."""

    def receive(self) -> Sequence[Task]: ...

    def delete(self, handles: Sequence[str]) -> None: ...


def serve(workers: int, connect: Callable[[], QueueClient], repair: Callable[[str], None]) -> None:
    """Serve until killed; `connect` is called once per thread that talks to the queue."""
    tasks: queue.Queue[Task] = queue.Queue(maxsize=2 * workers)
    done: queue.SimpleQueue[str] = queue.SimpleQueue()
    for _ in range(workers):
        threading.Thread(target=_work, args=(tasks, done, repair), daemon=True).start()
    threading.Thread(target=_delete, args=(connect(), done), daemon=True).start()
    _receive(connect(), tasks)


def _receive(client: QueueClient, tasks: queue.Queue[Task]) -> None:
    while True:
        for task in client.receive():
            tasks.put(task)


def _work(tasks: queue.Queue[Task], done: queue.SimpleQueue[str], repair: Callable[[str], None]) -> None:
    while True:
        task = tasks.get()
        try:
            repair(bucket_of(task.body))
        except Exception:  # noqa: BLE001 - one bad message must not end the thread
            _log.exception("left to its visibility timeout")
            continue
        done.put(task.handle)


def _delete(client: QueueClient, done: queue.SimpleQueue[str]) -> None:
    while True:
        handles = [done.get()]
        try:
            while len(handles) < BATCH:
                handles.append(done.get(timeout=_LINGER_SECONDS))
        except queue.Empty:
            pass
        client.delete(handles)
