"""The MNS gateway: one queue through the vendor's SDK, with the bounds and the error types this project needs.

A `Queue` belongs to one thread, because the SDK's client is one connection without a lock. It never decides what a
message is worth: it receives, hides, deletes and sends, and translates every failure into `consumer.core.errors`.
Bodies are taken as they are; the SDK's base64 decoding would lose a batch of sixteen for one body that is not base64.

Operations: https://www.alibabacloud.com/help/en/mns/developer-reference
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from mns.message_property import MessagePropertyValue
from mns.mns_exception import MNSClientNetworkException, MNSExceptionBase, MNSServerException
from mns.mns_http import RequestInternal
from mns.mns_request import (
    BatchDeleteMessageRequest,
    BatchDeleteMessageResponse,
    BatchPeekMessageRequest,
    BatchPeekMessageResponse,
    BatchReceiveMessageRequest,
    BatchReceiveMessageResponse,
    GetQueueAttributesRequest,
    GetQueueAttributesResponse,
    RequestBase,
    ResponseBase,
    SendMessageRequest,
    SendMessageResponse,
)
from mns.mns_xml_handler import XMLNS, BatchDeleteMessageDecoder, DecoderBase, ErrorDecoder
from mns.queue import Message

from consumer.aliyun.credentials import CredentialsProvider
from consumer.aliyun.error_codes import MNS, kind_of
from consumer.aliyun.http import LARGEST_BATCH_BYTES, LARGEST_DOCUMENT_BYTES, Exchange, failure_code, no_answer
from consumer.aliyun.mns import messages, replies
from consumer.aliyun.mns.account import account
from consumer.core.errors import (
    DamagedReply,
    MessageGone,
    PermanentError,
    ServiceError,
    Unanswered,
)
from consumer.core.message import Peeked, Received, body_md5
from consumer.core.observers import ApiCall, Hooks
from consumer.core.parked import PropertyType, UserProperty
from consumer.core.queue_attributes import QueueAttributes

POLL_MARGIN_SECONDS = 10.0
"""How much longer than its wait a long poll may take before it counts as unanswered."""

_PROBE_SECONDS = 3.0
"""For a question that nothing depends on."""

_NO_MESSAGE = (
    b'<?xml version="1.0" encoding="utf-8"?><Message xmlns="http://mns.aliyuncs.com/doc/v1/">'
    b"<DelaySeconds>604801</DelaySeconds></Message>"
)
"""What no queue can take: a body is required, and a delay has a week at most; either is an `InvalidArgument`:
https://www.alibabacloud.com/help/en/mns/developer-reference/sendmessage"""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """Where a queue is and how long its service may take to answer."""

    endpoint: str
    """`https://<account>.mns.<region>.aliyuncs.com`, without a path."""
    name: str
    connect_timeout_seconds: float = 5.0
    call_timeout_seconds: float = 10.0
    """For everything but a long poll, which may take its wait longer."""


