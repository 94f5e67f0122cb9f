"""MNS as far as a consumer of one queue sees it: receive, delete, change visibility, attributes, send.

Answers are the emulator's documents. Signatures are not verified, and there is one queue whatever its name, besides a
dead-letter queue that only counts.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from dataclasses import dataclass
from hashlib import md5
from itertools import count
from urllib.parse import parse_qsl

from bench.names import DEAD_LETTERS
from bench.server.ledger import Ledger
from bench.server.protocol import Request, answer
from bench.server.queue import Message, Queue
from emulator.mns.attributes import Counts, QueueAttributes, queue_nodes
from emulator.mns.document import document
from emulator.mns.errors import Code, error_document
from emulator.xml import Node

_LARGEST_BATCH = 16
_HANDLES = re.compile(rb"<ReceiptHandle>([^<]*)</ReceiptHandle>")
_BODIES = re.compile(rb"<MessageBody>(.*?)</MessageBody>", re.DOTALL)


@dataclass(slots=True, eq=False)
class _Waiting:
    """A long poll that found nothing yet."""

    request: Request
    limit: int
    batch: bool
    until: asyncio.TimerHandle | None = None


class Mns:
    """One queue and those who wait for it."""

    def __init__(self, ledger: Ledger, visibility_seconds: float) -> None:
        self.ledger = ledger
        self.queue = Queue(visibility_seconds)
        self.dead_letters = 0
        self._waiting: deque[_Waiting] = deque()
        self._returning: asyncio.TimerHandle | None = None
        self._serial = count(1)
        self._epoch = time.time() - time.monotonic()

    def send(self, bucket: str, body: str) -> None:
        """Enqueue a message and wake who waits for one."""
        now = time.monotonic()
        self.ledger.add(bucket, now)
        self.queue.send(bucket, body, now)
        self._wake()

    def serve(self, request: Request) -> None:
        """Answer a request, a receive that finds nothing after its wait."""
        query = {name.lower(): value for name, value in parse_qsl(request.query, keep_blank_values=True)}
        messages = request.path.endswith("/messages")
        match request.method, messages:
            case "GET", True if query.get("peekonly") == "true":
                # A look at the dead-letter queue, in which nothing ever is: it must take no message of the other one.
                self._asked("BatchPeekMessage")
                self._refuse(request, Code.MESSAGE_NOT_EXIST)
            case "GET", True:
                self._receive(request, query)
            case "DELETE", True:
                self._delete(request, query)
            case "PUT", True:
                self._change_visibility(request, query)
            case "POST", True:
                self._accept(request)
            case "GET", False:
                self._attributes(request)
            case _:
                self._asked("Unknown")
                self._refuse(request, Code.INVALID_REQUEST_URL)

    def _asked(self, operation: str) -> float:
        now = time.monotonic()
        self.ledger.asked(f"mns:{operation}", now)
        return now

    def _receive(self, request: Request, query: dict[str, str]) -> None:
        batch = "numofmessages" in query
        now = self._asked("BatchReceiveMessage" if batch else "ReceiveMessage")
        waiting = _Waiting(request, int(query.get("numofmessages", 1)), batch)
        if self._hand_out(waiting, now):
            return
        wait_seconds = int(query.get("waitseconds", 0))
        if not wait_seconds:
            self._refuse(request, Code.MESSAGE_NOT_EXIST)
            return
        waiting.until = asyncio.get_running_loop().call_later(wait_seconds, self._give_up, waiting)
        self._waiting.append(waiting)
        self._look_again()

    def _hand_out(self, waiting: _Waiting, now: float) -> bool:
        batch = self.queue.receive(waiting.limit, now)
        if not batch:
            return False
        for message in batch:
            self.ledger.delivered(message.bucket, now)
        if waiting.batch:
            body = document("Messages", [("Message", self._received(message)) for message in batch])
        else:
            body = document("Message", self._received(batch[0]))
        self._answer(waiting.request, 200, body)
        return True

    def _received(self, message: Message) -> list[Node]:
        return [
            ("MessageId", message.id),
            ("MessageBodyMD5", message.body_md5),
            ("MessageBody", message.body),
            ("ReceiptHandle", message.handle),
            ("EnqueueTime", self._ms(message.enqueued_at)),
            ("FirstDequeueTime", self._ms(message.first_received_at)),
            ("NextVisibleTime", self._ms(message.visible_at)),
            ("DequeueCount", message.dequeue_count),
            ("Priority", 8),
        ]

    def _give_up(self, waiting: _Waiting) -> None:
        self._waiting.remove(waiting)
        self._refuse(waiting.request, Code.MESSAGE_NOT_EXIST)

    def _wake(self) -> None:
        """Hand what is visible to those who wait, the longest waiting first; who left gets nothing."""
        while self._waiting:
            waiting = self._waiting[0]
            if not waiting.request.left and not self._hand_out(waiting, time.monotonic()):
                break
            self._waiting.popleft()
            if waiting.until is not None:
                waiting.until.cancel()
        self._look_again()

    def _look_again(self) -> None:
        """Wake when the next hidden message comes back, if anybody waits then."""
        if self._returning is not None:
            self._returning.cancel()
            self._returning = None
        due = self.queue.next_return()
        if self._waiting and due is not None:
            delay = max(0.0, due - time.monotonic())
            self._returning = asyncio.get_running_loop().call_later(delay, self._wake)

    def _delete(self, request: Request, query: dict[str, str]) -> None:
        if handle := query.get("receipthandle"):
            now = self._asked("DeleteMessage")
            if self._deleted(handle, now):
                self._answer(request, 204)
            else:
                self._refuse(request, Code.MESSAGE_NOT_EXIST)
            return
        now = self._asked("BatchDeleteMessage")
        handles = [found.decode() for found in _HANDLES.findall(request.body)]
        if not 1 <= len(handles) <= _LARGEST_BATCH:
            self._refuse(request, Code.INVALID_ARGUMENT)
            return
        errors = [self._failed(handle) for handle in handles if not self._deleted(handle, now)]
        if errors:
            self._answer(request, 404, document("Errors", [("Error", error) for error in errors]))
        else:
            self._answer(request, 204)

    def _deleted(self, handle: str, now: float) -> bool:
        message = self.queue.delete(handle, now)
        if message is not None:
            self.ledger.removed(message.bucket, now)
        return message is not None

    def _failed(self, handle: str) -> list[Node]:
        code = Code.MESSAGE_NOT_EXIST
        return [("ErrorCode", code.wire_name), ("ErrorMessage", code.message), ("ReceiptHandle", handle)]

    def _change_visibility(self, request: Request, query: dict[str, str]) -> None:
        now = self._asked("ChangeMessageVisibility")
        handle, seconds = query.get("receipthandle", ""), int(query.get("visibilitytimeout", 0))
        message = self.queue.change_visibility(handle, seconds, now)
        if message is None:
            self._refuse(request, Code.MESSAGE_NOT_EXIST)
            return
        changed: list[Node] = [("ReceiptHandle", message.handle), ("NextVisibleTime", self._ms(message.visible_at))]
        self._answer(request, 200, document("ChangeVisibility", changed))

    def _accept(self, request: Request) -> None:
        """A message for the dead-letter queue: confirmed and counted, nothing more."""
        self._asked("SendMessage")
        found = _BODIES.search(request.body)
        digest = md5(found.group(1) if found else b"", usedforsecurity=False).hexdigest().upper()
        self.dead_letters += 1
        accepted: list[Node] = [("MessageId", f"{next(self._serial):032X}"), ("MessageBodyMD5", digest)]
        self._answer(request, 201, document("Message", accepted))

    def _attributes(self, request: Request) -> None:
        now = self._asked("GetQueueAttributes")
        name = request.path.rpartition("/")[2]
        visible, hidden = (self.dead_letters, 0) if name == DEAD_LETTERS else self.queue.counts(now)
        attributes = QueueAttributes(visibility_timeout_seconds=int(self.queue.visibility_seconds))
        nodes = queue_nodes(name, attributes, Counts(visible, hidden, 0), 1_700_000_000, 1_700_000_000)
        self._answer(request, 200, document("Queue", nodes))

    def _refuse(self, request: Request, code: Code) -> None:
        host = request.headers.get(b"host", b"").decode("latin-1")
        body = error_document(code.wire_name, code.message, f"{next(self._serial):024X}", host)
        self._answer(request, code.status, body)

    def _answer(self, request: Request, status: int, body: bytes = b"") -> None:
        # Literally lower case: the Python SDK looks the name up without folding case.
        headers = f"Server: AliyunMNS\r\nx-mns-request-id: {next(self._serial):024X}\r\nx-mns-version: 2015-06-06\r\n"
        if body:
            headers += "Content-Type: text/xml;charset=utf-8\r\n"
        request.answer(answer(status, headers, body, time.time()))

    def _ms(self, moment: float) -> int:
        return int((self._epoch + moment) * 1000)
