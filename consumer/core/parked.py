"""What travels with a parked copy: the history of its message, as user properties beside the unchanged body. Pure.

A message that has to wait is sent again to its own queue with a delay, and the original is deleted. The copy is a new
message to the service: new id, new times, received for the first time. What has to survive stands in properties whose
names begin with `remediator-`; properties of anybody else travel along as they are, where they fit.

Anyone who may send to the queue can write any of this. So everything is bounded and checked against what the service
itself says of the copy: times are corrected, and what else does not fit is no history at all, so that the message
counts as new. A history can make a message older (up to `OLDEST_MS`) and more often tried, never younger than the
service knows it, and it has no say in how long the message waits or in whether a change may be made.

Limits: https://www.alibabacloud.com/help/en/mns/developer-reference/message-properties; all of it counts towards the
size of the message.
Whether the service returns properties with every receive is unverified: a copy without them is a new message.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

PREFIX = "remediator-"

OLDEST_MS = 90 * 86_400_000
"""A history makes a message older than its copy by this much at most; what has waited for longer shows this age."""

MOST_PROPERTIES = 50
"""Of one message, by the service's limits."""

_LONGEST_NAME = 256
_LONGEST_VALUE = 4_096

MOST_COUNTED = 1_000_000
"""Receipts and attempts beyond this are not counted."""

_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)
_REASON = re.compile(r"[a-z_]{1,32}:[A-Za-z0-9_.-]{0,64}", re.ASCII)
_NOT_XML = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_IN_REASON = re.compile(r"[^A-Za-z0-9_.-]", re.ASCII)


class PropertyType(StrEnum):
    """What a value is meant as; every value is a text on its way."""

    STRING = "STRING"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    BINARY = "BINARY"
    """In base64."""


class PropertyName(StrEnum):
    """The properties that are ours."""

    ORIGIN_ID = f"{PREFIX}origin-id"
    FIRST_ENQUEUED = f"{PREFIX}first-enqueued-ms"
    FIRST_RECEIVED = f"{PREFIX}first-received-ms"
    RECEIPTS = f"{PREFIX}receipts"
    ATTEMPTS = f"{PREFIX}attempts"
    REASON = f"{PREFIX}reason"
    DEAD_LETTER = f"{PREFIX}dead-letter-ms"
    """Only in the history of a message that has been a dead letter."""


_OURS = frozenset(PropertyName)


@dataclass(frozen=True, slots=True)
class UserProperty:
    """One typed property of a message."""

    name: str
    value: str
    type: str = PropertyType.STRING

    @property
    def size_bytes(self) -> int:
        """What it adds to the size of its message, if the service counts all of it."""
        return sum(len(part.encode("utf-8", "surrogatepass")) for part in (self.name, self.value, self.type))

    @property
    def sendable(self) -> bool:
        """Whether it arrives as it is when it is sent: nothing in it is written or read in another way."""
        named = len(self.name) <= _LONGEST_NAME and _NAME.fullmatch(self.name)
        fits = named and 0 < len(self.value) <= _LONGEST_VALUE
        return bool(fits) and is_xml_text(self.value) and _canonical(self.type, self.value)


@dataclass(frozen=True, slots=True)
class History:
    """What was known of a message when its copy was parked. Times are the service's, milliseconds since the epoch."""

    origin_id: str
    """The id of the message that was there first, the same in all its copies."""
    first_enqueued_ms: int
    first_received_ms: int
    receipts: int
    """How often all copies before this one were received together."""
    attempts: int
    """How often working on it failed, on whatever replica."""
    reason: str
    """Why it was parked, for people: `held:over_limit`."""
    dead_letter_ms: int = 0
    """When it first became a dead letter; 0 if it never was one."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What a received message carries beside its body."""

    history: History | None = None
    """None for a message that is its own origin, and for one whose history cannot be believed."""
    foreign: tuple[UserProperty, ...] = ()
    """Properties that are not ours, in their order."""
    whole: bool = True
    """Whether this is all of it and can be sent again as it came; else only the history travels with a copy."""


NOTHING = Carried()


