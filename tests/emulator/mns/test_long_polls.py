"""Long polls: what ends them, whose turn it is, and what happens when a client leaves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

import pytest

from emulator.faults import Fault, Kind
from emulator.http import Response
from tests.emulator.mns.alone import Alone, journaled
from tests.patience import PATIENCE_SECONDS


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a scenario; a poll that never ends fails it instead of hanging."""
    asyncio.run(asyncio.wait_for(scenario, timeout=PATIENCE_SECONDS))


def bodies(response: Response) -> list[str]:
    return re.findall("<MessageBody>(.*?)</MessageBody>", response.body.decode())


def error(response: Response) -> str:
    found = re.search("<Code>(.*?)</Code>", response.body.decode())
    return found[1] if found else ""


def polling(alone: Alone, query: str = "?waitseconds=30") -> asyncio.Task[Response]:
    return asyncio.get_running_loop().create_task(alone.receive("q", query))


def test_an_arriving_message_ends_the_poll(alone: Alone) -> None:
    """The answer comes with the message, not with the end of the wait."""

    async def scenario() -> None:
        await alone.make_queue("q")
        poll = polling(alone)
        await alone.until_held(1)
        await alone.send("q", "a")
        assert bodies(await poll) == ["a"]
        assert alone.held() == 0

    run(scenario())


def test_the_end_of_the_wait_is_message_not_exist(alone: Alone) -> None:
    """A poll that found nothing is answered 404 when its time is over, and not before."""

    async def scenario() -> None:
        await alone.make_queue("q")
        poll = polling(alone, "?waitseconds=30")
        await alone.until_held(1)
        alone.world.clock.advance(9)  # far from thirty, for the machine's own time passes, too
        await asyncio.sleep(0.01)
        assert not poll.done()
        alone.world.clock.advance(21.1)
        response = await poll
        assert (response.status, error(response)) == (404, "MessageNotExist")

    run(scenario())


@pytest.mark.parametrize("extra", ["", "<DelaySeconds>5</DelaySeconds>"])
def test_a_message_that_becomes_visible_ends_the_poll(alone: Alone, extra: str) -> None:
    """A hidden or a delayed message wakes the poll at its moment, without anybody sending."""

    async def scenario() -> None:
        await alone.make_queue("q", VisibilityTimeout=5)
        await alone.send("q", "a", extra)
        if not extra:
            await alone.receive("q")
        poll = polling(alone)
        await alone.until_held(1)
        alone.world.clock.advance(5.1)
        assert bodies(await poll) == ["a"]

    run(scenario())


def test_a_message_handed_back_early_ends_the_poll(alone: Alone) -> None:
    """Shortening a visibility timeout counts for polls that began before."""

    async def scenario() -> None:
        await alone.make_queue("q", VisibilityTimeout=600)
        await alone.send("q", "a")
        received = await alone.receive("q")
        handle = re.search("<ReceiptHandle>(.*?)<", received.body.decode())
        assert handle
        poll = polling(alone)
        await alone.until_held(1)
        await alone.call("PUT", f"/queues/q/messages?receiptHandle={handle[1]}&visibilityTimeout=2")
        alone.world.clock.advance(2.1)
        assert bodies(await poll) == ["a"]

    run(scenario())


def test_polls_are_served_in_the_order_they_came(alone: Alone) -> None:
    """The first message goes to the first poll, the second to the second."""

    async def scenario() -> None:
        await alone.make_queue("q")
        polls = []
        for held in range(1, 4):
            polls.append(polling(alone))
            await alone.until_held(held)
        for body in "abc":
            await alone.send("q", body)
        assert [bodies(await poll) for poll in polls] == [["a"], ["b"], ["c"]]

    run(scenario())


def test_a_newcomer_does_not_overtake_who_waits(alone: Alone) -> None:
    """A poll that comes between the arrival and the waking of the first one stands behind it."""

    async def scenario() -> None:
        await alone.make_queue("q")
        first = polling(alone)
        await alone.until_held(1)
        await alone.send("q", "a")
        newcomer = polling(alone)
        assert bodies(await first) == ["a"]
        assert not newcomer.done()
        await alone.send("q", "b")
        assert bodies(await newcomer) == ["b"]

    run(scenario())


def test_a_poll_takes_a_batch_and_leaves_the_rest_to_the_next(alone: Alone) -> None:
    """One batch of arrivals serves several polls, each up to what it asked for."""

    async def scenario() -> None:
        await alone.make_queue("q")
        first = polling(alone, "?waitseconds=30&numOfMessages=2")
        await alone.until_held(1)
        second = polling(alone, "?waitseconds=30&numOfMessages=16")
        await alone.until_held(2)
        messages = "".join(f"<Message><MessageBody>{body}</MessageBody></Message>" for body in "abc")
        await alone.call("POST", "/queues/q/messages", f"<Messages>{messages}</Messages>")
        assert (bodies(await first), bodies(await second)) == (["a", "b"], ["c"])

    run(scenario())


