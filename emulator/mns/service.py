"""The emulated MNS service: authenticates, routes, answers; and the public face for its neighbours.

Cloud Config publishes through it without HTTP, and the control port looks into it and switches the service's
less common behaviours on. What operations mean is in the `*_calls` modules.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from emulator.http import Request, Response
from emulator.mns import (
    account_calls,
    inspection,
    queue_calls,
    receipt_calls,
    receive_calls,
    send_calls,
    subscription_calls,
    topic_calls,
)
from emulator.mns.attributes import Figures
from emulator.mns.authentication import authenticate
from emulator.mns.broker import Broker
from emulator.mns.call import MnsCall
from emulator.mns.dead_letter import DeadLetterPolicy
from emulator.mns.errors import Code, MnsRefusal, error_document
from emulator.mns.message import body_md5, message_id
from emulator.mns.routing import query_values, route
from emulator.mns.topic import Publication
from emulator.world import World

_log = logging.getLogger(__name__)
VERSION = "2015-06-06"
MnsOperation = Callable[[Broker, MnsCall], Response | Awaitable[Response]]

OPERATIONS: dict[str, MnsOperation] = {
    "GetAccountAttributes": account_calls.get_account_attributes,
    "SetAccountAttributes": account_calls.set_account_attributes,
    "OpenService": account_calls.open_service,
    "CreateQueue": queue_calls.create_queue,
    "SetQueueAttributes": queue_calls.set_queue_attributes,
    "GetQueueAttributes": queue_calls.get_queue_attributes,
    "ListQueue": queue_calls.list_queue,
    "DeleteQueue": queue_calls.delete_queue,
    "SendMessage": send_calls.send_message,
    "BatchSendMessage": send_calls.batch_send_message,
    "ReceiveMessage": receive_calls.receive_message,
    "BatchReceiveMessage": receive_calls.batch_receive_message,
    "PeekMessage": receive_calls.peek_message,
    "BatchPeekMessage": receive_calls.batch_peek_message,
    "DeleteMessage": receipt_calls.delete_message,
    "BatchDeleteMessage": receipt_calls.batch_delete_message,
    "ChangeMessageVisibility": receipt_calls.change_message_visibility,
    "CreateTopic": topic_calls.create_topic,
    "SetTopicAttributes": topic_calls.set_topic_attributes,
    "GetTopicAttributes": topic_calls.get_topic_attributes,
    "ListTopic": topic_calls.list_topic,
    "DeleteTopic": topic_calls.delete_topic,
    "PublishMessage": topic_calls.publish_message,
    "Subscribe": subscription_calls.subscribe,
    "SetSubscriptionAttributes": subscription_calls.set_subscription_attributes,
    "GetSubscriptionAttributes": subscription_calls.get_subscription_attributes,
    "ListSubscriptionByTopic": subscription_calls.list_subscription_by_topic,
    "Unsubscribe": subscription_calls.unsubscribe,
}


class MnsService:
    """MNS of one account in one region, in memory."""

    name = "mns"

    def __init__(self, world: World) -> None:
        self._world = world
        self._broker = Broker(world)

    def operation(self, request: Request) -> str:
        """The operation's name (`BatchReceiveMessage`), or `Unknown`; never raises."""
        return route(request, query_values(request)).operation

    async def handle(self, request: Request) -> Response:
        """Authenticate, carry out and answer one request."""
        request_id = self._world.request_id()
        try:
            response = await self._carry_out(request, request_id)
        except MnsRefusal as refusal:
            code = refusal.code
            if not code.value.covers(operation := self.operation(request)):
                _log.error("no row of the table of codes covers %s: %s", operation, code)
            response = self._refused(request, request_id, code.status, code.wire_name, refusal.message)
        return _stamped(response, request_id)

    async def _carry_out(self, request: Request, request_id: str) -> Response:
        key = authenticate(request, self._world)
        query = query_values(request)
        target = route(request, query)
        operation = OPERATIONS.get(target.operation)
        if operation is None:
            raise MnsRefusal(Code.INVALID_REQUEST_URL)
        answer = operation(self._broker, MnsCall(request, target, query, request_id, key.access_key_id))
        return answer if isinstance(answer, Response) else await answer

    def error(self, request: Request, status: int, code: str, message: str) -> Response:
        """A refusal that a fault asks for, in the service's own form."""
        request_id = self._world.request_id()
        return _stamped(self._refused(request, request_id, status, code, message), request_id)

    def _refused(self, request: Request, request_id: str, status: int, code: str, message: str) -> Response:
        return Response(status, body=error_document(code, message, request_id, request.host))

    def publish(self, topic_name: str, body: str, tag: str = "") -> str:
        """Publish without HTTP and push to the subscriptions at once; returns the message id.

        Raises KeyError when the topic does not exist.
        """
        topic = self._broker.topics[topic_name]
        publication = Publication(message_id(), body, body_md5(body), tag, self._broker.now_ms())
        self._world.journal.changed(
            "mns",
            "PublishMessage",
            f"topics/{topic_name}",
            message_id=publication.message_id,
            body=body,
            tag=tag,
        )
        self._broker.publish(topic, publication)
        return publication.message_id

    def state(self, with_messages: bool = True) -> dict[str, Any]:
        """Everything that is there, as JSON; without the messages it stays small for full queues."""
        return inspection.state(self._broker, with_messages)

    def set_dead_letter_policy(self, queue: str, target_queue: str, max_receive_count: int) -> None:
        """Move messages to `target_queue` when they come back after that many receives.

        Raises ValueError when the queue is its own target or the count is below 1.
        """
        self._broker.set_policy(DeadLetterPolicy(queue, target_queue, max_receive_count))

    def clear_dead_letter_policy(self, queue: str) -> None:
        """Switch the queue's dead-letter policy off."""
        self._broker.clear_policy(queue)

    def set_consumption_throttle(self, max_undeleted: int, window_seconds: float) -> None:
        """Refuse receives of a key with TooManyRequests once it left that many messages undeleted."""
        self._broker.throttle.set(max_undeleted, window_seconds)

    def clear_consumption_throttle(self) -> None:
        """Switch the abnormal-consumption throttle off."""
        self._broker.throttle.clear()

    def set_long_poll_cap(self, max_held_polls: int | None) -> None:
        """Answer empty polls at once while that many are held; None holds every poll."""
        self._broker.polls.cap = max_held_polls

    def set_queue_figures(self, figures: Figures) -> None:
        """Let queues tell how many messages they hold, or withdraw that as the service has announced."""
        self._broker.figures = figures

    def reset(self) -> None:
        """Forget everything; polls that are held end with QueueNotExist."""
        self._broker.close()
        self._broker = Broker(self._world)


def _stamped(response: Response, request_id: str) -> Response:
    # Literally lower case: the Python SDK looks the name up without folding case.
    # Recorded: every answer names a content type, a 204 too, which has no length.
    response.headers += [
        ("Server", "AliyunMQS"),
        ("Content-Type", "text/xml;charset=utf-8"),
        ("x-mns-request-id", request_id),
        ("x-mns-version", VERSION),
    ]
    response.sized = response.status != 204
    return response
