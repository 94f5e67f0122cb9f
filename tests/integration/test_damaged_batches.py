"""Batches that no parser takes, from a server that writes anything: the emulator writes only what XML allows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from consumer.aliyun.mns.queue import Queue, QueueAddress
from consumer.core.errors import DamagedReply
from consumer.core.observers import Hooks
from tests.integration.conftest import FixedCredentials


def message(number: int, body: str) -> str:
    """One message, with the elements of the documentation's sample of BatchReceiveMessage in their order.

    https://www.alibabacloud.com/help/en/mns/developer-reference/batchreceivemessage
    """
    stamps = "<EnqueueTime>1250700979248</EnqueueTime><FirstDequeueTime>1250700779318</FirstDequeueTime>"
    return (
        f"<Message><MessageId>m{number}</MessageId><ReceiptHandle>h{number}</ReceiptHandle>"
        f"<MessageBodyMD5>C5DD56A39F5F7BB8B3337C6D11B6D8C7</MessageBodyMD5><MessageBody>{body}</MessageBody>{stamps}"
        "<NextVisibleTime>1250700799348</NextVisibleTime><DequeueCount>1</DequeueCount><Priority>8</Priority></Message>"
    )


@contextmanager
def serving(bodies: list[str], credentials: FixedCredentials) -> Iterator[Queue]:
    """A queue whose every receive brings these bodies as they are written here."""
    batch = "".join(message(number, body) for number, body in enumerate(bodies))
    document = f'<?xml version="1.0"?>\n<Messages xmlns="http://mns.aliyuncs.com/doc/v1/">{batch}</Messages>'.encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("x-mns-request-id", "5F1E3A4B8C2D9E0F11223344")
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        queue = Queue(QueueAddress(f"http://127.0.0.1:{server.server_port}", "q"), credentials, Hooks())
        yield queue
        queue.close()
        server.shutdown()


def test_a_body_that_xml_does_not_allow_hides_no_other(credentials: FixedCredentials) -> None:
    """Every message comes, that one as damaged and with the handle by which it can be taken out of the queue."""
    with serving(["first", "one\x01two&#0;", "last"], credentials) as queue:
        found = queue.receive(16, 1)
    assert [(one.receipt_handle, one.body, bool(one.damage)) for one in found] == [
        *[("h0", "first", False), ("h1", "one\x01two\0", True), ("h2", "last", False)]
    ]


def test_forty_damaging_bodies_in_a_row_are_forty_messages(credentials: FixedCredentials) -> None:
    """None of them costs a poll of its own."""
    with serving(["\x02"] * 16, credentials) as queue:
        assert [one.message_id for one in queue.receive(16, 1)] == [f"m{number}" for number in range(16)]


@pytest.mark.parametrize("count", [1, 16])
def test_more_messages_than_were_requested_are_no_answer(credentials: FixedCredentials, count: int) -> None:
    """There is no room for them; as many as were requested are taken all the same, for they are ours now."""
    with serving(["x"] * 17, credentials) as queue:
        assert len(queue.receive(count, 1)) == count


def test_a_document_of_very_many_elements_is_refused(credentials: FixedCredentials) -> None:
    """Each costs a hundred times its size once it is parsed."""
    with serving(["<a/>" * 30_000], credentials) as queue, pytest.raises(DamagedReply):
        queue.receive(16, 1)
