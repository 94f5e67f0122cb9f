"""Looks at the queues once before the engine starts, so that what a person has to mend is said at once and by key.

Later the same failures are retried for ever with readiness off: a worker that runs must outlive an outage, one that
has never worked must not look as if it did.
"""

from __future__ import annotations

from collections.abc import Callable

from consumer.aliyun.mns.queue import Queue
from consumer.config import Config
from consumer.core.errors import (
    NotAuthenticated,
    PermissionMissing,
    QueueMissing,
    RemediatorError,
    ServiceError,
    Unanswered,
)
from consumer.core.queue_attributes import QueueAttributes


class StartupError(RemediatorError):
    """The worker cannot start; the text names the key to change."""


def inspect_queue(queue: Queue, config: Config, key: str, say: Callable[..., None]) -> QueueAttributes | None:
    """The attributes of a configured queue, or None if we may not read them, which is allowed.

    Raises:
        StartupError: the queue cannot be used; `key` is the configuration's key that names it.
    """
    try:
        return queue.attributes()
    except PermissionMissing:
        say("startup.attributes_not_readable", queue=queue.name, missing="mns:GetQueueAttributes")
        return None
    except ServiceError as error:
        raise StartupError(_explain(error, queue.name, config, key)) from error


def _explain(error: ServiceError, name: str, config: Config, key: str) -> str:
    where = config.mns_endpoint
    match error:
        case QueueMissing():
            return f"{key}: the queue {name!r} does not exist at {where}. Create it, or change {key} or queue.region."
        case NotAuthenticated():
            return (
                f"the queue service refuses the credentials ({error.code}): check the access key or role this process"
                " runs with, account_id, and the clock of this machine."
            )
        case Unanswered():
            return (
                f"queue.endpoint: {where} cannot be reached ({error.code}). Check queue.region, account_id, or"
                " queue.endpoint if it is set, and the network's way there."
            )
        case _:
            return f"{key}: the queue {name!r} at {where} cannot be used: {error}"
