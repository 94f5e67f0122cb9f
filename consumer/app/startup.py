"""What has to be true before the engine starts: credentials, and queues that can be used.

What is certain to be wrong is reported at once and by key. What may pass by itself, an outage of MNS or STS, is waited
for, because a process that ends would only be started again, later each time. Meanwhile the process is alive and not
ready, and `/readyz` says why. Later the same failures are retried for ever by the threads that meet them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from consumer.aliyun.credentials import Credentials
from consumer.aliyun.standard_chain import explained
from consumer.config import Config
from consumer.core.errors import (
    CredentialsUnavailable,
    NotAuthenticated,
    PermissionMissing,
    QueueMissing,
    RemediatorError,
    Retryable,
    ServiceError,
    Unanswered,
)
from consumer.core.queue_attributes import QueueAttributes
from consumer.engine.heartbeat import Heartbeat

_LONGEST_PAUSE_SECONDS = 30.0

Found = Mapping[str, QueueAttributes | None]
"""What each configured queue says of itself, by name; None for one that we may not ask."""


class StartupError(RemediatorError):
    """The worker cannot start; the text names the key to change."""


class InspectedQueue(Protocol):
    """The part of the queue gateway that a start needs."""

    name: str

    def attributes(self) -> QueueAttributes: ...

    def send_nothing(self) -> None: ...

    def close(self) -> None: ...


class CheckedCredentials(Protocol):
    """The part of kept credentials that a start needs."""

    def checked(self) -> Credentials: ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Why the engine has not started yet."""

    reason: str
    tries: int
    since: float


class Startup:
    """Gets one process to where its engine can start; used by the main thread, its `reason` by the health server."""

    def __init__(
        self,
        config: Config,
        credentials: CheckedCredentials,
        queue: Callable[[str], InspectedQueue],
        say: Callable[..., None],
        heartbeat: Heartbeat,
        *,
        stopping: Callable[[], bool],
        pause: Callable[[float], object],
        jitter: Callable[[float, float], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`pause` waits so many seconds, or until a stop is requested."""
        self._config = config
        self._credentials = credentials
        self._queue = queue
        self._say = say
        self._heartbeat = heartbeat
        self._stopping = stopping
        self._pause = pause
        self._jitter = jitter
        self._monotonic = monotonic
        self._waiting: _Waiting | None = None

    def reason(self) -> str:
        """Why the engine does not run yet, for readiness."""
        waiting = self._waiting
        if waiting is None:
            return "starting"
        seconds = self._monotonic() - waiting.since
        return f"waiting to start for {seconds:.0f} s, {waiting.tries} tries: {waiting.reason}"

    def overdue(self) -> str:
        """What the start was doing when it fell silent, or nothing."""
        doing = self._heartbeat.overdue()
        return f"the start fell silent while {doing}" if doing else ""

    def wait(self) -> Found | None:
        """Look until everything can be used; None when a stop was requested before that.

        Raises:
            ConfigurationError: there are no credentials, or their source refuses to give any.
            StartupError: a queue cannot be used, or what may pass has not passed within `engine.startup_wait_seconds`.
        """
        started = self._monotonic()
        tries = 0
        while not self._stopping():
            self._heartbeat.beat("looking at credentials and queues")
            try:
                return self._look()
            except (Retryable, CredentialsUnavailable) as error:
                tries += 1
                reason = self._explain(error)
                if self._overdrawn(started):
                    raise StartupError(f"{reason} (waited engine.startup_wait_seconds, {tries} tries)") from error
                self._wait(_Waiting(reason, tries, started), error)
        return None

    def _look(self) -> Found:
        try:
            self._credentials.checked()
        except CredentialsUnavailable:
            raise
        except NotAuthenticated as error:
            raise explained(error) from error
        settings = self._config.queue
        keys = {settings.name: "queue.name", settings.dead_letter_queue: "queue.dead_letter_queue"}
        found = {name: self._inspect(name, key) for name, key in keys.items() if name}
        self._say_if_nothing_can_be_parked(settings.name)
        return found

    def _inspect(self, name: str, key: str) -> QueueAttributes | None:
        queue = self._queue(name)
        try:
            return queue.attributes()
        except PermissionMissing:
            self._say("startup.attributes_not_readable", queue=name, missing="mns:GetQueueAttributes")
            return None
        except (Retryable, CredentialsUnavailable):
            raise
        except ServiceError as error:
            raise StartupError(_certain(error, name, self._config, key)) from error
        finally:
            queue.close()

    def _say_if_nothing_can_be_parked(self, name: str) -> None:
        """Say so while there is time to grant it. No start depends on this, and what waits is hidden until then."""
        queue = self._queue(name)
        try:
            queue.send_nothing()
        except PermissionMissing:
            self._say("startup.parking_not_permitted", queue=name, missing="mns:SendMessage")
        except ServiceError:
            pass  # what it asks is refused in any case; whether messages can be parked, the first of them shows
        finally:
            queue.close()

    def _overdrawn(self, started: float) -> bool:
        bound = self._config.engine.startup_wait_seconds
        return bound > 0 and self._monotonic() - started >= bound

    def _wait(self, waiting: _Waiting, error: ServiceError) -> None:
        self._waiting = waiting
        full = min(2.0 ** min(waiting.tries - 1, 10), _LONGEST_PAUSE_SECONDS)
        seconds = self._jitter(full / 2, full)
        self._say("startup.waiting", reason=waiting.reason, code=error.code, tries=waiting.tries, seconds=seconds)
        self._heartbeat.beat("waiting to try again", seconds)
        self._pause(seconds)

    def _explain(self, error: ServiceError) -> str:
        """What may pass, and what to look at if it does not."""
        if isinstance(error, CredentialsUnavailable):
            return f"{error.args[0]}"
        where = self._config.mns_endpoint
        if isinstance(error, Unanswered):
            return (
                f"queue.endpoint: {where} cannot be reached ({error.code}). Check queue.region, account_id, or"
                " queue.endpoint if it is set, and the network's way there."
            )
        return f"the queue service at {where} does not work at the moment: {error}"


def _certain(error: ServiceError, name: str, config: Config, key: str) -> str:
    """What is wrong, and what to change."""
    where = config.mns_endpoint
    match error:
        case QueueMissing():
            return f"{key}: the queue {name!r} does not exist at {where}. Create it, or change {key} or queue.region."
        case NotAuthenticated():
            return (
                f"the queue service refuses the credentials ({error.code}): check the access key or role this process"
                " runs with, account_id, and the clock of this machine."
            )
        case _:
            return f"{key}: the queue {name!r} at {where} cannot be used: {error}"
