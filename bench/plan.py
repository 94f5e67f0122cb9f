"""The schedule: which rows there are, who is in each, and how long each lasts.

A whole run takes twelve minutes, and up to two more for rows that are undecided: per measured window about three
seconds of starting and warming up are added to the seconds that stand here.

| row | what | windows | about |
|---|---|---|---|
| http-0 | everybody, HTTP, 0 ms | 9 x 3 x 2.5 s | 150 s |
| http-20 | the worker with several numbers of workers and its peers, HTTP, 20 ms | 9 x 3 x 2.5 s | 150 s |
| tls-0 | equal threads, TLS and a host per bucket, 0 ms; the worker over HTTP beside it | 4 x 3 x 3 s | 75 s |
| tls-20 | against the documented loop, with and without tickets, over HTTP, 20 ms | 5 x 3 x 3 s | 90 s |
| replicas | 1, 2, 4 processes of 4 workers, 20 ms | 3 x 3 x 3 s | 60 s |
| trickle | half of the capacity that was measured, 20 ms | 5 x 3 x 4 s | 125 s |
| start | process created → first receive | 5 | 8 s |
| incidents | kill -9 for four, and an idle replica beside them | 1 | 75 s |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.contenders import (
    CALLS,
    CELERY_PREFORK,
    CELERY_THREADS,
    DOCUMENTED,
    DOCUMENTED_VERIFIED,
    DRAMATIQ,
    FLOOR,
    STOCK,
    Contender,
    Transport,
    worker,
)
from bench.stage import Condition

ROUNDS = 3
MOST_ROUNDS = 12
"""Of a comparison that stays undecided, as long as the run has time for more."""
LONGEST_SECONDS = 840.0
"""After which no further round is begun."""
STARTS = 5

WORKER = worker(16)
"""At equal threads with the peers, and without a journal like them."""
WORKER_JOURNALED = worker(16, journal=True)
WORKER_SHIPPED = worker(None)
SHIPPED_JOURNALED = worker(None, journal=True)
"""What somebody runs who wants to prove what was done."""
WORKER_BUSY = worker(64)
"""With as many workers as 20 ms calls need to fill a core."""
WORKER_OVER_HTTP = worker(16, transport=Transport.HTTP)
WORKER_BUSY_OVER_HTTP = worker(64, transport=Transport.HTTP)
WORKER_BUSY_WITHOUT_TICKETS = worker(64, transport=Transport.TLS_WITHOUT_TICKETS)
REPLICAS = tuple(worker(4, slots=8, replicas=count) for count in (1, 2, 4))
"""Few workers each, so that they wait for OSS and not for the one core that they share."""

_AT_ONCE, _FAR = 0.0, 0.02


@dataclass(frozen=True, slots=True)
class Row:
    """Contenders under one condition, measured in turn, round by round."""

    name: str
    condition: Condition
    contenders: tuple[Contender, ...]
    seconds: float


BACKLOG_ROWS = (
    Row(
        "http-0",
        Condition(Transport.HTTP, _AT_ONCE),
        (
            WORKER,
            CALLS,
            STOCK,
            DRAMATIQ,
            CELERY_THREADS,
            CELERY_PREFORK,
            FLOOR,
            DOCUMENTED,
            WORKER_JOURNALED,
        ),
        2.5,
    ),
    Row(
        "http-20",
        Condition(Transport.HTTP, _FAR),
        (
            WORKER_BUSY,
            DOCUMENTED,
            WORKER_SHIPPED,
            WORKER,
            worker(128, slots=256),
            STOCK,
            DRAMATIQ,
            CELERY_THREADS,
            DOCUMENTED_VERIFIED,
        ),
        2.5,
    ),
    Row("tls-0", Condition(Transport.TLS, _AT_ONCE), (WORKER, WORKER_OVER_HTTP, STOCK, FLOOR), 3.0),
    Row(
        "tls-20",
        Condition(Transport.TLS, _FAR),
        (WORKER_BUSY, DOCUMENTED, WORKER_BUSY_WITHOUT_TICKETS, WORKER_BUSY_OVER_HTTP, WORKER_SHIPPED),
        3.0,
    ),
    Row("replicas", Condition(Transport.HTTP, _FAR), REPLICAS, 3.0),
)

TRICKLE = Row(
    "trickle",
    Condition(Transport.HTTP, _FAR),
    (WORKER_SHIPPED, STOCK, DRAMATIQ, CELERY_THREADS, SHIPPED_JOURNALED),
    4.0,
)
START = "start"
INCIDENTS = "incidents"
KILLED = (SHIPPED_JOURNALED, DRAMATIQ, CELERY_THREADS, CELERY_PREFORK)

ROW_NAMES = (*(row.name for row in BACKLOG_ROWS), TRICKLE.name, START, INCIDENTS)


def turns(row: Row, rounds: int) -> Iterator[tuple[int, Contender]]:
    """A B C C B A A B C, so that a machine that grows slower favours nobody."""
    for turn in range(1, rounds + 1):
        for contender in row.contenders if turn % 2 else reversed(row.contenders):
            yield turn, contender
