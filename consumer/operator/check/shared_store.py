"""Whether what the replicas share about the guards answers, and keeps what it is given."""

from __future__ import annotations

from collections.abc import Iterator

from consumer.app.build import build_store
from consumer.config import Config
from consumer.core.errors import ConfigurationError, SharedUnreachable
from consumer.operator.check.findings import CheckResult, failed, ok, warning

SHARED = "shared store"

_OLDEST = (5, 0)
"""Scripts that read the service's clock before they write; https://redis.io/docs/latest/commands/time/."""


def look(config: Config) -> Iterator[CheckResult]:
    """Whether it can be used; no finding where none is configured."""
    try:
        store = build_store(config, lambda *_, **__: None)
    except ConfigurationError as error:
        yield failed(SHARED, str(error), error.remedy or "install the extra, or leave shared.url empty")
        return
    if store is None:
        return
    try:
        known = store.ping()
    except SharedUnreachable as error:
        remedy = "see shared.url, REMEDIATOR_SHARED_PASSWORD and the network; until it answers nothing is changed"
        yield failed(SHARED, f"{config.shared.url} cannot be used: {error}", remedy)
        return
    finally:
        store.close()
    version = known["redis_version"]
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < _OLDEST:
        yield failed(SHARED, f"version {version or 'unknown'} is too old", "use one that is compatible with Redis 5")
    elif known["role"] not in ("", "master"):
        remedy = "let shared.url lead to the master: what a replica takes, it forgets when it is synchronised"
        yield failed(SHARED, f"{config.shared.url} is not the master, its role is {known['role']}", remedy)
    elif known["maxmemory_policy"] not in ("", "noeviction"):
        remedy = "set maxmemory-policy to noeviction: what is evicted is forgotten, and limits begin anew"
        yield warning(SHARED, f"it evicts keys when memory is short ({known['maxmemory_policy']})", remedy)
    else:
        yield ok(SHARED, f"version {version} answers; whether it is the same for all replicas cannot be seen here")
