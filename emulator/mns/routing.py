"""Names the operation a request asks for, from its line and body's first bytes; refuses nothing."""

from __future__ import annotations

from urllib.parse import unquote

from emulator.http import Request
from emulator.mns.call import UNKNOWN, Target

_QUEUE = {"PUT": "CreateQueue", "GET": "GetQueueAttributes", "DELETE": "DeleteQueue"}
_TOPIC = {"PUT": "CreateTopic", "GET": "GetTopicAttributes", "DELETE": "DeleteTopic"}
_SUBSCRIPTION = {"PUT": "Subscribe", "GET": "GetSubscriptionAttributes", "DELETE": "Unsubscribe"}
_BATCH_ROOT = b"<Messages"
_ROOT_WITHIN_BYTES = 256


def route(request: Request, query: dict[str, str]) -> Target:
    """What the request asks for; `query` holds its values by lower-case name."""
    parts = [unquote(part) for part in request.path.split("/")[1:]]
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
    match parts:
        case [""] if "accountmeta" in query:
            name = {"GET": "GetAccountAttributes", "PUT": "SetAccountAttributes"}
            return Target(name.get(request.method, UNKNOWN))
        case ["commonbuy", "openservice"]:
            return Target("OpenService" if request.method == "POST" else UNKNOWN)
        case ["queues", *rest]:
            return _queue(rest, request, query)
        case ["topics", *rest]:
            return _topic(rest, request.method, query)
    return Target(UNKNOWN)


def query_values(request: Request) -> dict[str, str]:
    """The query's values by lower-case name: the service's own pages write names in either case."""
    if not request.query:
        return {}
    return {name.lower(): value for name, value in request.query_items()}


def _overrides(query: dict[str, str]) -> bool:
    return query.get("metaoverride", "").lower() == "true"


def _queue(rest: list[str], request: Request, query: dict[str, str]) -> Target:
    match rest:
        case []:
            return Target("ListQueue" if request.method == "GET" else UNKNOWN)
        case [name]:
            setting = request.method == "PUT" and _overrides(query)
            return Target("SetQueueAttributes" if setting else _QUEUE.get(request.method, UNKNOWN), queue=name)
        case [name, "messages"]:
            return Target(_messages(request, query), queue=name)
    return Target(UNKNOWN)


def _messages(request: Request, query: dict[str, str]) -> str:
    match request.method:
        case "GET":
            verb = "PeekMessage" if query.get("peekonly", "").lower() == "true" else "ReceiveMessage"
            return f"Batch{verb}" if "numofmessages" in query else verb
        case "POST":
            batch = _BATCH_ROOT in request.body[:_ROOT_WITHIN_BYTES]
            return "BatchSendMessage" if batch else "SendMessage"
        case "DELETE":
            has_body = bool(request.body.strip()) and "receipthandle" not in query
            return "BatchDeleteMessage" if has_body else "DeleteMessage"
        case "PUT":
            return "ChangeMessageVisibility"
    return UNKNOWN


def _topic(rest: list[str], method: str, query: dict[str, str]) -> Target:
    setting = method == "PUT" and _overrides(query)
    match rest:
        case []:
            return Target("ListTopic" if method == "GET" else UNKNOWN)
        case [name]:
            return Target("SetTopicAttributes" if setting else _TOPIC.get(method, UNKNOWN), topic=name)
        case [name, "messages"]:
            return Target("PublishMessage" if method == "POST" else UNKNOWN, topic=name)
        case [name, "subscriptions"]:
            return Target("ListSubscriptionByTopic" if method == "GET" else UNKNOWN, topic=name)
        case [name, "subscriptions", subscription]:
            operation = "SetSubscriptionAttributes" if setting else _SUBSCRIPTION.get(method, UNKNOWN)
            return Target(operation, topic=name, subscription=subscription)
    return Target(UNKNOWN)
