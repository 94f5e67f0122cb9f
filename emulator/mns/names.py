"""The limits of the service, and the rules that names and numbers have to keep.

Source: https://www.alibabacloud.com/help/en/mns/product-overview/limits.
"""

from __future__ import annotations

import re

from emulator.mns.errors import Code, MnsRefusal, out_of_range

NAME_CHARACTERS = 120
QUEUES = TOPICS = 1000
SUBSCRIPTIONS = 100
BATCH_MESSAGES = 16
TAG_CHARACTERS = 16
LIST_ENTRIES = 1000

MESSAGE_BYTES = (1024, 65536)
RETENTION_SECONDS = (60, 604800)
VISIBILITY_SECONDS = (1, 43200)
DELAY_SECONDS = (0, 604800)
WAIT_SECONDS = (0, 30)
PRIORITIES = (1, 16)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*\Z")
_NUMBER = re.compile(r"-?[0-9]{1,15}\Z")
_HANDLE = re.compile(r"[0-9]{1,3}-[A-Za-z0-9+/=_-]{8,128}\Z")


def queue_name(name: str) -> str:
    """The name itself; raises InvalidQueueName or QueueNameLengthError."""
    return _name(name, Code.INVALID_QUEUE_NAME, Code.QUEUE_NAME_LENGTH_ERROR)


def topic_name(name: str) -> str:
    """The name itself; raises TopicNameInvalid or TopicNameLengthError."""
    return _name(name, Code.INVALID_TOPIC_NAME, Code.TOPIC_NAME_LENGTH_ERROR)


def subscription_name(name: str) -> str:
    """The name itself; raises SubscriptionNameInvalid or SubscriptionNameLengthError."""
    return _name(name, Code.INVALID_SUBSCRIPTION_NAME, Code.SUBSCRIPTION_NAME_LENGTH_ERROR)


def _name(name: str, invalid: Code, length: Code) -> str:
    if not 1 <= len(name) <= NAME_CHARACTERS:
        raise MnsRefusal(length)
    if not _NAME.match(name):
        raise MnsRefusal(invalid)
    return name


def number(text: str, element: str, limits: tuple[int, int], unit: str = "") -> int:
    """A whole number within its limits, both included; raises InvalidArgument that names the element."""
    low, high = limits
    text = text.strip()
    if not _NUMBER.match(text):
        raise MnsRefusal(Code.INVALID_ARGUMENT, element)
    value = int(text)
    if not low <= value <= high:
        raise out_of_range(element, low, high, unit)
    return value


def query_number(text: str, item: str, limits: tuple[int, int], unit: str = "") -> int:
    """The same for a value in the query, which is InvalidQueryString when it is no number at all."""
    if not _NUMBER.match(text):
        raise MnsRefusal(Code.INVALID_QUERY_STRING, item)
    return number(text, item, limits, unit)


def check_batch(size: int, element: str) -> None:
    """Raise InvalidArgument unless a batch has 1 to 16 entries."""
    if not 1 <= size <= BATCH_MESSAGES:
        raise out_of_range(element, 1, BATCH_MESSAGES, "")


def flag(text: str, element: str) -> bool:
    """`True` or `False` in any case; raises InvalidArgument that names the element."""
    lowered = text.strip().lower()
    if lowered not in ("true", "false"):
        raise MnsRefusal(Code.INVALID_ARGUMENT, element)
    return lowered == "true"


def tag(text: str, element: str) -> str:
    """A message or filter tag; raises InvalidArgument when it is too long."""
    if len(text) > TAG_CHARACTERS:
        raise out_of_range(element, 1, TAG_CHARACTERS, "characters")
    return text


def receipt_handle(text: str) -> str:
    """The handle itself; raises ReceiptHandleError when no handle was ever written like this."""
    if not _HANDLE.match(text):
        raise MnsRefusal(Code.RECEIPT_HANDLE_ERROR)
    return text
