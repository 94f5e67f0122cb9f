"""What an engine needs before it can start: credentials that are given, and queues that can be used.

One look at all of it. What is certain to be wrong is reported with the key to change; what may pass by itself is raised
as it came, for whoever waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

Found = Mapping[str, QueueAttributes | None]
"""The attributes of each configured queue, by name; None for one whose attributes may not be read."""


_REMEDIES = {
    "name_not_found": "check the region's name and the DNS that this machine asks",
    "tls": "check the CA certificates (SSL_CERT_FILE) and whether a proxy stands between; never switch TLS off",
    "refused": "check the port, and whether anything listens there",
    "timeout": "check routes, security groups and egress rules to this host",
}
_ROUTE = "check the network's way there"


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


class Prerequisites:
    """Looks at them; used by the main thread while it starts."""

    def __init__(
        self,
        config: Config,
        credentials: CheckedCredentials,
        queue: Callable[[str], InspectedQueue],
        log_event: Callable[..., None],
    ) -> None:
        self._config = config
        self._credentials = credentials
        self._queue = queue
        self._log_event = log_event

    def look(self) -> Found:
        """What each queue says of itself.

        Raises:
            Retryable: a service does not work at the moment.
            CredentialsUnavailable: the source of the credentials does not work at the moment.
            ConfigurationError: there are no credentials, or their source refuses to give any.
            StartupError: a queue cannot be used.
        """
        try:
            self._credentials.checked()
        except CredentialsUnavailable:
            raise
        except NotAuthenticated as error:
            raise explained(error) from error
        settings = self._config.queue
        keys = {settings.name: "queue.name", settings.dead_letter_queue: "queue.dead_letter_queue"}
        found = {name: self._inspect(name, key) for name, key in keys.items() if name}
        self._report_if_nothing_can_be_parked(settings.name)
        return found

    def _inspect(self, name: str, key: str) -> QueueAttributes | None:
        queue = self._queue(name)
        try:
            return queue.attributes()
        except PermissionMissing:
            self._log_event("startup.attributes_not_readable", queue=name, missing="mns:GetQueueAttributes")
            return None
        except (Retryable, CredentialsUnavailable):
            raise
        except ServiceError as error:
            raise StartupError(_certain(error, name, self._config, key)) from error
        finally:
            queue.close()

    def _report_if_nothing_can_be_parked(self, name: str) -> None:
        """Log it while there is time to grant it. No start depends on this, and what waits is hidden until then."""
        queue = self._queue(name)
        try:
            queue.send_nothing()
        except PermissionMissing:
            self._log_event("startup.parking_not_permitted", queue=name, missing="mns:SendMessage")
        except ServiceError:
            pass  # such a send is refused in any case; whether messages can be parked, the first of them shows
        finally:
            queue.close()

    def explain(self, error: ServiceError) -> str:
        """What may pass, and what to look at if it does not."""
        if isinstance(error, CredentialsUnavailable):
            return f"{error.args[0]}"
        where = self._config.mns_endpoint
        if isinstance(error, Unanswered):
            way = way_there(error.code, queue_key(self._config))
            return f"{where} cannot be reached ({error.code}): {way}"
        return f"the queue service at {where} does not work at the moment: {error}"


def queue_key(config: Config) -> str:
    """What names the host of the queues."""
    return "queue.endpoint" if config.queue.endpoint else "queue.region and account_id"


def way_there(code: str, key: str) -> str:
    """What to do where a host cannot be reached, by the word for why; `key` names the host."""
    return f"{_REMEDIES.get(code, _ROUTE)}; the key is {key}"


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