class Connection:
    """One connection to the service, for one thread: requests within their deadline, failures translated."""

    def __init__(
        self,
        address: QueueAddress,
        credentials: CredentialsProvider,
        hooks: Hooks,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._hooks = hooks
        self._monotonic = monotonic
        self._account = account(address.endpoint, credentials)
        self._client = self._account.mns_client
        self._exchange = Exchange(self._client.http.conn, address.connect_timeout_seconds)

    def close(self) -> None:
        """Close the connection."""
        with suppress(OSError):
            self._client.close_connection()

    def _call(
        self,
        operation: str,
        request: Callable[[], _T],
        *,
        seconds: float | None = None,
        largest_bytes: int = LARGEST_DOCUMENT_BYTES,
    ) -> _T:
        """One request within its deadline, counted, and its failure translated."""
        self._exchange.begin(seconds or self._address.call_timeout_seconds, largest_bytes)
        started = self._monotonic()
        code = "ok"
        try:
            result = request()
            if not replies.from_service(self._exchange.reply):
                raise self._not_an_answer(operation)
        except ServiceError as error:
            code = error.code
            raise
        except Exception as raised:  # noqa: BLE001 - the SDK lets parser, type and socket errors through
            translated = self._translated(operation, raised)
            code = "empty" if _is_empty_receive(operation, translated) else translated.code
            raise translated from None
        finally:
            request_id = replies.request_id(self._exchange.reply)
            seconds = self._monotonic() - started
            self._hooks.api_call(ApiCall("mns", operation, code, seconds, request_id, self._address.name))
        return result

    def _attributes(self, queue_name: str) -> QueueAttributes:
        """The request behind GetQueueAttributes, to be made within `_call`."""
        damaged: Exception | None = None
        try:
            # Not the SDK's own get_attributes(), which warns about itself on every call.
            self._client.get_queue_attributes(GetQueueAttributesRequest(queue_name), GetQueueAttributesResponse())
        except (MNSClientNetworkException, ValueError) as raised:
            damaged = raised  # so it calls a reply that lacks a figure, too
        found = replies.queue_attributes(self._exchange.reply)
        if found is None:
            raise damaged or self._not_an_answer("GetQueueAttributes")
        return found

    def _translated(self, operation: str, raised: Exception) -> ServiceError:
        reply = self._exchange.reply
        if isinstance(raised, MNSServerException):
            return _error(operation, str(raised.type), str(raised.message), reply.status, str(raised.req_id or ""))
        if isinstance(raised, MNSClientNetworkException) and not reply.complete:
            cause = raised.__context__
            return Unanswered(
                "mns", operation, failure_code(cause), no_answer(urlsplit(self._address.endpoint).netloc, cause)
            )
        if isinstance(raised, MNSExceptionBase) and not isinstance(raised, MNSClientNetworkException):
            return PermanentError("mns", operation, str(raised.type), str(raised.message))
        return self._not_an_answer(operation)

    def _not_an_answer(self, operation: str) -> DamagedReply:
        """What came is not an answer of MNS: a web page, a redirect, half a document. Its text is never shown."""
        self.close()
        reply = self._exchange.reply
        text = f"HTTP {reply.status} with {len(reply.body)} bytes is not an answer of the service"
        request_id = replies.request_id(reply)
        return DamagedReply("mns", operation, "damaged_reply", text, status=reply.status, request_id=request_id)


class Queue(Connection):
    """One queue, for one thread."""

    def __init__(
        self,
        address: QueueAddress,
        credentials: CredentialsProvider,
        hooks: Hooks,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(address, credentials, hooks, monotonic=monotonic)
        self.name = address.name
        self._queue = self._account.get_queue(address.name)
        self._queue.set_encoding(False)

    def receive(self, count: int, wait_seconds: int) -> list[Received]:
        """Up to `count` messages (at most 16), waiting up to `wait_seconds` for the first; none when it stays empty.

        Raises:
            ServiceError: nothing was received, or what came could not be read. In the latter case the messages
                stay hidden until their visibility timeout ends.
        """

        def attempt() -> list[Received]:
            self._ask_for_batch(
                BatchReceiveMessageRequest(self.name, count, False, wait_seconds),
                BatchReceiveMessageResponse(),
                f"numOfMessages={count}&waitseconds={wait_seconds}",
            )
            found = messages.received(self._exchange.reply)
            if len(found) > count:
                raise ValueError("more messages than were requested")
            return found

        try:
            arrived = self._call(
                "BatchReceiveMessage",
                attempt,
                seconds=wait_seconds + POLL_MARGIN_SECONDS,
                largest_bytes=LARGEST_BATCH_BYTES,
            )
        except MessageGone:
            return []
        except DamagedReply:
            # One message that cannot be read spoils the whole document; the others still have their handles.
            arrived = messages.rescued(self._exchange.reply, count)
            if not arrived:
                raise
        # The lease runs from here on, however long whoever follows the messages takes.
        now = self._monotonic()
        arrived = [replace(message, arrived_at=now) for message in arrived]
        self._hooks.received(arrived)
        return arrived

    def delete(self, receipt_handles: Sequence[str]) -> dict[str, ServiceError]:
        """Delete up to 16 messages; returns the failure of each handle that was not deleted.

        Raises:
            ServiceError: the request as a whole failed, so any of them may or may not be deleted.
        """
        failures: dict[str, ServiceError] = {}
        wanted = BatchDeleteMessageRequest(self.name, list(receipt_handles))

        def attempt() -> None:
            request = RequestInternal(wanted.method, f"/queues/{self.name}/messages")
            request.data = handles_document(receipt_handles)
            try:
                self._exchanged(wanted, request, BatchDeleteMessageResponse(), BatchDeleteMessageDecoder)
            except (MNSExceptionBase, KeyError):
                # The SDK loses the list of failures to an empty message element or a missing header.
                listed = replies.failed_deletes(self._exchange.reply)
                if not listed:
                    raise
                failures.update(
                    {handle: _error("BatchDeleteMessage", *refusal, 404) for handle, refusal in listed.items()}
                )

        self._call("BatchDeleteMessage", attempt)
        if not failures and self._exchange.reply.status != 204:
            raise self._not_an_answer("BatchDeleteMessage")
        return failures

    def hide(self, receipt_handle: str, seconds: int) -> str:
        """Keep a message invisible for `seconds` from now (1 to 43,200); returns the handle that replaces the old one.

        Raises:
            MessageGone: the handle is no longer ours.
            ServiceError: the request failed; when unanswered, the handle may have been replaced all the same.
        """
        changed = self._call(
            "ChangeMessageVisibility", lambda: self._queue.change_message_visibility(receipt_handle, seconds)
        )
        return str(changed.receipt_handle)

    def send(
        self,
        body: str,
        *,
        delay_seconds: int | None = None,
        priority: int | None = None,
        properties: Sequence[UserProperty] = (),
    ) -> str:
        """Send a message; returns its id once the service has confirmed exactly this body.

        It is visible after `delay_seconds` (0 to 604,800), or after the queue's own delay; `properties` have to be
        sendable. https://www.alibabacloud.com/help/en/mns/developer-reference/sendmessage

        Raises:
            ServiceError: it is not known to be in the queue.
        """
        message = Message(body, delay_seconds, priority)
        for found in properties:
            message.add_user_property(found.name, _property_value(found))
        sent = self._call("SendMessage", lambda: self._queue.send_message(message))
        if self._exchange.reply.status != 201 or sent.message_body_md5.upper() != body_md5(body):
            raise self._not_an_answer("SendMessage")
        return str(sent.message_id)

    def send_nothing(self) -> None:
        """Ask the queue to take a message that it cannot take, which leaves it as it is whatever it answers.

        Who may not send to it may hear that instead; whether the service looks at that first is unverified.

        Raises:
            ServiceError: the refusal. PermissionMissing alone says something of the queue.
        """

        def attempt() -> None:
            request = RequestInternal("POST", f"/queues/{self.name}/messages")
            request.data = _NO_MESSAGE
            self._exchanged(SendMessageRequest(self.name, ""), request, SendMessageResponse())

        self._call("SendMessage", attempt, seconds=min(_PROBE_SECONDS, self._address.call_timeout_seconds))

    def peek(self, count: int) -> list[Peeked]:
        """Up to `count` visible messages (at most 16), the next ones first, without taking any of them.

        Raises:
            ServiceError: they could not be read.
        """

        def attempt() -> list[Peeked]:
            self._ask_for_batch(
                BatchPeekMessageRequest(self.name, count, False),
                BatchPeekMessageResponse(),
                f"peekonly=true&numOfMessages={count}",
            )
            return messages.peeked(self._exchange.reply)

        try:
            return self._call("BatchPeekMessage", attempt, largest_bytes=LARGEST_BATCH_BYTES)
        except MessageGone:
            return []
        except DamagedReply:
            # As in a receive: one message that cannot be read must not hide the others from a person.
            seen = messages.peeked_apart(self._exchange.reply)
            if not seen:
                raise
            return seen

    def attributes(self) -> QueueAttributes:
        """The queue's attributes.

        Raises:
            ServiceError: they could not be read.
        """
        return self._call("GetQueueAttributes", lambda: self._attributes(self.name))

    def _ask_for_batch(self, wanted: RequestBase, outcome: ResponseBase, query: str) -> None:
        """The SDK's own request for messages up to where it would read the answer."""
        request = RequestInternal(wanted.method, f"/queues/{self.name}/messages?{query}")
        self._exchanged(wanted, request, outcome)

    def _exchanged(
        self,
        wanted: RequestBase,
        request: RequestInternal,
        outcome: ResponseBase,
        decoder: type[DecoderBase] = ErrorDecoder,
    ) -> None:
        """Sign, send, raise the error."""
        self._client.build_header(wanted, request)
        answer = self._client.http.send_request(request)
        outcome.header = answer.header
        self._client.check_status(request, answer, outcome, decoder)


def handles_document(receipt_handles: Sequence[str]) -> bytes:
    """The document that a batch delete takes: what the SDK makes as a tree of objects.

    https://www.alibabacloud.com/help/en/mns/developer-reference/batchdeletemessage
    """
    inner = "".join(f"<ReceiptHandle>{escape(handle)}</ReceiptHandle>" for handle in receipt_handles)
    return f'<?xml version="1.0" encoding="utf-8"?><ReceiptHandles xmlns="{XMLNS}">{inner}</ReceiptHandles>'.encode()


def _property_value(found: UserProperty) -> MessagePropertyValue:
    """As the SDK takes it, which encodes binary values itself."""
    value = base64.b64decode(found.value) if found.type == PropertyType.BINARY else found.value
    return MessagePropertyValue(found.type, value)


def _is_empty_receive(operation: str, error: ServiceError) -> bool:
    return operation in ("BatchReceiveMessage", "BatchPeekMessage") and error.code == "MessageNotExist"


def _error(operation: str, code: str, message: str, status: int, request_id: str = "") -> ServiceError:
    return kind_of(MNS, code, status)("mns", operation, code, message, status=status, request_id=request_id)
