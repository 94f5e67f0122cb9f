"""Delays of up to a week, retention that drops messages by itself, and properties on every call that carries them.

Limits: https://www.alibabacloud.com/help/en/mns/developer-reference/sendmessage (DelaySeconds 0 to 604,800) and
…/createqueue (MessageRetentionPeriod 60 to 604,800). Properties: aliyun-mns-sdk 1.3.0 and its `message_property`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

import pytest

from emulator.http import Response
from tests.emulator.mns.alone import XMLNS, Alone, journaled
from tests.patience import PATIENCE_SECONDS

DAY = 86_400
WEEK = 7 * DAY

PROPERTIES = (
    "<UserProperties>"
    "<PropertyValue><Name>n</Name><Value>1.5</Value><Type>NUMBER</Type></PropertyValue>"
    "<PropertyValue><Name>b</Name><Value>AP8=</Value><Type>BINARY</Type></PropertyValue>"
    "</UserProperties><SystemProperties>"
    "<SystemPropertyValue><Name>traceparent</Name><Value>00-ab-cd-01</Value><Type>STRING</Type></SystemPropertyValue>"
    "</SystemProperties>"
)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, timeout=PATIENCE_SECONDS))


def flat(response: Response) -> str:
    """The body without the white space between its elements."""
    return re.sub(r">\s+<", "><", response.body.decode())


async def let_others_run() -> None:
    """Give tasks that were woken their turn."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("seconds", [1, DAY, WEEK])
def test_a_delay_ends_when_it_should(alone: Alone, seconds: int) -> None:
    """Not a second earlier; what is delayed for as long as it is kept is never seen."""

    async def scenario() -> None:
        await alone.make_queue("q", MessageRetentionPeriod=WEEK)
        sent = await alone.send("q", "a", f"<DelaySeconds>{seconds}</DelaySeconds>")
        assert "<ReceiptHandle>" in flat(sent)
        assert "<DelayMessages>1</DelayMessages>" in flat(await alone.call("GET", "/queues/q"))
        alone.world.clock.advance(seconds - 1)
        assert (await alone.receive("q")).status == 404
        alone.world.clock.advance(1)
        assert (await alone.receive("q")).status == (404 if seconds == WEEK else 200)

    run(scenario())


def test_a_delay_of_the_queue_and_of_the_message(alone: Alone) -> None:
    """The message's own wins, 0 included; a week and a second is too long."""

    async def scenario() -> None:
        await alone.make_queue("q", DelaySeconds=WEEK)
        await alone.send("q", "now", "<DelaySeconds>0</DelaySeconds>")
        await alone.send("q", "later")
        assert "now" in flat(await alone.receive("q", "?numOfMessages=16"))
        refused = await alone.send("q", "a", f"<DelaySeconds>{WEEK + 1}</DelaySeconds>")
        assert "The value of DelaySeconds should between 0 and 604800 seconds." in flat(refused)
        message = "<Message><MessageBody>b</MessageBody><DelaySeconds>5</DelaySeconds></Message>"
        batch = f"<Messages {XMLNS}>{message}</Messages>"
        assert "<ReceiptHandle>" in flat(await alone.call("POST", "/queues/q/messages", batch))
        alone.world.clock.advance(5)
        assert "<MessageBody>b</MessageBody>" in flat(await alone.receive("q"))

    run(scenario())


def test_a_delayed_message_can_be_hurried_or_deleted(alone: Alone) -> None:
    """By the handle that its sending gave."""

    async def scenario() -> None:
        await alone.make_queue("q")
        handles = []
        for _ in range(2):
            sent = flat(await alone.send("q", "a", f"<DelaySeconds>{DAY}</DelaySeconds>"))
            handles.append(sent.partition("<ReceiptHandle>")[2].partition("<")[0])
        assert (await alone.call("DELETE", f"/queues/q/messages?ReceiptHandle={handles[0]}")).status == 204
        change = f"/queues/q/messages?ReceiptHandle={handles[1]}&VisibilityTimeout=1"
        assert (await alone.call("PUT", change)).status == 200
        alone.world.clock.advance(1)
        assert (await alone.receive("q")).status == 200

    run(scenario())


