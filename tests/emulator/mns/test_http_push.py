"""Pushes to HTTP endpoints: as documented, in every format, tried again, and to nowhere else than this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from emulator.mns import http_push
from emulator.mns.http_push import HttpEndpoint, permitted
from emulator.settings import Settings
from tests.emulator.mns.alone import XMLNS, Alone, journaled
from tests.patience import PATIENCE_SECONDS


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, timeout=PATIENCE_SECONDS))


@dataclass
class Receiver:
    """A real HTTP server on loopback, and what it was sent."""

    port: int = 0
    answers: list[bytes] = field(default_factory=list)
    """What is answered, in turn; afterwards 204."""
    requests: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
        line, *fields = head.rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in fields)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append((line, headers, body.decode("utf-8")))
        writer.write(self.answers.pop(0) if self.answers else b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()


@asynccontextmanager
async def receiving(*answers: bytes) -> AsyncIterator[Receiver]:
    """A receiver that answers so, in turn, and then 204."""
    receiver = Receiver(answers=list(answers))
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver


async def subscribe(alone: Alone, endpoint: str, content_format: str = "JSON", strategy: str = "BACKOFF_RETRY") -> None:
    """A topic `t` that pushes there."""
    await alone.call("PUT", "/topics/t")
    fields = f"<Endpoint>{endpoint}</Endpoint><NotifyContentFormat>{content_format}</NotifyContentFormat>"
    body = f"<Subscription {XMLNS}>{fields}<NotifyStrategy>{strategy}</NotifyStrategy></Subscription>"
    assert (await alone.call("PUT", "/topics/t/subscriptions/s", body)).status == 201


async def over(alone: Alone, pending: int = 0) -> None:
    """Wait until that many pushes are still to be made."""
    while alone.service.state()["pushes_to_retry"] != pending:  # noqa: ASYNC110 - the service knows no tests
        await asyncio.sleep(0.001)


async def tried(alone: Alone, times: int) -> list[dict[str, Any]]:
    """Wait until a push was tried so often; what the journal says of them."""
    while len(entries := journaled(alone.world, "PushToEndpoint")) < times:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.001)
    return entries


def test_a_json_push_has_the_documented_fields(alone: Alone) -> None:
    """A POST to the endpoint's own path, with who, what and when in the body; the journal has the answer."""

    async def scenario() -> None:
        async with receiving() as receiver:
            await subscribe(alone, f"http://127.0.0.1:{receiver.port}/announcements?from=mns")
            message_id = alone.service.publish("t", "a <b> ü", "fixed")
            await over(alone)
        ((line, headers, body),) = receiver.requests
        assert line == "POST /announcements?from=mns HTTP/1.1"
        sent = json.loads(body)
        assert (sent["TopicName"], sent["SubscriptionName"], sent["MessageId"]) == ("t", "s", message_id)
        assert (sent["Message"], sent["MessageTag"]) == ("a <b> ü", "fixed")
        assert headers["x-mns-version"] == "2015-06-06"
        assert headers["x-mns-request-id"]
        assert "authorization" not in headers, "unsigned, as the compatibility page says"
        (entry,) = journaled(alone.world, "PushToEndpoint")
        assert (entry["status"], entry["published_message_id"]) == (204, message_id)

    run(scenario())


def test_a_simplified_push_is_the_message_alone(alone: Alone) -> None:
    """Its id and tag are headers; without a path of its own the endpoint gets /notifications."""

    async def scenario() -> None:
        async with receiving() as receiver:
            await subscribe(alone, f"http://127.0.0.1:{receiver.port}", "SIMPLIFIED")
            message_id = alone.service.publish("t", "a", "fixed")
            await over(alone)
        ((line, headers, body),) = receiver.requests
        assert (line, body) == ("POST /notifications HTTP/1.1", "a")
        assert (headers["x-mns-message-id"], headers["x-mns-message-tag"]) == (message_id, "fixed")

    run(scenario())


def test_an_xml_push_is_xml(alone: Alone) -> None:
    """The default, and typed as such."""

    async def scenario() -> None:
        async with receiving() as receiver:
            await subscribe(alone, f"http://127.0.0.1:{receiver.port}/", "XML")
            alone.service.publish("t", "a")
            await over(alone)
        ((_, headers, body),) = receiver.requests
        assert headers["content-type"] == "text/xml;charset=utf-8"
        assert "<Message>a</Message>" in body

    run(scenario())


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"HTTP/1.1 500 Oops\r\n\r\n", "answered 500"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", "answered 302"),
        (b"SSH-2.0-OpenSSH_9\r\n", "speaks no HTTP"),
        (b"x" * 10_000, "speaks no HTTP"),
        (b"", "speaks no HTTP"),
    ],
)
def test_what_is_no_success_is_tried_again(answer: bytes, failure: str, alone: Alone) -> None:
    """On the emulated clock, by the subscription's strategy; a redirect is not followed."""

    async def scenario() -> None:
        async with receiving(answer) as receiver:
            await subscribe(alone, f"http://127.0.0.1:{receiver.port}/")
            alone.service.publish("t", "a")
            (first,) = await tried(alone, 1)
            assert failure in first["failure"]
            assert len(receiver.requests) == 1
            alone.world.clock.advance(21)
            await over(alone)
            assert receiver.requests[0][2] == receiver.requests[1][2]
            assert journaled(alone.world, "PushToEndpoint")[1]["status"] == 204

    run(scenario())


