"""Bytes and headers that SDKs depend on without saying so, and bodies that no SDK would send."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

import pytest

from emulator.http import Response
from tests.emulator.mns.alone import XMLNS, Alone
from tests.patience import PATIENCE_SECONDS

RESPONSE_XMLNS = 'xmlns="http://mns.aliyuncs.com/doc/v1"'


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, timeout=PATIENCE_SECONDS))


def code(response: Response) -> str:
    found = re.search("<Code>(.*?)</Code>", response.body.decode())
    return found[1] if found else ""


def test_every_answer_names_its_request(alone: Alone) -> None:
    """The request id has literally lower-case letters in its name and 24 upper-case digits."""

    async def scenario() -> None:
        for response in (await alone.call("GET", "/queues"), await alone.call("GET", "/queues/missing")):
            headers = dict(response.headers)
            assert re.fullmatch("[0-9A-F]{24}", headers["x-mns-request-id"])
            assert headers["x-mns-version"] == "2015-06-06"
            assert headers["Server"] == "AliyunMQS"
            assert headers["Content-Type"] == "text/xml;charset=utf-8"

    run(scenario())


def test_an_error_carries_what_the_service_says(alone: Alone) -> None:
    """Code, message, the request's id and the host that was asked."""

    async def scenario() -> None:
        response = await alone.call("GET", "/queues/missing", host="mns.test:1")
        request_id = response.header("x-mns-request-id")
        assert response.body.decode() == (
            f'<?xml version="1.0" ?>\n<Error {RESPONSE_XMLNS}>\n'
            "  <Code>QueueNotExist</Code>\n"
            "  <Message>The queue name you provided is not exist.</Message>\n"
            f"  <RequestId>{request_id}</RequestId>\n"
            "  <HostId>http://mns.test:1</HostId>\n"
            "</Error>"
        )

    run(scenario())


def test_an_injected_error_looks_like_any_other(alone: Alone) -> None:
    """Faults borrow the service's own form."""
    response = alone.service.error(alone.request("GET", "/queues"), 503, "ServiceUnavailable", "a < b")
    assert (response.status, code(response)) == (503, "ServiceUnavailable")
    assert b"<Message>a &lt; b</Message>" in response.body
    assert response.header("x-mns-request-id")


def test_received_messages_have_their_elements_in_the_recorded_order(alone: Alone) -> None:
    """The order of a recorded answer, and a carriage return that survives a parser."""

    async def scenario() -> None:
        await alone.make_queue("q")
        await alone.send("q", "a&#13;b")
        body = (await alone.receive("q", "?numOfMessages=1")).body.decode()
        assert re.findall("<([A-Za-z0-9]+)>", body)[1:] == [
            "MessageId",
            "MessageBodyMD5",
            "MessageBody",
            "ReceiptHandle",
            "EnqueueTime",
            "FirstDequeueTime",
            "NextVisibleTime",
            "DequeueCount",
            "Priority",
        ]
        assert "<MessageBody>a&#13;b</MessageBody>" in body

    run(scenario())


def test_a_partly_failed_batch_delete_closes_the_connection(alone: Alone) -> None:
    """404 with Connection: close, as the documentation's sample has it; a whole success closes nothing."""

    async def scenario() -> None:
        await alone.make_queue("q")
        handles = f"<ReceiptHandles {XMLNS}><ReceiptHandle>1-AAAAAAAAAAAA</ReceiptHandle></ReceiptHandles>"
        response = await alone.call("DELETE", "/queues/q/messages", handles)
        assert (response.status, response.header("connection")) == (404, "close")
        assert (await alone.call("DELETE", "/queues/q")).header("connection") is None

    run(scenario())


def test_lists_have_no_empty_elements(alone: Alone) -> None:
    """No NextMarker on the last page, and attributes only on request."""

    async def scenario() -> None:
        await alone.make_queue("q")
        plain = (await alone.call("GET", "/queues")).body
        assert b"NextMarker" not in plain
        assert b"VisibilityTimeout" not in plain
        with_meta = (await alone.call("GET", "/queues", x_mns_with_meta="true")).body
        assert b"<VisibilityTimeout>30</VisibilityTimeout>" in with_meta

    run(scenario())


@pytest.mark.parametrize("size", ["0", "1001", "x"])
def test_page_sizes_outside_their_limits(alone: Alone, size: str) -> None:
    """From one to a thousand entries."""

    async def scenario() -> None:
        assert code(await alone.call("GET", "/queues", x_mns_ret_number=size)) == "InvalidArgument"

    run(scenario())


UNKNOWN_TYPE = "<UserProperties><PropertyValue><Name>n</Name><Type>DATE</Type></PropertyValue></UserProperties>"
ENTITIES = '<!DOCTYPE Message [<!ENTITY a "aaaaaaaaaa">]>'


@pytest.mark.parametrize(
    "body",
    [
        "<Message>",
        "no markup",
        "<Message><MessageBody>&undefined;</MessageBody></Message>",
        f"{ENTITIES}<Message><MessageBody>&a;</MessageBody></Message>",
        "<!DOCTYPE Message SYSTEM 'file:///etc/passwd'><Message><MessageBody>a</MessageBody></Message>",
        "<Message><MessageBody>\0</MessageBody></Message>",
    ],
)
def test_bodies_that_are_refused_as_malformed(alone: Alone, body: str) -> None:
    """Broken markup, document types and entities never reach an operation."""

    async def scenario() -> None:
        await alone.make_queue("q")
        assert code(await alone.call("POST", "/queues/q/messages", body)) == "MalformedXML"
        assert alone.service.state()["queues"]["q"]["messages"] == []

    run(scenario())