def test_retention_drops_by_itself(alone: Alone) -> None:
    """Nobody has to look: visible, hidden and delayed messages go when the clock says so, each with its entry."""

    async def scenario() -> None:
        await alone.make_queue("q", MessageRetentionPeriod=600, VisibilityTimeout=3600)
        for extra in ("", "", f"<DelaySeconds>{DAY}</DelaySeconds>"):
            await alone.send("q", "a", extra)
        await alone.receive("q")
        alone.world.clock.advance(540)  # not to the last second, for the machine's own time passes, too
        await let_others_run()
        assert journaled(alone.world, "MessageExpired") == []
        alone.world.clock.advance(61)
        await let_others_run()
        assert len(journaled(alone.world, "MessageExpired")) == 3
        counted = flat(await alone.call("GET", "/queues/q"))
        for name in ("ActiveMessages", "InactiveMessages", "DelayMessages"):
            assert f"<{name}>0</{name}>" in counted

    run(scenario())


def test_the_nearest_end_is_waited_for(alone: Alone) -> None:
    """A queue that keeps for a shorter time is not kept waiting by one that keeps for longer, nor the other way."""

    async def scenario() -> None:
        await alone.make_queue("long", MessageRetentionPeriod=600)
        await alone.make_queue("short", MessageRetentionPeriod=60)
        await alone.send("long", "a")
        await let_others_run()
        await alone.send("short", "a")
        await let_others_run()
        for seconds, expired in ((61, 1), (540, 2)):
            alone.world.clock.advance(seconds)
            await let_others_run()
            assert len(journaled(alone.world, "MessageExpired")) == expired
        await alone.send("short", "again")
        alone.world.clock.advance(61)
        await let_others_run()
        assert len(journaled(alone.world, "MessageExpired")) == 3

    run(scenario())


def test_an_expired_handle_is_no_handle(alone: Alone) -> None:
    """A message that was received and expired can neither be deleted nor kept."""

    async def scenario() -> None:
        await alone.make_queue("q", MessageRetentionPeriod=60, VisibilityTimeout=3600)
        await alone.send("q", "a")
        handle = flat(await alone.receive("q")).partition("<ReceiptHandle>")[2].partition("<")[0]
        alone.world.clock.advance(61)
        for method, extra in (("DELETE", ""), ("PUT", "&VisibilityTimeout=5")):
            answered = await alone.call(method, f"/queues/q/messages?ReceiptHandle={handle}{extra}")
            assert (answered.status, "<Code>MessageNotExist</Code>" in flat(answered)) == (404, True)

    run(scenario())


def test_properties_on_every_call(alone: Alone) -> None:
    """Sent alone, in a batch or published; received and peeked at, alone and in a batch; moved to the dead letters."""

    async def scenario() -> None:
        for name in ("q", "dead"):
            await alone.make_queue(name, VisibilityTimeout=1)
        alone.service.set_dead_letter_policy("q", "dead", 1)
        await alone.call("PUT", "/topics/t")
        subscription = (
            f"<Subscription {XMLNS}><Endpoint>acs:mns:cn-hangzhou:1:queues/q</Endpoint>"
            "<NotifyContentFormat>SIMPLIFIED</NotifyContentFormat></Subscription>"
        )
        await alone.call("PUT", "/topics/t/subscriptions/s", subscription)
        message = f"<MessageBody>a</MessageBody>{PROPERTIES}"
        for target, body in (
            ("/queues/q/messages", f"<Message {XMLNS}>{message}</Message>"),
            ("/queues/q/messages", f"<Messages {XMLNS}><Message>{message}</Message></Messages>"),
            ("/topics/t/messages", f"<Message {XMLNS}>{message}</Message>"),
        ):
            assert (await alone.call("POST", target, body)).status == 201
            for query in ("?peekonly=true", "?peekonly=true&numOfMessages=2", "?numOfMessages=2"):
                assert PROPERTIES in flat(await alone.receive("q", query))
            alone.world.clock.advance(2)
            dead = flat(await alone.receive("dead"))
            assert PROPERTIES.removesuffix("</SystemProperties>") in dead
            assert "<Name>DLQSourceArn</Name>" in dead
            await alone.call("DELETE", "/queues/dead")
            await alone.make_queue("dead", VisibilityTimeout=1)

    run(scenario())
