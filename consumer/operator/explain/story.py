"""What a journal says about one message, or about the newest messages of one resource. Pure."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from consumer.core.event import ACCOUNT_ID, REGION, Event
from consumer.core.observers import StepName
from consumer.journal.format import Entry
from consumer.operator.explain.guards import GuardCheck, guard_checks
from consumer.operator.explain.requests import AnsweredRequests, journaled

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
        """What each guard decided; nothing for a delivery without an ending."""
        if self.ending is None:
            return ()
        fields = (self.ending.text(name) for name in ("outcome", "reason", "detail"))
        return guard_checks(*fields, began=self.change is not None)

    @property
    def requests(self) -> AnsweredRequests | None:
        """The requests that the work took, with their answers; None where the journal does not have them."""
        return journaled(self.ending) if self.ending else None

    @property
    def change(self) -> Entry | None:
        """The line that says which change was about to be made; None if none was."""
        return next((each for each in self.steps if each.step == StepName.BEFORE), None)

    @property
    def request_ids(self) -> tuple[str, ...]:
        """The service's ids of the requests that the work took; none in journals that do not have them."""
        found = self.ending.fields.get("request_ids") if self.ending else None
        return tuple(str(each) for each in found) if isinstance(found, list) else ()


LineMoment = tuple[int, int]
"""When a line was written, for putting lines of several journals in one order: milliseconds, and a number."""

_LATEST_MS = 1 << 53


class JournalClock:
    """The moments of the lines of several journals; within a file they never go back, whatever a clock did."""

    def __init__(self) -> None:
        self._number = 0
        self._file_ms = 0

    def next_file(self) -> None:
        """The lines of another file follow."""
        self._file_ms = 0

    def moment(self, entry: Entry) -> LineMoment:
        """The moment of the next line of this file."""
        self._number += 1
        self._file_ms = max(self._file_ms, min(entry.at_ms, _LATEST_MS))
        return self._file_ms, self._number


@dataclass(slots=True)
class Message:
    """One message."""

    message_id: str
    dropped: int = 0
    """Lines about it that were not kept, the oldest."""
    _kept: list[tuple[LineMoment, Entry]] = field(default_factory=list)
    """A heap, the oldest first; no two have the same moment."""

    def add(self, moment: LineMoment, entry: Entry) -> None:
        """One line about it; lines may come in any order of their files."""
        heapq.heappush(self._kept, (moment, entry))
        if len(self._kept) > _MOST_STEPS:
            heapq.heappop(self._kept)
            self.dropped += 1

    @property
    def lines(self) -> list[Entry]:
        """What is kept of it, the oldest first."""
        return [entry for _, entry in sorted(self._kept, key=lambda each: each[0])]

    @property
    def deliveries(self) -> tuple[JournaledDelivery, ...]:
        """Its receipts, the one with the oldest line first."""
        found: dict[int, list[Entry]] = {}
        for entry in self.lines:
            number = entry.fields.get("dequeue_count")
            found.setdefault(number if isinstance(number, int) else 0, []).append(entry)
        return tuple(JournaledDelivery(number, tuple(entries)) for number, entries in found.items())

    def value(self, name: str) -> str:
        """The newest that its lines say under that name; empty if none does."""
        return next((value for entry in reversed(self.lines) if (value := entry.text(name))), "")

    @property
    def event(self) -> Event | None:
        """Its event as far as the journal has it; None for a message that was none."""
        resource, account, region = (self.value(name) for name in ("resource", "account", "region"))
        if not resource or not ACCOUNT_ID.fullmatch(account):
            return None
        at = self._evaluated_at_ms()
        return Event(
            config_rule_id=self.value("config_rule_id"),
            config_rule_name="",
            source_identifier="",
            resource_type=self.value("resource_type") or "ACS::OSS::Bucket",  # the only one while journals lacked it
            resource_id=resource,
            region=region if REGION.fullmatch(region) else "",
            account_id=account,
            risk_level="",
            evaluated_at_ms=at,
            notified_at_ms=at,
            request_id="",
        )

    def _evaluated_at_ms(self) -> int:
        found = (entry.fields.get("evaluated_at_ms") for entry in reversed(self.lines))
        return next((at for at in found if isinstance(at, int)), 0)


class Search:
    """Finds the messages that a text names: one by its id or the end of it, with its parked copies, or a resource's."""

    def __init__(self, wanted: str, limit: int) -> None:
        self._wanted = wanted
        self._limit = limit
        self._clock = JournalClock()
        self._found: dict[str, LineMoment] = {}
        """The moment of the newest line of each."""
        self._by_people: list[tuple[LineMoment, Entry]] = []
        self.more = False
        """Whether there are older messages than those found."""

    def next_file(self) -> None:
        """The lines of another journal follow."""
        self._clock.next_file()

    def add(self, entry: Entry) -> None:
        """One line."""
        moment, message = self._clock.moment(entry), entry.text("message_id")
        of_resource = entry.text("resource") == self._wanted
        if not message:
            if of_resource:
                heapq.heappush(self._by_people, (moment, entry))
                if len(self._by_people) > self._limit:
                    heapq.heappop(self._by_people)
            return
        if not (of_resource or _named(message, self._wanted) or _named(entry.text("copy_of"), self._wanted)):
            return
        self._found[message] = max(moment, self._found.get(message, moment))
        if len(self._found) > self._limit:
            del self._found[min(self._found, key=lambda each: self._found[each])]
            self.more = True

    @property
    def found(self) -> tuple[str, ...]:
        """Their ids, the one with the newest line last."""
        return tuple(sorted(self._found, key=lambda each: self._found[each]))

    @property
    def by_people(self) -> tuple[Entry, ...]:
        """The newest lines about the resource that no message led to, the oldest first: what people put back."""
        return tuple(entry for _, entry in sorted(self._by_people, key=lambda each: each[0]))

    def spellings(self) -> tuple[bytes, ...]:
        """How these ids stand in a line."""
        return tuple(json.dumps(each).encode("ascii") for each in self._found)


def _named(message: str, wanted: str) -> bool:
    return (message == wanted and message != "") or (len(wanted) >= SHORTEST_ID and message.endswith(wanted))


def messages_about(journals: Iterable[Iterable[Entry]], wanted: Iterable[str]) -> list[Message]:
    """These messages with their lines from all journals, in the order given."""
    messages, clock = {each: Message(each) for each in wanted}, JournalClock()
    for journal in journals:
        clock.next_file()
        for entry in journal:
            moment = clock.moment(entry)
            if message := messages.get(entry.text("message_id")):
                message.add(moment, entry)
    return list(messages.values())


def document(message: Message) -> dict[str, Any]:
    """For scripts."""
    return {
        "message_id": message.message_id,
        "resource": message.value("resource"),
        "rule": message.value("rule"),
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
                "requests": [one.document() for one in each.requests.shown] if each.requests else None,
                "requests_left_out": each.requests.left_out if each.requests else 0,
                "request_ids": list(each.request_ids),
            }
            for each in message.deliveries
        ],
    }