def test_a_poll_whose_client_left_takes_nothing(alone: Alone) -> None:
    """What arrives afterwards goes to the next poll, untouched."""

    async def scenario() -> None:
        await alone.make_queue("q")
        gone = polling(alone)
        await alone.until_held(1)
        staying = polling(alone)
        await alone.until_held(2)
        gone.cancel()
        await alone.until_held(1)
        await alone.send("q", "a")
        answer = await staying
        assert bodies(answer) == ["a"]
        assert b"<DequeueCount>1</DequeueCount>" in answer.body

    run(scenario())


def test_a_client_that_leaves_just_when_a_message_arrives_loses_nothing(alone: Alone) -> None:
    """A poll that was woken but cancelled before it ran passes its turn on."""

    async def scenario() -> None:
        await alone.make_queue("q")
        gone, staying = polling(alone), polling(alone)
        await alone.until_held(2)
        sending = asyncio.get_running_loop().create_task(alone.send("q", "a"))
        await asyncio.sleep(0)
        gone.cancel()
        await sending
        assert bodies(await staying) == ["a"]

    run(scenario())


def test_polling_wait_seconds_makes_every_receive_wait(alone: Alone) -> None:
    """The queue's own setting counts for receives that ask for nothing; a request overrides it."""

    async def scenario() -> None:
        await alone.make_queue("q", PollingWaitSeconds=20)
        assert (await alone.receive("q", "?waitseconds=0")).status == 404
        poll = polling(alone, "")
        await alone.until_held(1)
        await alone.send("q", "a")
        assert bodies(await poll) == ["a"]

    run(scenario())


def test_above_the_cap_an_empty_poll_is_answered_at_once(alone: Alone) -> None:
    """The service holds only so many polls; the others get 404 without waiting."""

    async def scenario() -> None:
        await alone.make_queue("q")
        alone.service.set_long_poll_cap(1)
        held = polling(alone)
        await alone.until_held(1)
        assert (await alone.receive("q", "?waitseconds=30")).status == 404
        assert not held.done()
        await alone.send("q", "a")
        assert (await held).status == 200

    run(scenario())


def test_deleting_the_queue_ends_its_polls(alone: Alone) -> None:
    """Whoever waits at a queue that is deleted, or at a service that is reset, learns that it is gone."""

    async def scenario() -> None:
        for end in (lambda: alone.call("DELETE", "/queues/q"), reset):
            await alone.make_queue("q")
            polls = [polling(alone), polling(alone)]
            await alone.until_held(2)
            await end()
            assert [error(await poll) for poll in polls] == ["QueueNotExist"] * 2

    async def reset() -> None:
        alone.service.reset()

    run(scenario())


def test_an_early_empty_fault_does_not_hold_the_poll(alone: Alone) -> None:
    """The fault strikes only where the service would have waited."""

    async def scenario() -> None:
        await alone.make_queue("q")
        alone.world.faults.add(Fault(0, "mns", "ReceiveMessage", Kind.EARLY_EMPTY, count=1))
        await alone.send("q", "a")
        assert bodies(await alone.receive("q", "?waitseconds=30")) == ["a"]
        assert error(await alone.receive("q", "?waitseconds=30")) == "MessageNotExist"
        assert alone.world.faults.active() == []

    run(scenario())


def test_a_duplicate_fault_delivers_a_message_twice(alone: Alone) -> None:
    """Two consumers get the same message; both deliveries are journaled."""

    async def scenario() -> None:
        await alone.make_queue("q")
        alone.world.faults.add(Fault(0, "mns", "*ReceiveMessage", Kind.DUPLICATE, count=1))
        await alone.send("q", "a")
        assert bodies(await alone.receive("q")) == bodies(await alone.receive("q", "?numOfMessages=16")) == ["a"]
        entries = journaled(alone.world, "ReceiveMessage") + journaled(alone.world, "BatchReceiveMessage")
        assert [entry["messages"][0]["dequeue_count"] for entry in entries] == [1, 2]

    run(scenario())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?waitseconds=31", "InvalidArgument"),
        ("?waitseconds=-1", "InvalidArgument"),
        ("?waitseconds=x", "InvalidQueryString"),
        ("?numOfMessages=", "InvalidQueryString"),
    ],
)
def test_waits_outside_their_limits(alone: Alone, query: str, expected: str) -> None:
    """Up to thirty whole seconds; what is no number is told apart."""

    async def scenario() -> None:
        await alone.make_queue("q")
        assert error(await alone.receive("q", query)) == expected

    run(scenario())