def test_a_document_type_in_utf_16_is_refused_too(alone: Alone) -> None:
    """Another encoding is no way round."""

    async def scenario() -> None:
        await alone.make_queue("q")
        request = alone.request("POST", "/queues/q/messages")
        request.body = f"<?xml version='1.0' encoding='UTF-16'?>{ENTITIES}<Message/>".encode("utf-16")
        signed = alone.signed("POST", "/queues/q/messages")
        request.headers["authorization"] = signed.headers["authorization"]
        assert code(await alone.service.handle(request)) == "MalformedXML"

    run(scenario())


def test_a_document_type_inside_a_text_is_only_text(alone: Alone) -> None:
    """A body in a CDATA section may say what it wants."""

    async def scenario() -> None:
        await alone.make_queue("q")
        sent = await alone.send("q", "<![CDATA[<!DOCTYPE html>]]>")
        assert sent.status == 201
        assert "&lt;!DOCTYPE html&gt;" in (await alone.receive("q")).body.decode()

    run(scenario())


@pytest.mark.parametrize(
    "body",
    [
        f"<Queue {XMLNS}/>",
        f"<Message {XMLNS}/>",
        f"<Message {XMLNS}><MessageBody></MessageBody></Message>",
        f"<Message {XMLNS}><MessageBody>a</MessageBody><Priority>0</Priority></Message>",
        f"<Message {XMLNS}><MessageBody>a</MessageBody><DelaySeconds>604801</DelaySeconds></Message>",
        f"<Message {XMLNS}><MessageBody>a</MessageBody>{UNKNOWN_TYPE}</Message>",
    ],
)
def test_bodies_that_do_not_fit_the_schema(alone: Alone, body: str) -> None:
    """Another root, a missing or empty body, values out of range, unknown types."""

    async def scenario() -> None:
        await alone.make_queue("q")
        assert code(await alone.call("POST", "/queues/q/messages", body)) == "InvalidArgument"

    run(scenario())


@pytest.mark.parametrize(
    ("namespace", "status"),
    [
        ('xmlns="http://mns.aliyuncs.com/doc/v1/"', 201),
        ('xmlns="http://mns.aliyuncs.com/doc/v1"', 201),
        ("", 201),
        ('xmlns="http://example.com/"', 400),
    ],
)
def test_the_namespace_of_a_publication(alone: Alone, namespace: str, status: int) -> None:
    """With or without its slash, or left out as one widely used client does; a foreign one is refused."""

    async def scenario() -> None:
        await alone.call("PUT", "/topics/t")
        body = f"<Message {namespace}><MessageBody>a</MessageBody></Message>"
        assert (await alone.call("POST", "/topics/t/messages", body)).status == status

    run(scenario())


def test_handles_may_come_percent_encoded_or_raw(alone: Alone) -> None:
    """Clients disagree on encoding; query names come in either case."""

    async def scenario() -> None:
        await alone.make_queue("q")
        for prefix in ("ReceiptHandle=", "receipthandle="):
            await alone.send("q", "a")
            handle = re.search("<ReceiptHandle>(.*?)<", (await alone.receive("q")).body.decode())
            assert handle
            encoded = handle[1].replace("-", "%2D")
            assert (await alone.call("DELETE", f"/queues/q/messages?{prefix}{encoded}")).status == 204

    run(scenario())


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("DELETE", "/queues/q/messages", "MissingReceiptHandle"),
        ("PUT", "/queues/q/messages?VisibilityTimeout=1", "MissingReceiptHandle"),
        ("PUT", "/queues/q/messages?ReceiptHandle=1-AAAAAAAAAAAA", "MissingVisibilityTimeout"),
        ("DELETE", "/queues/missing/messages?ReceiptHandle=1-AAAAAAAAAAAA", "QueueNotExist"),
    ],
)
def test_missing_parameters(alone: Alone, method: str, target: str, expected: str) -> None:
    """What is missing is named."""

    async def scenario() -> None:
        await alone.make_queue("q")
        assert code(await alone.call(method, target)) == expected

    run(scenario())


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("GET", "/queues/q/messages", "ReceiveMessage"),
        ("GET", "/queues/q/messages?numOfMessages=2&waitseconds=1", "BatchReceiveMessage"),
        ("GET", "/queues/q/messages?peekonly=true", "PeekMessage"),
        ("GET", "/queues/q/messages?peekonly=true&numOfMessages=2", "BatchPeekMessage"),
        ("PUT", "/queues/q?metaoverride=true", "SetQueueAttributes"),
        ("PUT", "/topics/t/subscriptions/s?metaoverride=true", "SetSubscriptionAttributes"),
        ("GET", "/topics/t/subscriptions", "ListSubscriptionByTopic"),
        ("GET", "/?accountmeta=true", "GetAccountAttributes"),
        ("POST", "/commonbuy/openservice", "OpenService"),
        ("GET", "/queues/", "ListQueue"),
    ],
)
def test_operations_are_recognised_by_the_request_line(alone: Alone, method: str, target: str, operation: str) -> None:
    """Faults are chosen by these names."""
    assert alone.service.operation(alone.request(method, target)) == operation


def test_batches_are_recognised_by_their_body(alone: Alone) -> None:
    """One address serves a message and a batch of them."""
    target = "/queues/q/messages"
    assert alone.service.operation(alone.request("POST", target, f"<Messages {XMLNS}/>")) == "BatchSendMessage"
    assert alone.service.operation(alone.request("POST", target, f"<Message {XMLNS}/>")) == "SendMessage"
    assert alone.service.operation(alone.request("DELETE", target, "<ReceiptHandles/>")) == "BatchDeleteMessage"
