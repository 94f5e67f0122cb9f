"""Whether the directory in which replicas count fixes together is there, and lets this process write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from consumer.config import Config
from consumer.guards.shared_contest.store import prove_writable
from consumer.guards.shared_contest.time_limit import TimeLimit
from consumer.operator.check.findings import Finding, failed, ok

CONTEST = "contest directory"

_PATIENCE_SECONDS = 10.0


def look(config: Config) -> Iterator[Finding]:
    """Create and remove an empty file there; nothing is said where no directory is configured."""
    directory = config.contest.directory
    if not directory:
        return
    try:
        TimeLimit(_PATIENCE_SECONDS).run(lambda: prove_writable(Path(directory)))
    except OSError as error:
        remedy = "mount the volume that all replicas share, writable for this user; the key is contest.directory"
        yield failed(CONTEST, f"{directory} cannot be used: {error.strerror}", remedy)
    else:
        yield ok(CONTEST, f"{directory} can be written; whether it is the same for all replicas cannot be seen here")
