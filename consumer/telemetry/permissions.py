"""Which RAM actions are missing, so that somebody can grant them: from the services' answers, and on what."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from consumer.core.observers import ApiCall
from consumer.resources.ram_actions import actions_of

_REFUSED = frozenset({"AccessDenied", "NoPermission"})
_WORKED = frozenset({"ok", "empty"})
_OPTIONAL = frozenset({"GetQueueAttributes", "BatchPeekMessage"})
"""Without these the worker works as well; what is not known then is shown as unknown."""

_OWN = frozenset({"mns", "config"})
"""The services that the worker itself lives on; all others are those of resources."""

_FORGOTTEN_SECONDS = 3_600.0
"""A refusal that nobody has met again for so long says nothing about now."""


class MissingActions:
    """Refusals by the services that no resource is to blame for: the queues and the evaluator.

    What a resource's service refuses is part of an open exposure, which knows when its message was let through or given
    up.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._refused_at: dict[tuple[str, str, str], float] = {}
        """By service, operation and queue: bounded by the code."""
        self._lock = threading.Lock()

    def api_call(self, call: ApiCall) -> None:
        """A refusal names what is missing; the next answer to the same request ends that."""
        if call.service not in _OWN or call.operation in _OPTIONAL:
            return
        key = (call.service, call.operation, call.queue)
        if call.code in _REFUSED:
            with self._lock:
                self._refused_at[key] = self._monotonic()
        elif call.code in _WORKED and key in self._refused_at:
            with self._lock:
                self._refused_at.pop(key, None)

    def current(self) -> Mapping[tuple[str, ...], float]:
        """1 by action and resource, in RAM's own form."""
        since = self._monotonic() - _FORGOTTEN_SECONDS
        with self._lock:
            keys = [key for key, at in self._refused_at.items() if at > since]
        return {(actions_of(*key[:2])[0], _resource(*key)): 1.0 for key in keys}


def _resource(service: str, operation: str, queue: str) -> str:
    """What the action is missing on; of a publication the address names a topic."""
    if service != "mns":
        return "*"
    kind = "topics" if operation == "PublishMessage" else "queues"
    return f"acs:mns:*:*:/{kind}/{queue or '*'}/messages"


def on_resources(action: str, account_id: str) -> tuple[str, str]:
    """Action and resource of what is missing on resources of an account: no single one, an id is never a label."""
    service, _, operation = action.partition(":")
    return actions_of(service, operation)[0], f"acs:{service}:*:{account_id}:*"
