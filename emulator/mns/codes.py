"""Every way in which the emulated MNS refuses, one row each, the service's own spelling mistakes included.

The list of codes is https://www.alibabacloud.com/help/en/mns/error-codes ; where its message has no figures, those of
the page of limits stand here.
"""

from __future__ import annotations

from enum import Enum

from emulator.codes import Known, Row

_R, _D, _S = Known.RECORDED, Known.DOCUMENTED, Known.ASSERTED
_LIST, _LIMITS = "error-codes", "error-codes, product-overview/limits"
_ON_QUEUES = "*QueueAttributes *Message *MessageVisibility"
_ON_TOPICS = "*TopicAttributes PublishMessage Subscribe *Subscription* Unsubscribe"


class Code(Enum):
    """The table; a member's name is for the code that raises it."""

    # fmt: off
    # Who asks, and when.
    ACCESS_DENIED = Row("*", "AccessDenied", 403,
        "The OwnerId that your Access Key Id associated to is forbidden for this operation.", "", _D, _LIST)
    INVALID_ACCESS_KEY_ID = Row("*", "InvalidAccessKeyId", 403, "The AccessKey Id you provided is not exist.", "", _D,
        _LIST)
    INVALID_SECURITY_TOKEN = Row("*", "InvalidSecurityToken", 403, "The security token you provided is invalid.")
    SECURITY_TOKEN_EXPIRED = Row("*", "SecurityTokenExpired", 403, "The security token you provided has expired.")
    SIGNATURE_DOES_NOT_MATCH = Row("*", "SignatureDoesNotMatch", 403,
        "The request signature we calculated does not match the signature you provided.", "", _D, _LIST)
    MISSING_AUTHORIZATION_HEADER = Row("*", "MissingAuthorizationHeader", 400, "Authorization header is required.", "",
        _D, _LIST)
    INVALID_AUTHORIZATION_HEADER = Row("*", "InvalidAuthorizationHeader", 400,
        "The Authorization header format is invalid.", "", _D, _LIST)
    MISSING_DATE_HEADER = Row("*", "MissingDateHeader", 400, "Date header is required.", "", _D, _LIST)
    INVALID_DATE_HEADER = Row("*", "InvalidDateHeader", 400, "The Date header format is invalid.", "", _D, _LIST)
    TIME_EXPIRED = Row("*", "TimeExpired", 408, "The http request you sent is expired.", "", _D, _LIST)
    INVALID_DIGEST = Row("*", "InvalidDegist", 400, "The Content-MD5 you specified is invalid.", "", _D, _LIST)
    TOO_MANY_REQUESTS = Row("*ReceiveMessage", "TooManyRequests", 429,
        "The request is denied by cluster flow limiter for too many requests.", "", _D, "flow-limiting-policy")

    # What is requested.
    INVALID_ARGUMENT = Row("*", "InvalidArgument", 400,
        "The XML you provided did not validate against our published schema, cause by {0}.", "", _D, _LIST)
    OUT_OF_RANGE = Row("*", "InvalidArgument", 400, "The value of {0} should between {1} and {2}{3}.", "", _D,
        _LIMITS)
    INVALID_REQUEST_URL = Row("*", "InvalidRequestURL", 400, "Http request URL format invalid.", "", _D, _LIST)
    INVALID_QUERY_STRING = Row("*", "InvalidQueryString", 400,
        'Http request URL contains invalid querystring item "{0}".', "", _D, _LIST)
    MALFORMED_XML = Row("*", "MalformedXML", 400, "The XML you provided was not well-formed.", "", _D, _LIST)
    MISSING_RECEIPT_HANDLE = Row("DeleteMessage ChangeMessageVisibility", "MissingReceiptHandle", 400,
        "ReceiptHandle is required.", "", _D, _LIST)
    MISSING_VISIBILITY_TIMEOUT = Row("ChangeMessageVisibility", "MissingVisibilityTimeout", 400,
        "VisibilityTimeout is required.", "", _D, _LIST)

    # Queues and messages.
    RECEIPT_HANDLE_ERROR = Row("*DeleteMessage ChangeMessageVisibility", "ReceiptHandleError", 400,
        "The receipt handle you provide is not valid.", "", _D, _LIST)
    MESSAGE_NOT_EXIST = Row("*ReceiveMessage *PeekMessage *DeleteMessage ChangeMessageVisibility", "MessageNotExist",
        404, "Message not exist.", "", _D, _LIST)
    QUEUE_NOT_EXIST = Row(_ON_QUEUES, "QueueNotExist", 404, "The queue name you provided is not exist.", "", _D,
        _LIST)
    QUEUE_ALREADY_EXIST = Row("CreateQueue", "QueueAlreadyExist", 409,
        "The queue you want to create is already exist with different attributes.", "", _D, _LIST)
    INVALID_QUEUE_NAME = Row("CreateQueue", "InvalidQueueName", 400, "The queue name you provided is invalid.", "",
        _D, _LIST)
    QUEUE_NAME_LENGTH_ERROR = Row("CreateQueue", "QueueNameLengthError", 400,
        "Queue name length should between 1 and 120.", "", _D, _LIMITS)

    # Topics and subscriptions.
    TOPIC_NOT_EXIST = Row(_ON_TOPICS, "TopicNotExist", 404, "The topic name you provided is not exist.", "", _D,
        _LIST)
    TOPIC_ALREADY_EXIST = Row("CreateTopic", "TopicAlreadyExist", 409,
        "The topic you want to create is already exist with different attributes.", "", _D, _LIST)
    INVALID_TOPIC_NAME = Row("CreateTopic", "TopicNameInvalid", 400, "The topic name you provided is invalid.", "",
        _D, _LIST)
    TOPIC_NAME_LENGTH_ERROR = Row("CreateTopic", "TopicNameLengthError", 400,
        "Topic name length should between 1 and 120.", "", _D, _LIMITS)
    SUBSCRIPTION_NOT_EXIST = Row("*SubscriptionAttributes", "SubscriptionNotExist", 404,
        "The subscription name you provided is not exist.", "", _D, _LIST)
    SUBSCRIPTION_ALREADY_EXIST = Row("Subscribe", "SubscriptionAlreadyExist", 409,
        "The subscription you want to create is already exist with different attributes.", "", _D, _LIST)
    INVALID_SUBSCRIPTION_NAME = Row("Subscribe", "SubscriptionNameInvalid", 400,
        "The subscription name you provided is invalid.", "", _D, _LIST)
    SUBSCRIPTION_NAME_LENGTH_ERROR = Row("Subscribe", "SubscriptionNameLengthError", 400,
        "Subscription name length should between 1 and 120.", "", _D, _LIMITS)
    INVALID_ENDPOINT = Row("Subscribe", "EndpointInvalid", 400, "The endpoint you provided is invalid.", "", _D,
        _LIST)
    # fmt: on

    @property
    def wire_name(self) -> str:
        """The code as it is written in an answer."""
        row: Row = self.value
        return row.code

    @property
    def status(self) -> int:
        """The HTTP status."""
        row: Row = self.value
        return row.status

    @property
    def message(self) -> str:
        """The text, `{0}` and the like standing for what the request names."""
        row: Row = self.value
        return row.message
