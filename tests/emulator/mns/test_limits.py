"""Values that no SDK lets through, sent as they are: each is refused by name and changes nothing."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.emulator.mns.alone import XMLNS, Alone

ENDPOINT = "<Endpoint>acs:mns:cn-hangzhou:1:queues/q</Endpoint>"
LARGE = "x" * 65537
HALF = f"<Message><MessageBody>{'x' * 33000}</MessageBody></Message>"
REFUSED = "<Message><MessageBody>a</MessageBody><Priority>0</Priority></Message>"


@pytest.mark.parametrize(
    ("method", "target", "body", "named"),
    [
        ("PUT", "/queues/new", "<Queue><LoggingEnabled>maybe</LoggingEnabled></Queue>", "LoggingEnabled"),
        ("PUT", "/queues/new", "<Queue><VisibilityTimeout>1.5</VisibilityTimeout></Queue>", "VisibilityTimeout"),
        ("PUT", "/topics/new", "<Topic><MaximumMessageSize>65537</MaximumMessageSize></Topic>", "MaximumMessageSize"),
        ("POST", "/queues/q/messages", f"<Messages>{HALF * 2}</Messages>", "Messages"),
        ("POST", "/queues/q/messages", f"<Messages>{REFUSED * 2}</Messages>", "Priority"),
        ("POST", "/topics/t/messages", "<Message/>", "MessageBody"),
        ("POST", "/topics/t/messages", f"<Message><MessageBody>{LARGE}</MessageBody></Message>", "MessageBody"),
        (
            "POST",
            "/topics/t/messages",
            "<Message><MessageBody>a</MessageBody><MessageTag>seventeen-letters</MessageTag></Message>",
            "MessageTag",
        ),
        (
            "PUT",
            "/topics/t/subscriptions/s",
            f"<Subscription>{ENDPOINT}<FilterTag>seventeen-letters</FilterTag></Subscription>",
            "FilterTag",
        ),
        (
            "PUT",
            "/topics/t/subscriptions/s",
            f"<Subscription>{ENDPOINT}<NotifyStrategy>NEVER</NotifyStrategy></Subscription>",
            "NotifyStrategy",
        ),
        (
            "PUT",
            "/topics/t/subscriptions/s",
            f"<Subscription>{ENDPOINT}<NotifyContentFormat>YAML</NotifyContentFormat></Subscription>",
            "NotifyContentFormat",
        ),
    ],
)
def test_values_outside_their_limits(alone: Alone, method: str, target: str, body: str, named: str) -> None:
    """InvalidArgument that names the element; nothing is created, sent or pushed."""

    async def scenario() -> None:
        await alone.make_queue("q")
        await alone.call("PUT", "/topics/t")
        before = alone.service.state()
        sequence = len(list(alone.world.journal.after(0, 1000)))
        text = (await alone.call(method, target, body)).body.decode()
        assert "<Code>InvalidArgument</Code>" in text
        assert re.search(f"<Message>.*{named}.*</Message>", text)
        assert alone.service.state() == before
        assert len(list(alone.world.journal.after(0, 1000))) == sequence

    asyncio.run(scenario())


def test_an_account_has_up_to_a_thousand_queues_and_topics(alone: Alone) -> None:
    """One more of either is refused."""

    async def scenario() -> None:
        for number in range(1000):
            for kind in ("queues", "topics"):
                assert (await alone.call("PUT", f"/{kind}/n{number}")).status == 201
        for kind in ("queues", "topics"):
            assert (await alone.call("PUT", f"/{kind}/more")).status == 400

    asyncio.run(scenario())


def test_a_topic_has_up_to_a_hundred_subscriptions(alone: Alone) -> None:
    """The hundred and first is refused."""

    async def scenario() -> None:
        await alone.call("PUT", "/topics/t")
        body = f"<Subscription {XMLNS}>{ENDPOINT}</Subscription>"
        statuses = [
            (await alone.call("PUT", f"/topics/t/subscriptions/s{number}", body)).status for number in range(101)
        ]
        assert statuses == [201] * 100 + [400]

    asyncio.run(scenario())
