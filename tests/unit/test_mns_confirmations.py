"""What counts as done at the queue: only the service's own confirmation, to the letter, from a server that lies.

The vendor's SDK over HTTP. Statuses and documents: https://www.alibabacloud.com/help/en/mns/developer-reference
(SendMessage 201 with the body's MD5 in upper-case hexadecimal, BatchDeleteMessage 204, ChangeMessageVisibility 200).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from consumer.aliyun.credentials import Credentials
from consumer.aliyun.mns.queue import Queue, QueueAddress
from consumer.core.errors import DamagedReply, ServiceError
from consumer.core.message import body_md5
from consumer.core.observers import Hooks

XMLNS = 'xmlns="http://mns.aliyuncs.com/doc/v1/"'


class Key:
    """An access key that never ends."""

    def get_credentials(self) -> Credentials:
        """The key."""
        return Credentials("id", "secret", "")


@contextmanager
def answering(status: int, document: str = "") -> Iterator[Queue]:
    """A queue whose service answers every request with this status and document."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.send_response(status)
            self.send_header("x-mns-request-id", "5F1E3A4B8C2D9E0F11223344")
            if status != 204:
                self.send_header("Content-Length", str(len(document.encode())))
            self.end_headers()
            self.wfile.write(document.encode())

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the names that the server looks for

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        queue = Queue(QueueAddress(f"http://127.0.0.1:{server.server_port}", "q"), Key(), Hooks())
        try:
            yield queue
        finally:
            queue.close()
            server.shutdown()


def sent(md5: str) -> str:
    """The confirmation of a message that was sent."""
    fields = f"<MessageId>m</MessageId><MessageBodyMD5>{md5}</MessageBodyMD5>"
    return f'<?xml version="1.0"?><Message {XMLNS}>{fields}</Message>'


def test_a_confirmation_of_the_body_that_was_sent_is_one() -> None:
    """201, and the digest of exactly this body."""
    with answering(201, sent(body_md5("letter"))) as queue:
        assert queue.send("letter") == "m"


@pytest.mark.parametrize("md5", [body_md5("another letter"), "", "0" * 32])
def test_a_confirmation_of_another_body_is_none(md5: str) -> None:
    """Something came between: the letter may be cut, and its original must not be deleted for it."""
    with answering(201, sent(md5)) as queue, pytest.raises(ServiceError):
        queue.send("letter")


def test_a_message_that_was_sent_with_another_status_is_not_confirmed() -> None:
    """A cache or a proxy may say 200 with the right document; the service says 201."""
    with answering(200, sent(body_md5("letter"))) as queue, pytest.raises(DamagedReply):
        queue.send("letter")


def test_no_content_confirms_deletions() -> None:
    """204 and nothing else."""
    with answering(204) as queue:
        assert queue.delete(["h1", "h2"]) == {}


@pytest.mark.parametrize("status", [200, 201, 202, 206])
@pytest.mark.parametrize("document", ["", f'<?xml version="1.0"?><Errors {XMLNS}></Errors>', "<html>ok</html>"])
def test_another_success_confirms_no_deletion(status: int, document: str) -> None:
    """The service deletes with 204; whoever answers 200 has not said that anything is deleted."""
    with answering(status, document) as queue, pytest.raises(ServiceError):
        queue.delete(["h1", "h2"])


def test_a_hide_without_a_new_handle_is_none() -> None:
    """The old handle is no longer good for certain, and there is no other: the request counts as failed."""
    document = f'<?xml version="1.0"?><ChangeVisibility {XMLNS}><NextVisibleTime>1</NextVisibleTime></ChangeVisibility>'
    with answering(200, document) as queue, pytest.raises(ServiceError):
        queue.hide("h1", 30)
