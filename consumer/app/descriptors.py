"""File descriptors: each connection takes one, and a worker that has too few fails late and in odd places."""

from __future__ import annotations

import resource
from contextlib import suppress

from consumer.aliyun.oss.session import CONNECTIONS_PER_THREAD
from consumer.config import Config
from consumer.core.errors import ConfigurationError
from consumer.engine.settle_queue import Action

_OF_ITS_OWN = 32
"""The interpreter, the log, the journal, the health port, and look-ups of names."""
_PROBES = 16
"""So many connections to the health port at least; what is free beyond that, it uses, too."""


def needed(config: Config) -> int:
    """How many a worker of this configuration has open at once, at the most."""
    engine = config.engine
    settlers = (len(Action) + 1) * engine.settlers  # those that dead-letter have two
    queues = engine.pollers + engine.lease_threads + settlers + 2
    return _OF_ITS_OWN + _PROBES + queues + engine.workers * CONNECTIONS_PER_THREAD


def provide(config: Config) -> None:
    """Raise the process's limit as far as that is needed and allowed.

    Raises:
        ConfigurationError: not even the hard limit is enough.
    """
    wanted = needed(config)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise ConfigurationError(
                f"the process may open {hard} files (ulimit -n), and this configuration needs up to {wanted}: raise the"
                f" limit, or lower engine.workers ({CONNECTIONS_PER_THREAD} connections each)"
            )
        with suppress(ValueError, OSError):  # not allowed after all, then it is as it was
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
