"""Publishes what waits, one by one, and again later where that fails. Only used by its thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from consumer.announcements.document import AnnouncementWriter, Owner
from consumer.announcements.outbox import Outbox, PublishResult
from consumer.announcements.records import Announcement
from consumer.core.errors import PermanentError, PermissionMissing, ServiceError, UnknownRefusal

OWNER_SECONDS = 20.0
"""How long owners are looked up for one announcement, which may be a digest of many."""
_LAST_OWNER_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_TOPIC_MISSING = "TopicNotExist"


class Publisher(Protocol):
    """Where announcements go; `consumer.aliyun.mns.topic` implements it."""

    def publish(self, body: str, tag: str) -> str:
        """Publish one message; returns its id.

        Raises:
            ServiceError: it is not known to be published.
        """
        ...


class Bodies:
    """Writes the bodies of messages, with owners looked up for a bounded time."""

    def __init__(
        self, writer: AnnouncementWriter, owner: Owner, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.writer = writer
        self._owner = owner
        self._monotonic = monotonic

    def of(self, announced: Announcement, *, last: bool) -> str:
        """The body; after some time no more owners are named: a long digest must not hold up the others, or a stop."""
        until = self._monotonic() + (_LAST_OWNER_SECONDS if last else OWNER_SECONDS)
        return self.writer.body(announced, lambda resource: self._owner(resource) if self._monotonic() < until else "")


class Publishing:
    """Takes out of the outbox what it has published, or what the service refuses for good."""

    def __init__(
        self,
        outbox: Outbox,
        topic: Publisher,
        bodies: Bodies,
        log_event: Callable[..., None],
        *,
        jitter: Callable[[float, float], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox = outbox
        self._topic = topic
        self._bodies = bodies
        self._log_event = log_event
        self._jitter = jitter
        self._monotonic = monotonic
        self._not_before = 0.0
        self.failures = 0
        """Tries in a row that did not work out."""

    def step(self, wait_seconds: float, *, last: bool = False) -> bool:
        """Try to publish the next one; false if there was none whose turn it was for so long."""
        if self._monotonic() < self._not_before:
            self._outbox.rest(wait_seconds)
            if self._monotonic() < self._not_before:
                return False
        announced = self._outbox.first(wait_seconds)
        if announced is None:
            return False
        self._publish(announced, last=last)
        return True

    def try_now(self) -> None:
        """Whatever has failed so far, try once more, for later there is no time."""
        self.failures, self._not_before = 0, 0.0

    def _publish(self, announced: Announcement, *, last: bool) -> None:
        try:
            self._topic.publish(self._bodies.of(announced, last=last), announced.kind.value)
        except ServiceError as error:
            self._refused(error)
        except Exception as error:  # noqa: BLE001 - a fault in an announcement must not end the process that repairs
            self._log_event("announcements.failing", code=type(error).__name__)
            self._outbox.ended(PublishResult.FAILED)
        else:
            if self.failures:
                self._log_event("announcements.recovered", after_tries=self.failures)
            self.failures, self._not_before = 0, 0.0
            self._outbox.ended(PublishResult.PUBLISHED)

    def _refused(self, error: ServiceError) -> None:
        """Try again later, unless this very message is refused for good, which would be no other with another try."""
        self.failures += 1
        if self.failures == 1:
            self._log_event("announcements.failing", code=error.code, request_id=error.request_id)
        if _is_its_own_fault(error):
            self._outbox.ended(PublishResult.FAILED)
            return
        if isinstance(error, UnknownRefusal):
            self._outbox.postpone()  # it may be this message alone, and then the others must not wait for it
        full = min(2.0 ** min(self.failures - 1, 10), _LONGEST_PAUSE_SECONDS)
        self._not_before = self._monotonic() + self._jitter(full / 2, full)


def _is_its_own_fault(error: ServiceError) -> bool:
    """Whether the service refuses this message and may take the next one: a missing grant or topic stops them all."""
    everybody = isinstance(error, PermissionMissing) or error.code == _TOPIC_MISSING
    return isinstance(error, PermanentError) and not everybody
