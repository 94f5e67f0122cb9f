"""What the control port can switch on: dead-letter policies and the abnormal-consumption throttle."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

import pytest

from emulator.http import Response
from tests.emulator.mns.alone import Alone, journaled
from tests.patience import PATIENCE_SECONDS


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, timeout=PATIENCE_SECONDS))


def handles(response: Response) -> list[str]:
    return re.findall("<ReceiptHandle>(.*?)</ReceiptHandle>", response.body.decode())


async def receive_and_let_go(alone: Alone, times: int) -> None:
    for _ in range(times):
        assert (await alone.receive("q")).status == 200
        alone.world.clock.advance(30.1)


def test_a_message_that_keeps_coming_back_is_moved(alone: Alone) -> None:
    """After its last allowed receive it lies in the dead-letter queue, marked with where it came from."""

    async def scenario() -> None:
        await alone.make_queue("q")
        await alone.make_queue("dead")
        alone.service.set_dead_letter_policy("q", "dead", 2)
        await alone.send("q", "a")
        origin = alone.service.state()["queues"]["q"]["messages"][0]
        await receive_and_let_go(alone, 2)
        state = alone.service.state()["queues"]
        (moved,) = state["dead"]["messages"]
        assert state["q"]["messages"] == []
        assert (moved["body"], moved["expires_ms"]) == ("a", origin["expires_ms"])
        marks = {mark["name"]: mark["value"] for mark in moved["system"]}
        assert marks == {
            "DLQMessageType": "Queue",
            "DLQSourceArn": f"acs:mns:cn-hangzhou:{alone.settings.account_id}:/queues/q",
            "DLQOriginMessageId": origin["id"],
        }
        (entry,) = journaled(alone.world, "MovedToDeadLetterQueue")
        assert (entry["message_id"], entry["target_message_id"]) == (origin["id"], moved["id"])

    run(scenario())


def test_a_poll_at_the_dead_letter_queue_wakes_when_a_message_is_moved(alone: Alone) -> None:
    """Nobody has to touch the source queue for that."""

    async def scenario() -> None:
        await alone.make_queue("q")
        await alone.make_queue("dead")
        alone.service.set_dead_letter_policy("q", "dead", 1)
        await alone.send("q", "a")
        await alone.receive("q")
        alone.world.clock.advance(20)
        poll = asyncio.get_running_loop().create_task(alone.receive("dead", "?waitseconds=30"))
        await alone.until_held(1)
        alone.world.clock.advance(10.1)
        assert b"<MessageBody>a</MessageBody>" in (await poll).body

    run(scenario())


def test_a_policy_counts_for_polls_that_began_before_it(alone: Alone) -> None:
    """A move that somebody at the source queue brings about wakes the poll at the target."""

    async def scenario() -> None:
        await alone.make_queue("q", VisibilityTimeout=5)
        await alone.make_queue("dead")
        poll = asyncio.get_running_loop().create_task(alone.receive("dead", "?waitseconds=30"))
        await alone.until_held(1)
        alone.service.set_dead_letter_policy("q", "dead", 1)
        await alone.send("q", "a")
        await alone.receive("q")
        alone.world.clock.advance(5.1)
        assert (await alone.receive("q")).status == 404
        assert b"<MessageBody>a</MessageBody>" in (await poll).body

    run(scenario())


def test_without_its_dead_letter_queue_a_message_stays(alone: Alone) -> None:
    """A missing target loses nothing; neither does a policy that is off again."""

    async def scenario() -> None:
        await alone.make_queue("q")
        alone.service.set_dead_letter_policy("q", "missing", 1)
        await alone.send("q", "a")
        await receive_and_let_go(alone, 3)
        alone.service.clear_dead_letter_policy("q")
        await alone.make_queue("missing")
        await receive_and_let_go(alone, 1)
        assert len(alone.service.state()["queues"]["q"]["messages"]) == 1

    run(scenario())


@pytest.mark.parametrize(("target", "count"), [("q", 3), ("dead", 0)])
def test_policies_that_make_no_sense(alone: Alone, target: str, count: int) -> None:
    """A queue is never its own dead-letter queue, and one receive is the least."""
    with pytest.raises(ValueError):
        alone.service.set_dead_letter_policy("q", target, count)


def test_receiving_without_deleting_is_throttled(alone: Alone) -> None:
    """At the limit receives are refused, until messages are deleted or the window has passed."""

    async def scenario() -> None:
        await alone.make_queue("q")
        for _ in range(8):
            await alone.send("q", "a")
        alone.service.set_consumption_throttle(max_undeleted=3, window_seconds=60)
        received = await alone.receive("q", "?numOfMessages=3")
        refused = await alone.receive("q")
        assert refused.status == 429
        assert b"<Code>TooManyRequests</Code>" in refused.body
        await alone.call("DELETE", f"/queues/q/messages?ReceiptHandle={handles(received)[0]}")
        assert (await alone.receive("q")).status == 200
        assert (await alone.receive("q")).status == 429
        alone.world.clock.advance(61)
        assert (await alone.receive("q")).status == 200

    run(scenario())


def test_switched_off_the_throttle_forgets(alone: Alone) -> None:
    """After clearing it everything can be received again."""

    async def scenario() -> None:
        await alone.make_queue("q")
        for _ in range(2):
            await alone.send("q", "a")
        alone.service.set_consumption_throttle(1, 60)
        await alone.receive("q")
        alone.service.clear_consumption_throttle()
        assert (await alone.receive("q")).status == 200

    run(scenario())


def test_expiry_is_journaled_once(alone: Alone) -> None:
    """A message whose retention ended leaves an entry with its id."""

    async def scenario() -> None:
        await alone.make_queue("q", MessageRetentionPeriod=60)
        await alone.send("q", "a")
        alone.world.clock.advance(61)
        assert (await alone.receive("q")).status == 404
        alone.service.state()
        assert len(journaled(alone.world, "MessageExpired")) == 1

    run(scenario())
