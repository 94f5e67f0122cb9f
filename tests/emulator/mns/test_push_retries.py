"""Pushes into a queue that is not there: tried again on the emulated clock, then given up."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from emulator.mns.push import retry_delays_seconds
from emulator.mns.topic import NotifyStrategy
from tests.emulator.mns.alone import XMLNS, Alone, journaled
from tests.patience import PATIENCE_SECONDS


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, timeout=PATIENCE_SECONDS))


async def subscribed(alone: Alone, strategy: str) -> None:
    """A topic `t` that pushes to a queue `q`, which does not exist."""
    await alone.call("PUT", "/topics/t")
    fields = "<Endpoint>acs:mns:cn-hangzhou:1:queues/q</Endpoint><NotifyContentFormat>SIMPLIFIED</NotifyContentFormat>"
    body = f"<Subscription {XMLNS}>{fields}<NotifyStrategy>{strategy}</NotifyStrategy></Subscription>"
    assert (await alone.call("PUT", "/topics/t/subscriptions/s", body)).status == 201


async def settled(alone: Alone, pending: int) -> None:
    """Give other tasks their turn until that many pushes wait."""
    for _ in range(10_000):
        if alone.service.state()["pushes_to_retry"] == pending:
            return
        await asyncio.sleep(0)
    raise AssertionError(alone.service.state()["pushes_to_retry"])


@pytest.mark.parametrize("strategy", list(NotifyStrategy))
def test_a_push_is_tried_again(alone: Alone, strategy: NotifyStrategy) -> None:
    """Once the queue is there, the next attempt delivers, once."""

    async def scenario() -> None:
        await subscribed(alone, strategy)
        alone.service.publish("t", "a")
        await settled(alone, 1)
        await alone.make_queue("q")
        alone.world.clock.advance(21)
        await settled(alone, 0)
        assert [message["body"] for message in alone.service.state()["queues"]["q"]["messages"]] == ["a"]
        assert journaled(alone.world, "PushDiscarded") == []

    run(scenario())


@pytest.mark.parametrize("strategy", list(NotifyStrategy))
def test_a_push_is_given_up_in_the_end(alone: Alone, strategy: NotifyStrategy) -> None:
    """After its last attempt the message is discarded, and the journal says so."""

    async def scenario() -> None:
        await subscribed(alone, strategy)
        message_id = alone.service.publish("t", "a")
        alone.world.clock.advance(2 * 86400)
        await settled(alone, 0)
        (entry,) = journaled(alone.world, "PushDiscarded")
        assert (entry["published_message_id"], entry["subscription"]) == (message_id, "s")

    run(scenario())


@pytest.mark.parametrize("target", ["/topics/t/subscriptions/s", "/topics/t"])
def test_nothing_is_pushed_for_a_subscription_that_is_gone(alone: Alone, target: str) -> None:
    """Unsubscribing, or deleting the topic, ends attempts to come."""

    async def scenario() -> None:
        await subscribed(alone, NotifyStrategy.BACKOFF_RETRY)
        alone.service.publish("t", "a")
        await settled(alone, 1)
        await alone.call("DELETE", target)
        await alone.make_queue("q")
        alone.world.clock.advance(21)
        await settled(alone, 0)
        assert alone.service.state()["queues"]["q"]["messages"] == []
        assert len(journaled(alone.world, "PushDiscarded")) == 1

    run(scenario())


def test_a_reset_forgets_pushes_to_come(alone: Alone) -> None:
    """What waited for another attempt before a reset never arrives after it."""

    async def scenario() -> None:
        await subscribed(alone, NotifyStrategy.BACKOFF_RETRY)
        alone.service.publish("t", "a")
        await asyncio.sleep(0)
        alone.service.reset()
        await alone.make_queue("q")
        alone.world.clock.advance(3600)
        await asyncio.sleep(0.01)
        assert alone.service.state()["queues"]["q"]["messages"] == []

    run(scenario())


def test_the_documented_schedules() -> None:
    """Three retries 10 to 20 seconds apart, or 176 that double up to 512 seconds, about a day in all."""
    backoff = list(retry_delays_seconds(NotifyStrategy.BACKOFF_RETRY))
    assert len(backoff) == 3
    assert all(10 <= delay <= 20 for delay in backoff)
    decay = list(retry_delays_seconds(NotifyStrategy.EXPONENTIAL_DECAY_RETRY))
    assert decay[:10] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    assert (len(decay), set(decay[9:])) == (176, {512})
