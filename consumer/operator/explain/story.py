"""What a journal says about one message, or about the newest messages of one resource. Pure."""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from consumer.core.event import ACCOUNT_ID, REGION, Event
from consumer.core.observers import StepName
from consumer.journal.format import Entry
from consumer.operator.explain.guards import GuardCheck, asked

SHORTEST_ID = 8
_MOST_STEPS = 400
"""Lines of one message that are kept: one that is held for a week has more, and its newest are what matters."""


@dataclass(frozen=True, slots=True)
class JournaledDelivery:
    """One receipt of a message, from its lines."""

    number: int
    """Its dequeue count."""
    steps: tuple[Entry, ...]

    @property
    def ending(self) -> Entry | None:
        """The line that says how it was going to end."""
        found = [each for each in self.steps if each.step in (StepName.DECIDED, StepName.VERIFIED)]
        return found[-1] if found else None

    @property
    def settled(self) -> Entry | None:
        """The line that says what became of the message."""
        found = [each for each in self.steps if each.step == StepName.SETTLED]
        return found[-1] if found else None

    @property
    def guards(self) -> tuple[GuardCheck, ...]:
        """What each guard said; nothing for a delivery without an ending."""
        if self.ending is None:
            return ()
        fields = (self.ending.text(name) for name in ("outcome", "reason", "detail"))
        return asked(*fields, began=any(each.step == StepName.BEFORE for each in self.steps))

    @property
    def request_ids(self) -> tuple[str, ...]:
        """The service's ids of the requests that the work took; none in journals that do not have them."""
        found = self.ending.fields.get("request_ids") if self.ending else None
        return tuple(str(each) for each in found) if isinstance(found, list) else ()


@dataclass(slots=True)
class Message:
    """One message."""

    message_id: str
    lines: OrderedDict[int, list[Entry]] = field(default_factory=OrderedDict)
    """By dequeue count, in the order of the journal."""
    dropped: int = 0
    """Lines about it that were not kept, the oldest."""
    kept: int = 0

    def add(self, entry: Entry) -> None:
        """One line about it."""
        number = entry.fields.get("dequeue_count")
        self.lines.setdefault(number if isinstance(number, int) else 0, []).append(entry)
        self.kept += 1
        while self.kept > _MOST_STEPS:
            oldest = next(iter(self.lines))
            self.lines[oldest].pop(0)
            self.dropped += 1
            self.kept -= 1
            if not self.lines[oldest]:
                del self.lines[oldest]

    @property
    def deliveries(self) -> tuple[JournaledDelivery, ...]:
        """Its receipts, the oldest first."""
        return tuple(JournaledDelivery(number, tuple(entries)) for number, entries in self.lines.items())

    def said(self, name: str) -> str:
        """The newest that its lines say under that name; empty if none does."""
        for entries in reversed(self.lines.values()):
            for entry in reversed(entries):
                if value := entry.text(name):
                    return value
        return ""

    @property
    def event(self) -> Event | None:
        """Its event as far as the journal has it; None for a message that was none."""
        resource, account, region = (self.said(name) for name in ("resource", "account", "region"))
        if not resource or not ACCOUNT_ID.fullmatch(account):
            return None
        at = self._evaluated_at_ms()
        return Event(
            config_rule_id=self.said("config_rule_id"),
            config_rule_name="",
            source_identifier="",
            resource_type=self.said("resource_type") or "ACS::OSS::Bucket",  # the only one while journals lacked it
            resource_id=resource,
            region=region if REGION.fullmatch(region) else "",
            account_id=account,
            risk_level="",
            evaluated_at_ms=at,
            notified_at_ms=at,
            request_id="",
        )

    def _evaluated_at_ms(self) -> int:
        for entries in reversed(self.lines.values()):
            for entry in reversed(entries):
                if isinstance(at := entry.fields.get("evaluated_at_ms"), int):
                    return at
        return 0


class Search:
    """Finds the messages that a text names: one by its id or the end of it, with its parked copies, or a resource's."""

    def __init__(self, wanted: str, limit: int) -> None:
        self._wanted = wanted
        self._limit = limit
        self._found: OrderedDict[str, None] = OrderedDict()
        self.more = False
        """Whether there are older messages than those found."""
        self.by_people: deque[Entry] = deque(maxlen=limit)
        """The newest lines about the resource that no message led to: what people put back."""

    def hear(self, entry: Entry) -> None:
        """One line."""
        message, of_resource = entry.text("message_id"), entry.text("resource") == self._wanted
        if not message:
            if of_resource:
                self.by_people.append(entry)
            return
        if not (of_resource or _named(message, self._wanted) or _named(entry.text("copy_of"), self._wanted)):
            return
        self._found[message] = None
        self._found.move_to_end(message)
        if len(self._found) > self._limit:
            self._found.popitem(last=False)
            self.more = True

    @property
    def found(self) -> tuple[str, ...]:
        """Their ids, the one with the newest line last."""
        return tuple(self._found)

    def spellings(self) -> tuple[bytes, ...]:
        """How these ids stand in a line."""
        return tuple(json.dumps(each).encode("ascii") for each in self._found)


def _named(message: str, wanted: str) -> bool:
    return (message == wanted and message != "") or (len(wanted) >= SHORTEST_ID and message.endswith(wanted))


def told(entries: Iterable[Entry], wanted: Iterable[str]) -> list[Message]:
    """These messages with their lines, in the order given."""
    messages = {each: Message(each) for each in wanted}
    for entry in entries:
        if message := messages.get(entry.text("message_id")):
            message.add(entry)
    return list(messages.values())


def document(message: Message) -> dict[str, Any]:
    """For scripts."""
    return {
        "message_id": message.message_id,
        "resource": message.said("resource"),
        "rule": message.said("rule"),
        "lines_not_shown": message.dropped,
        "deliveries": [
            {
                "dequeue_count": each.number,
                "outcome": each.ending.text("outcome") if each.ending else None,
                "disposition": each.settled.text("disposition") if each.settled else None,
                "steps": [{**entry.fields, "hash": entry.digest} for entry in each.steps],
                "guards": [
                    {"guard": one.guard, "answer": one.answer.value, "because": one.because} for one in each.guards
                ],
                "request_ids": list(each.request_ids),
            }
            for each in message.deliveries
        ],
    }