def test_a_receiver_that_never_answers_has_failed(alone: Alone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five seconds are documented; the publisher waited for none of it."""
    monkeypatch.setattr(http_push, "ANSWER_SECONDS", 0.05)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        async with server:
            await subscribe(alone, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
            alone.service.publish("t", "a")
            (entry,) = await tried(alone, 1)
            assert "no answer" in entry["failure"]
            alone.service.reset()

    run(scenario())


def test_a_push_is_given_up_after_its_last_attempt(alone: Alone) -> None:
    """Four attempts in all, then the message is discarded and the journal says so."""

    async def scenario() -> None:
        async with receiving(*[b"HTTP/1.1 503 x\r\n\r\n"] * 9) as receiver:
            await subscribe(alone, f"http://127.0.0.1:{receiver.port}/")
            alone.service.publish("t", "a")
            alone.world.clock.advance(3_600)
            await over(alone)
            assert len(receiver.requests) == 4
            assert len(journaled(alone.world, "PushDiscarded")) == 1

    run(scenario())


@pytest.mark.parametrize(
    ("address", "loopback", "private"),
    [
        ("127.0.0.1", True, True),
        ("127.9.9.9", True, True),
        ("::1", True, True),
        ("::ffff:127.0.0.1", True, True),
        ("172.18.0.5", False, True),
        ("10.0.0.1", False, True),
        ("192.168.1.1", False, True),
        ("fd00::1", False, True),
        ("169.254.169.254", False, False),
        ("100.100.100.200", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("fe80::1%eth0", False, False),
        ("203.0.113.9", False, False),
        ("0.0.0.0", False, False),  # noqa: S104 - an address to refuse
        ("224.0.0.1", False, False),
        ("8.8.8.8", False, False),
        ("2001:4860:4860::8888", False, False),
    ],
)
def test_only_this_machine_is_connected_to(address: str, loopback: bool, private: bool) -> None:
    """Private addresses where the emulator was started so; never a metadata service, and never the world."""
    assert permitted(address, private=False) is loopback
    assert permitted(address, private=True) is private


@pytest.mark.parametrize("host", ["192.0.2.1", "10.255.255.1", "169.254.169.254"])
def test_nothing_is_sent_elsewhere(host: str, alone: Alone) -> None:
    """The attempt fails before a connection is made, and says why."""

    async def scenario() -> None:
        await subscribe(alone, f"http://{host}/latest")
        alone.service.publish("t", "a")
        (entry,) = await tried(alone, 1)
        assert entry["failure"] == f"{host} is not loopback, so nothing is sent there"
        alone.service.reset()

    run(scenario())


def test_private_addresses_are_for_who_asks_for_them_at_the_start() -> None:
    """No request can switch it on."""
    assert not Settings().push_to_private_addresses
    asked = Alone(Settings(push_to_private_addresses=True))

    async def scenario() -> None:
        await subscribe(asked, "http://203.0.113.9/")
        asked.service.publish("t", "a")
        (entry,) = await tried(asked, 1)
        assert entry["failure"] == "203.0.113.9 is not loopback or a private address, so nothing is sent there"
        asked.service.reset()

    run(scenario())


@pytest.mark.parametrize(
    "endpoint",
    ["https://127.0.0.1/", "mail:directmail:a@b.c", "sms:directsms:anonymous", "http://a b/", "http://h:99999/"],
)
def test_other_endpoints_get_nothing(endpoint: str) -> None:
    """They can be subscribed, as before, and are said not to be pushed to."""
    assert HttpEndpoint.of(endpoint) is None


def test_a_subscription_that_is_gone_gets_nothing_more(alone: Alone) -> None:
    """Unsubscribing ends attempts to come."""

    async def scenario() -> None:
        async with receiving(b"HTTP/1.1 500 x\r\n\r\n") as receiver:
            await subscribe(alone, f"http://127.0.0.1:{receiver.port}/")
            alone.service.publish("t", "a")
            await tried(alone, 1)
            await alone.call("DELETE", "/topics/t/subscriptions/s")
            alone.world.clock.advance(21)
            await over(alone)
            assert len(receiver.requests) == 1
            assert len(journaled(alone.world, "PushDiscarded")) == 1

    run(scenario())
