"""Documents byte for byte as the service was recorded to write them.

The recording (January 2022, the documentation of a test tool for message queues) holds the headers of PublishMessage,
ReceiveMessage and DeleteMessage and every value of their bodies, but not the bodies themselves: their Content-Length
says how they are laid out. The length of a delayed send, 279, is from another recording that kept its headers only.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

from emulator.answer import head
from emulator.http import Response
from emulator.mns.document import document
from emulator.settings import Settings
from tests.emulator.mns.alone import XMLNS, Alone
from tests.patience import PATIENCE_SECONDS

OWNER = "1023210024677934"
TOPIC, SUBSCRIPTION = "imm-test-hl-mns-topic-shanghai", "imm-test-hl-mns-queue-shanghai"
MESSAGE = '{"key1": "val1", "key2": "val2"}'
PUSHED = (
    '{"TopicOwner":"1023210024677934","Message":"{\\"key1\\": \\"val1\\", \\"key2\\": \\"val2\\"}",'
    '"Subscriber":"1023210024677934","PublishTime":"1642865171548",'
    '"SubscriptionName":"imm-test-hl-mns-queue-shanghai","MessageMD5":"775A9B1CEDDB5F8978836DB24DF90A01",'
    '"TopicName":"imm-test-hl-mns-topic-shanghai","MessageId":"7F3D61FE01E5656C7F9D712CF45CA356"}'
)
HANDLE = "8-BzvT93jFnzuz6zcJz0zhAzcUxr0B2GnZl"
DELAYED_HANDLE_LENGTH = 37


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, timeout=PATIENCE_SECONDS))


def _between(response: Response, tag: str) -> str:
    return response.body.decode().partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]


def test_a_recorded_receive_has_852_bytes() -> None:
    """All recorded values in the layout, the quotes of the JSON inside them as they are."""
    nodes = [
        ("MessageId", "772F147D01E504307FCF712CF461D5D2"),
        ("MessageBodyMD5", "73034DE019DE7AEBCB55FD466F5316B0"),
        ("MessageBody", PUSHED),
        ("ReceiptHandle", HANDLE),
        ("EnqueueTime", 1642865171557),
        ("FirstDequeueTime", 1642865172119),
        ("NextVisibleTime", 1642865202119),
        ("DequeueCount", 1),
        ("Priority", 8),
    ]
    assert len(document("Message", nodes)) == 852


def test_what_is_received_of_a_recorded_push_has_852_bytes() -> None:
    """The same message through topic, subscription and queue: the same fields in the same order."""
    alone = Alone(Settings(account_id=OWNER))

    async def scenario() -> None:
        await alone.make_queue("q")
        await alone.call("PUT", f"/topics/{TOPIC}")
        subscription = (
            f"<Subscription {XMLNS}><Endpoint>acs:mns:cn-shanghai:{OWNER}:queues/q</Endpoint>"
            "<NotifyContentFormat>JSON</NotifyContentFormat></Subscription>"
        )
        await alone.call("PUT", f"/topics/{TOPIC}/subscriptions/{SUBSCRIPTION}", subscription)
        published = f"<Message {XMLNS}><MessageBody>{MESSAGE}</MessageBody></Message>"
        await alone.call("POST", f"/topics/{TOPIC}/messages", published)
        received = await alone.receive("q")
        pushed, recorded = json.loads(_between(received, "MessageBody")), json.loads(PUSHED)
        assert list(pushed) == list(recorded)
        assert {**pushed, "PublishTime": "", "MessageId": ""} == {**recorded, "PublishTime": "", "MessageId": ""}
        assert isinstance(pushed["PublishTime"], str)
        assert len(received.body) - len(_between(received, "ReceiptHandle")) + len(HANDLE) == 852

    run(scenario())


def test_a_publication_is_answered_with_208_bytes(alone: Alone) -> None:
    """Ids and digests have the recorded lengths too."""

    async def scenario() -> None:
        await alone.call("PUT", "/topics/t")
        body = f"<Message {XMLNS}><MessageBody>hello world</MessageBody></Message>"
        response = await alone.call("POST", "/topics/t/messages", body)
        assert _between(response, "MessageBodyMD5") == "5EB63BBBE01EEED093CB22BB8F5ACDC3"
        assert len(response.body) == 208
        assert response.body.decode() == (
            '<?xml version="1.0" ?>\n'
            '<Message xmlns="http://mns.aliyuncs.com/doc/v1">\n'
            f"  <MessageId>{_between(response, 'MessageId')}</MessageId>\n"
            "  <MessageBodyMD5>5EB63BBBE01EEED093CB22BB8F5ACDC3</MessageBodyMD5>\n"
            "</Message>"
        )

    run(scenario())


def test_a_delayed_send_is_answered_with_279_bytes(alone: Alone) -> None:
    """A send with a delay gets a receipt handle as well, which had 37 characters in the recording."""

    async def scenario() -> None:
        await alone.make_queue("q")
        response = await alone.send("q", "hello world", "<DelaySeconds>10</DelaySeconds>")
        handle = _between(response, "ReceiptHandle")
        assert len(response.body) - len(handle) + DELAYED_HANDLE_LENGTH == 279

    run(scenario())


def test_batches_are_indented_by_another_level(alone: Alone) -> None:
    """A list's entries stand two spaces in, their elements four; a body's own line breaks stay as they are."""

    async def scenario() -> None:
        await alone.make_queue("q")
        await alone.send("q", 'a "quoted"\n<![CDATA[<b>]]>')
        text = (await alone.receive("q", "?numOfMessages=2")).body.decode()
        assert text.startswith(
            '<?xml version="1.0" ?>\n<Messages xmlns="http://mns.aliyuncs.com/doc/v1">\n  <Message>\n    <MessageId>'
        )
        assert '    <MessageBody>a "quoted"\n&lt;b&gt;</MessageBody>\n    <ReceiptHandle>' in text
        assert text.endswith("    <Priority>8</Priority>\n  </Message>\n</Messages>")

    run(scenario())


def test_a_deletion_names_a_type_and_no_length(alone: Alone) -> None:
    """The recorded 204, header by header."""

    async def scenario() -> None:
        await alone.make_queue("q")
        await alone.send("q", "a")
        handle = _between(await alone.receive("q"), "ReceiptHandle")
        response = await alone.call("DELETE", f"/queues/q/messages?ReceiptHandle={handle}")
        lines = head(response, now=0.0, keep_alive=True).decode().splitlines()
        names = {line.partition(":")[0] for line in lines[1:] if line}
        assert lines[0] == "HTTP/1.1 204 No Content"
        assert names == {"Server", "Date", "Content-Type", "Connection", "x-mns-version", "x-mns-request-id"}
        assert {"Server: AliyunMQS", "Content-Type: text/xml;charset=utf-8"} <= set(lines)

    run(scenario())
