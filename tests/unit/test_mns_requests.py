"""A batch delete is sent as the SDK's own, though its document is written without the SDK's tree of objects."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mns.mns_xml_handler import ReceiptHandlesEncoder

from consumer.aliyun.credentials import Credentials
from consumer.aliyun.mns.queue import Queue, QueueAddress, handles_document
from consumer.core.observers import Hooks
from tests.patience import PATIENCE_SECONDS

HANDLE = "1-ODU4OTkzNDU5My0xNDMyNzI3ODI3LTItOA=="
"""As https://www.alibabacloud.com/help/en/mns/developer-reference/batchdeletemessage shows one."""


class Key:
    """An access key that never ends."""

    def get_credentials(self) -> Credentials:
        """The key."""
        return Credentials("id", "secret", "")


class Sent(NamedTuple):
    """A request without what differs from second to second."""

    line: str
    headers: dict[str, str]
    body: bytes


@pytest.fixture
def sent() -> list[Sent]:
    """What has arrived."""
    return []


@pytest.fixture
def queue(sent: list[Sent]) -> Iterator[Queue]:
    """A queue whose service takes every deletion."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_DELETE(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            sent.append(Sent(self.requestline, {**headers, "date": "", "authorization": ""}, body))
            self.send_response(204)
            self.send_header("x-mns-request-id", "ID")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        address = QueueAddress(
            f"http://127.0.0.1:{server.server_address[1]}", "events", PATIENCE_SECONDS, PATIENCE_SECONDS
        )
        made = Queue(address, Key(), Hooks())
        try:
            yield made
        finally:
            made.close()
            server.shutdown()
            thread.join(PATIENCE_SECONDS)


def test_a_batch_delete_is_the_sdks_own(queue: Queue, sent: list[Sent]) -> None:
    """Line, headers, digest and document."""
    handles = [HANDLE, "8-000000000000000000000000000001"]
    assert queue.delete(handles) == {}
    queue._exchange.begin(PATIENCE_SECONDS)
    queue._queue.batch_delete_message(handles)
    ours, theirs = sent
    assert ours == theirs
    assert ours.line == "DELETE /queues/events/messages HTTP/1.1"


@given(st.lists(st.from_regex(r"[0-9A-Za-z+/=_-]{1,80}", fullmatch=True), min_size=1, max_size=16))
def test_the_document_is_the_sdks_own(handles: list[str]) -> None:
    """Byte for byte, for handles of the form that the service gives."""
    assert handles_document(handles) == ReceiptHandlesEncoder.encode(handles)


@given(st.lists(st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cn")), min_size=1), min_size=1))
def test_no_handle_can_be_anything_but_text(handles: list[str]) -> None:
    """Whatever a service may call one."""
    document = ET.fromstring(handles_document(handles))  # noqa: S314 - our own
    assert [child.text for child in document] == handles
    assert {child.tag.rpartition("}")[2] for child in document} == {"ReceiptHandle"}
