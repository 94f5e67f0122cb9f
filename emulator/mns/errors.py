"""What the service refuses, and how a refusal looks on the wire; it decides nothing itself.

Codes, statuses and messages follow https://www.alibabacloud.com/help/en/mns/error-codes, the service's own
spelling mistakes included.
"""

from __future__ import annotations

from enum import Enum

from emulator.mns.document import document
from emulator.xml import Node

SCHEMA_MISMATCH = "The XML you provided did not validate against our published schema, cause by {0}."


class Code(Enum):
    """Every error code the emulator answers with: its name on the wire, its status, its usual message."""

    ACCESS_DENIED = (
        "AccessDenied",
        403,
        "The OwnerId that your Access Key Id associated to is forbidden for this operation.",
    )
    INVALID_ACCESS_KEY_ID = ("InvalidAccessKeyId", 403, "The AccessKey Id you provided is not exist.")
    INVALID_SECURITY_TOKEN = ("InvalidSecurityToken", 403, "The security token you provided is invalid.")
    SECURITY_TOKEN_EXPIRED = ("SecurityTokenExpired", 403, "The security token you provided has expired.")
    SIGNATURE_DOES_NOT_MATCH = (
        "SignatureDoesNotMatch",
        403,
        "The request signature we calculated does not match the signature you provided.",
    )
    MISSING_AUTHORIZATION_HEADER = ("MissingAuthorizationHeader", 400, "Authorization header is required.")
    INVALID_AUTHORIZATION_HEADER = (
        "InvalidAuthorizationHeader",
        400,
        "The Authorization header format is invalid.",
    )
    MISSING_DATE_HEADER = ("MissingDateHeader", 400, "Date header is required.")
    INVALID_DATE_HEADER = ("InvalidDateHeader", 400, "The Date header format is invalid.")
    TIME_EXPIRED = ("TimeExpired", 408, "The http request you sent is expired.")
    INVALID_DIGEST = ("InvalidDegist", 400, "The Content-MD5 you specified is invalid.")
    INVALID_ARGUMENT = ("InvalidArgument", 400, SCHEMA_MISMATCH)
    INVALID_REQUEST_URL = ("InvalidRequestURL", 400, "Http request URL format invalid.")
    INVALID_QUERY_STRING = (
        "InvalidQueryString",
        400,
        'Http request URL contains invalid querystring item "{0}".',
    )
    MALFORMED_XML = ("MalformedXML", 400, "The XML you provided was not well-formed.")
    MISSING_RECEIPT_HANDLE = ("MissingReceiptHandle", 400, "ReceiptHandle is required.")
    MISSING_VISIBILITY_TIMEOUT = ("MissingVisibilityTimeout", 400, "VisibilityTimeout is required.")
    RECEIPT_HANDLE_ERROR = ("ReceiptHandleError", 400, "The receipt handle you provide is not valid.")
    MESSAGE_NOT_EXIST = ("MessageNotExist", 404, "Message not exist.")
    QUEUE_NOT_EXIST = ("QueueNotExist", 404, "The queue name you provided is not exist.")
    QUEUE_ALREADY_EXIST = (
        "QueueAlreadyExist",
        409,
        "The queue you want to create is already exist with different attributes.",
    )
    INVALID_QUEUE_NAME = ("InvalidQueueName", 400, "The queue name you provided is invalid.")
    QUEUE_NAME_LENGTH_ERROR = ("QueueNameLengthError", 400, "Queue name length should between 1 and 120.")
    TOPIC_NOT_EXIST = ("TopicNotExist", 404, "The topic name you provided is not exist.")
    TOPIC_ALREADY_EXIST = (
        "TopicAlreadyExist",
        409,
        "The topic you want to create is already exist with different attributes.",
    )
    INVALID_TOPIC_NAME = ("TopicNameInvalid", 400, "The topic name you provided is invalid.")
    TOPIC_NAME_LENGTH_ERROR = ("TopicNameLengthError", 400, "Topic name length should between 1 and 120.")
    SUBSCRIPTION_NOT_EXIST = (
        "SubscriptionNotExist",
        404,
        "The subscription name you provided is not exist.",
    )
    SUBSCRIPTION_ALREADY_EXIST = (
        "SubscriptionAlreadyExist",
        409,
        "The subscription you want to create is already exist with different attributes.",
    )
    INVALID_SUBSCRIPTION_NAME = (
        "SubscriptionNameInvalid",
        400,
        "The subscription name you provided is invalid.",
    )
    SUBSCRIPTION_NAME_LENGTH_ERROR = (
        "SubscriptionNameLengthError",
        400,
        "Subscription name length should between 1 and 120.",
    )
    INVALID_ENDPOINT = ("EndpointInvalid", 400, "The endpoint you provided is invalid.")
    TOO_MANY_REQUESTS = (
        "TooManyRequests",
        429,
        "The request is denied by cluster flow limiter for too many requests.",
    )

    def __init__(self, wire_name: str, status: int, message: str) -> None:
        self.wire_name = wire_name
        self.status = status
        self.message = message


class Refusal(Exception):
    """The service answers this request with an error; nothing has been changed."""

    def __init__(self, code: Code, *parts: str) -> None:
        super().__init__(code.wire_name)
        self.code = code
        self.message = code.message.format(*parts) if parts else code.message


def out_of_range(element: str, low: int, high: int, unit: str) -> Refusal:
    """A value outside its limits: `unit` is `seconds`, `bytes` or empty."""
    refusal = Refusal(Code.INVALID_ARGUMENT, element)
    refusal.message = f"The value of {element} should between {low} and {high} {unit}".rstrip() + "."
    return refusal


def error_document(code: str, message: str, request_id: str, host: str) -> bytes:
    """The `<Error>` body of https://www.alibabacloud.com/help/doc-detail/27500.htm."""
    return document(
        "Error",
        [("Code", code), ("Message", message), ("RequestId", request_id), ("HostId", f"http://{host}")],
    )


def entry_nodes(refusal: Refusal) -> list[Node]:
    """The inside of a batch's entry that was refused: exactly these two elements, or clients drop the batch."""
    return [("ErrorCode", refusal.code.wire_name), ("ErrorMessage", refusal.message)]