def carried(properties: Sequence[UserProperty], enqueued_at_ms: int) -> Carried:
    """What a message carries that the service took at `enqueued_at_ms`."""
    if not properties:
        return NOTHING
    if len(properties) > MOST_PROPERTIES:
        return Carried(whole=False)
    ours = {found.name: found.value for found in properties if found.name in _OURS}
    foreign = tuple(found for found in properties if found.name not in _OURS)
    once = max(Counter(found.name for found in properties).values()) == 1
    history = _history(ours, enqueued_at_ms) if once else None
    return Carried(history, foreign, once and all(found.sendable for found in foreign))


def written(history: History) -> tuple[UserProperty, ...]:
    """The properties that `carried` reads back as this history."""
    numbers = {
        PropertyName.FIRST_ENQUEUED: history.first_enqueued_ms,
        PropertyName.FIRST_RECEIVED: history.first_received_ms,
        PropertyName.RECEIPTS: history.receipts,
        PropertyName.ATTEMPTS: history.attempts,
        **({PropertyName.DEAD_LETTER: history.dead_letter_ms} if history.dead_letter_ms else {}),
    }
    return (
        UserProperty(PropertyName.ORIGIN_ID, history.origin_id),
        *(UserProperty(name, str(number), PropertyType.NUMBER) for name, number in numbers.items()),
        UserProperty(PropertyName.REASON, history.reason),
    )


def reason(outcome: str, word: str) -> str:
    """Why a message is parked, in the form in which it travels."""
    return f"{outcome}:{_NOT_IN_REASON.sub('_', word)[:64]}"


def is_xml_text(text: str) -> bool:
    r"""Whether a text is the same after it was written into XML and read: no control but tab and line feed, no `\r`."""
    return _NOT_XML.search(text) is None


def _history(ours: Mapping[str, str], enqueued_at_ms: int) -> History | None:
    """The history that these values are, if nothing in it contradicts the service or itself."""
    origin_id, why = ours.get(PropertyName.ORIGIN_ID, ""), ours.get(PropertyName.REASON, "")
    if not (_ID.fullmatch(origin_id) and _REASON.fullmatch(why)):
        return None
    numbers = [
        int(text) if _NUMBER.fullmatch(text) else -1
        for text in (
            ours.get(PropertyName.FIRST_ENQUEUED, ""),
            ours.get(PropertyName.FIRST_RECEIVED, ""),
            ours.get(PropertyName.DEAD_LETTER, "0"),
            ours.get(PropertyName.RECEIPTS, ""),
            ours.get(PropertyName.ATTEMPTS, ""),
        )
    ]
    enqueued, received, dead_letter, receipts, attempts = numbers
    if min(enqueued, received, enqueued_at_ms) <= 0 or dead_letter < 0:
        return None
    if not 0 <= attempts <= receipts <= MOST_COUNTED or receipts < 1:
        return None  # every attempt was a receipt
    # Nobody received it before it was there, and its copy was made after that; but the clocks of the service's machines
    # may differ by a little, and a history that is dropped for it would forget every attempt.
    first = min(max(enqueued, enqueued_at_ms - OLDEST_MS), enqueued_at_ms)
    return History(
        origin_id,
        first,
        _between(first, received, enqueued_at_ms),
        receipts,
        attempts,
        why,
        dead_letter and _between(first, dead_letter, enqueued_at_ms),
    )


def _between(earliest: int, moment: int, latest: int) -> int:
    return min(max(moment, earliest), latest)


def _canonical(kind: str, value: str) -> bool:
    """Whether the SDK sends a value of this type as exactly this text."""
    match kind:
        case PropertyType.STRING:
            return True
        case PropertyType.NUMBER:
            return _is_number(value)
        case PropertyType.BOOLEAN:
            return value in ("true", "false")
        case PropertyType.BINARY:
            return _is_base64(value)
        case _:
            return False


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _is_base64(value: str) -> bool:
    try:
        return base64.b64encode(base64.b64decode(value, validate=True)).decode("ascii") == value
    except (binascii.Error, ValueError):
        return False
