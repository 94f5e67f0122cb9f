"""Whether queue, dead-letter queue, topic and subscription are there, fit, and let us do what the worker does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from consumer.aliyun.mns.admin import Channel
from consumer.aliyun.mns.queue import Queue
from consumer.core.errors import MessageGone, NotAuthenticated, PermanentError, PermissionMissing, ServiceError
from consumer.core.queue_attributes import QueueAttributes
from consumer.operator import queue_fit
from consumer.operator.check.findings import CheckResult, failed, ok, skipped, warning
from consumer.operator.session import Session
from consumer.resources.ram_actions import actions_of

AUTHENTICATION = "authentication"
_NO_HANDLE = "1-ODU4OTkzNDU5My0wLTEtOA=="
"""A receipt handle of the right form that belongs to no message: a request with it changes nothing."""

_T = TypeVar("_T")


class _CredentialsRefused(Exception):
    """The credentials are refused."""

    def __init__(self, finding: CheckResult) -> None:
        super().__init__(finding.message)
        self.finding = finding


@dataclass(slots=True)
class _SeenSetup:
    """What has been seen so far of the way to the queue; None where it is not there or could not be read."""

    session: Session
    gateway: Channel
    topic_bytes: int | None = None
    queue: QueueAttributes | None = None
    queue_missing: bool = False
    unreadable: bool = False
    """Attributes of queues cannot be read at all, so the second queue would only say so again."""

    @property
    def provision(self) -> str:
        """What creates what is missing and adjusts what does not fit."""
        return self.session.command("provision", "--apply")


def look(session: Session) -> Iterator[CheckResult]:
    """Everything about messages; ends early when the service refuses the credentials."""
    way = _SeenSetup(session, session.channel())
    try:
        yield from _topic(way)
        yield from _queue(way)
        yield from _dead_letters(way)
        yield from _subscription(way)
        if way.queue is not None:
            queue = session.queue(session.config.queue.name)
            yield from _permissions(session, queue)
            yield _parking(session, queue)
    except _CredentialsRefused as refused:
        yield refused.finding


def route(session: Session) -> Iterator[CheckResult]:
    """Topic, queue and subscription alone: the way that an event takes."""
    way = _SeenSetup(session, session.channel())
    try:
        yield from _topic(way)
        yield from _queue(way)
        yield from _subscription(way)
    except _CredentialsRefused as refused:
        yield refused.finding


def _topic(way: _SeenSetup) -> Iterator[CheckResult]:
    name = way.session.config.topic.name
    if not name:
        yield skipped("topic", "no topic is configured", "set topic.name to have topic and subscription checked")
        return
    found = _answer(way.session, "topic", lambda: way.gateway.topic_max_message_bytes(name))
    if isinstance(found, CheckResult):
        yield found
    elif found is None:
        remedy = f"check topic.name and queue.region; {way.provision} creates it"
        yield failed("topic", f"the topic {name!r} does not exist in {way.session.config.queue.region}", remedy)
    else:
        way.topic_bytes = found
        yield from _or_ok("topic", f"{name}, up to {found} bytes", queue_fit.topic(found, way.provision))


def _queue(way: _SeenSetup) -> Iterator[CheckResult]:
    config = way.session.config
    found = _answer(way.session, "queue", lambda: way.gateway.queue(config.queue.name))
    if isinstance(found, CheckResult):
        way.unreadable = True
        yield found
    elif found is None:
        way.queue_missing = True
        text = f"the queue {config.queue.name!r} does not exist in {config.queue.region}"
        yield failed("queue", text, f"check queue.name, queue.region and account_id; {way.provision} creates it")
    else:
        way.queue = found
        text = _shown(config.queue.name, found)
        yield from _or_ok("queue", text, queue_fit.queue(config, found, way.topic_bytes, way.provision))


def _dead_letters(way: _SeenSetup) -> Iterator[CheckResult]:
    name = way.session.config.queue.dead_letter_queue
    if not name:
        text = "there is none: what cannot succeed stays in the queue until its retention drops it"
        yield warning("dead-letter queue", text, "set queue.dead_letter_queue")
        return
    if way.unreadable:
        return
    found = _answer(way.session, "dead-letter queue", lambda: way.gateway.queue(name))
    if isinstance(found, CheckResult):
        yield found
    elif found is None:
        text = f"the dead-letter queue {name!r} does not exist in {way.session.config.queue.region}"
        yield failed("dead-letter queue", text, f"check queue.dead_letter_queue; {way.provision} creates it")
    else:
        fit = queue_fit.dead_letter_queue(found, way.queue, way.provision)
        yield from _or_ok("dead-letter queue", _shown(name, found), fit)


def _subscription(way: _SeenSetup) -> Iterator[CheckResult]:
    config = way.session.config
    name = config.subscription_name
    if way.topic_bytes is None or way.queue_missing:
        return
    found = _answer(way.session, "subscription", lambda: way.gateway.subscription(config.topic.name, name))
    if isinstance(found, CheckResult):
        yield found
    elif found is None:
        text = f"the topic {config.topic.name!r} has no subscription {name!r}, so nothing reaches the queue through it"
        yield failed("subscription", text, f"check topic.subscription; {way.provision} creates it")
    else:
        text = f"{name} brings {found.content_format} to {config.queue.name}"
        yield from _or_ok("subscription", text, queue_fit.subscription(config, found, way.provision))


def _permissions(session: Session, queue: Queue) -> Iterator[CheckResult]:
    """What the worker does to a message, done to one that does not exist."""
    requests: list[Callable[[], object]] = [
        lambda: queue.hide(_NO_HANDLE, 1),
        lambda: queue.delete([_NO_HANDLE]),
    ]
    fine = True
    for request in requests:
        found = _answer(session, "queue permissions", lambda request=request: _harmless(request))  # type: ignore[misc]
        if isinstance(found, CheckResult):
            fine = False
            yield found
    if fine:
        yield ok("queue permissions", "messages may be hidden and deleted")


def _parking(session: Session, queue: Queue) -> CheckResult:
    """Whether the queue may be sent to, as far as that can be found out without sending anything."""
    check, name, policy = "parking", queue.name, session.command("ram-policy")
    try:
        queue.send_nothing()
    except NotAuthenticated as error:
        raise _refused(error) from None
    except PermissionMissing:
        text = f"mns:SendMessage on {name} is not granted: what has to wait is hidden, not parked, and may expire there"
        return warning(check, text, f"grant mns:SendMessage; {policy} prints all")
    except PermanentError as error:
        # In which order the service looks at a message and at the right to send it is not documented.
        text = f"not proven: a message without a body was refused as that ({error.code}), not as forbidden"
        return skipped(check, text, f"{policy} prints all that is needed")
    except ServiceError as error:
        return failed(check, f"it cannot be looked at: {error}", "try again; if it stays, ask with the request id")
    return warning(check, f"{name} takes a message that it has to refuse", "ask the service why")


def _harmless(request: Callable[[], object]) -> None:
    """The answer that there is no such message shows that the request is allowed."""
    try:
        request()
    except MessageGone:
        return


def _answer(session: Session, check: str, request: Callable[[], _T]) -> _T | CheckResult:
    """The answer, or the finding that stands for it.

    Raises:
        _CredentialsRefused: the credentials are refused, so no further check is possible.
    """
    try:
        return request()
    except NotAuthenticated as error:
        raise _refused(error) from None
    except PermissionMissing as error:
        action = actions_of("mns", error.operation)[-1]
        return failed(check, f"{action} is not granted", f"grant {action}; {session.command('ram-policy')} prints all")
    except ServiceError as error:
        return failed(check, f"it cannot be looked at: {error}", "try again; if it stays, ask with the request id")


def _refused(error: NotAuthenticated) -> _CredentialsRefused:
    text = f"the queue service refuses the credentials: {error.code}"
    remedy = "check the access key or role this process runs with, and account_id"
    return _CredentialsRefused(failed(AUTHENTICATION, text, remedy))


def _or_ok(check: str, text: str, found: Iterator[CheckResult]) -> Iterator[CheckResult]:
    wrong = list(found)
    yield from wrong or [ok(check, text)]


def _shown(name: str, found: QueueAttributes) -> str:
    return (
        f"{name}: hidden for {found.visibility_timeout_seconds} s, kept for {found.retention_seconds} s,"
        f" up to {found.max_message_bytes} bytes"
    )
