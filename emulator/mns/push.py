"""Pushes published messages: how they are wrapped, and when a failed push is tried again.

Delivered to are queues and `http://` endpoints (`emulator.mns.http_push`). Subscriptions with https, mail or SMS
endpoints can be created and listed, and nothing is ever sent to them.
Source: https://www.alibabacloud.com/help/en/mns/developer-reference/notifycontentformat and …/notifystrategy.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterator

from emulator.clock import Clock
from emulator.mns.topic import ContentFormat, NotifyStrategy, Publication, Subscription, Topic
from emulator.xml import escape

_XML_HEAD = '<?xml version="1.0" encoding="utf-8"?>'
_XMLNS = "http://mns.aliyuncs.com/doc/v1/"
_JSON_ORDER = (
    "TopicOwner", "Message", "Subscriber", "PublishTime", "SubscriptionName", "MessageMD5", "TopicName", "MessageId",
    "MessageTag",
)  # fmt: skip
"""As recorded, but for the tag: the recorded message had none, so its place is assumed."""


def envelope(publication: Publication, topic: Topic, subscription: Subscription, account_id: str) -> str:
    """The body that arrives in the queue or at the HTTP endpoint."""
    fields = {
        "TopicOwner": account_id,
        "TopicName": topic.name,
        "Subscriber": account_id,
        "SubscriptionName": subscription.name,
        "MessageId": publication.message_id,
        "Message": publication.body,
        "MessageMD5": publication.body_md5,
        "MessageTag": publication.tag,
        "PublishTime": str(publication.publish_ms),
    }
    if not publication.tag:
        del fields["MessageTag"]
    match subscription.attributes.content_format:
        case ContentFormat.SIMPLIFIED:
            return publication.body
        case ContentFormat.JSON:
            ordered = {name: fields[name] for name in _JSON_ORDER if name in fields}
            return json.dumps(ordered, ensure_ascii=False, separators=(",", ":"))
        case ContentFormat.XML:
            inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
            return f'{_XML_HEAD}<Notification xmlns="{_XMLNS}">{inner}</Notification>'


def retry_delays_seconds(strategy: NotifyStrategy) -> Iterator[float]:
    """The pauses before each further attempt; afterwards the message is discarded."""
    match strategy:
        case NotifyStrategy.BACKOFF_RETRY:
            for _ in range(3):
                yield random.uniform(10, 20)  # noqa: S311 - jitter
        case NotifyStrategy.EXPONENTIAL_DECAY_RETRY:
            for attempt in range(176):
                yield 2.0 ** min(attempt, 9)


def _moments(strategy: NotifyStrategy, moment: float, *, at_once: bool) -> Iterator[float]:
    """Each counted from the planned one before, so that moving the clock far ahead makes all of them due."""
    if at_once:
        yield moment
    for delay in retry_delays_seconds(strategy):
        moment += delay
        yield moment


class Retries:
    """Repeats pushes that failed, on the emulated clock, until they succeed or are given up."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: set[asyncio.Task[None]] = set()

    def start(
        self,
        strategy: NotifyStrategy,
        attempt: Callable[[], Awaitable[bool]],
        give_up: Callable[[], None],
        *,
        at_once: bool = False,
    ) -> None:
        """Try `attempt` (`at_once` and) after each pause of the strategy until it is true; else `give_up` once."""
        moments = _moments(strategy, self._clock.now(), at_once=at_once)
        task = asyncio.get_running_loop().create_task(self._repeat(moments, attempt, give_up))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _repeat(
        self, moments: Iterator[float], attempt: Callable[[], Awaitable[bool]], give_up: Callable[[], None]
    ) -> None:
        never = asyncio.Event()
        for moment in moments:
            await self._clock.wait(never, moment)
            if await attempt():
                return
        give_up()

    def pending(self) -> int:
        """How many pushes wait for another attempt."""
        return len(self._running)

    def clear(self) -> None:
        """Forget all pushes that wait for another attempt."""
        for task in self._running:
            task.cancel()
