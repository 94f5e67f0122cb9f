"""An explanation for people: what happened in its order, then why, then how it would end now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.text import Text

from consumer.core.observers import StepName
from consumer.core.printable import quoted
from consumer.journal.format import Entry
from consumer.operator import output, records, states, times
from consumer.operator.explain.explained import Explained, ExplainedEvent, Prediction
from consumer.operator.explain.guards import GuardCheck, GuardVerdict
from consumer.operator.explain.matching import RuleMatch
from consumer.operator.explain.requests import AnsweredRequests
from consumer.operator.explain.story import JournaledDelivery, Message

_STYLES = {
    GuardVerdict.OBJECTED: "bold yellow",
    GuardVerdict.UNKNOWN: "yellow",
    GuardVerdict.PASSED: "green",
    GuardVerdict.NOT_REACHED: "dim",
}
_MOST_RECEIPTS = 3
"""Of the newest so many receipts of a message, the requests are shown."""
_TAKES = {True: "takes it", False: "does not", None: "unknown"}


def draw(console: Console, explained: Explained) -> None:
    """Write it to a console."""
    for each in _blocks(explained):
        console.print(each)


def _blocks(explained: Explained) -> Iterator[RenderableType]:
    for sentence in explained.journals.doubts:
        yield output.cell(sentence, "bold red")
    if not explained.messages:
        yield f"The journal has no event about {quoted(explained.wanted)}."
    for message in explained.messages:
        yield from _message(message)
    if explained.more:
        yield "There are older messages about it: --limit shows more."
    if explained.journals.advice:
        yield output.cell(explained.journals.advice)
    if explained.by_people:
        yield Text("\nWhat people put back", style="bold")
        yield output.table(("when (UTC)", "who", "step", "state"), [_by_person(each) for each in explained.by_people])
    for each in explained.events:
        yield from _event(each)
    if explained.events_left_out:
        yield (
            f"{explained.events_left_out} older events of other rules are not compared here: "
            "explain each by the id of its message."
        )
    for now in explained.imagined:
        yield from _now(now)


def _event(one: ExplainedEvent) -> Iterator[RenderableType]:
    """Which rule takes one event, and how that would end."""
    found = one.found
    yield Text("\nWhich rule", style="bold")
    pairs = [
        ("message", found.message_id),
        ("config rule", found.event.config_rule_id),
        ("was taken by", found.taken_by or "no rule"),
    ]
    yield output.facts([(name, value) for name, value in pairs if value])
    yield output.table(("rule", "", "because"), [_match(each) for each in one.rules])
    if one.now:
        yield from _now(one.now, found.message_id)


def _message(message: Message) -> Iterator[RenderableType]:
    deliveries = message.deliveries
    pairs = [
        ("message", message.message_id),
        ("copy of", message.value("copy_of")),
        ("resource", message.value("resource")),
        ("rule", message.value("rule")),
        ("received", _times(max((each.number for each in deliveries), default=0))),
    ]
    yield output.facts([(name, value) for name, value in pairs if value])
    if message.dropped:
        yield f"{message.dropped} older lines about it are not shown."
    rows = [_step(entry) for each in deliveries for entry in each.steps]
    yield output.table(("when (UTC)", "received", "step", "what"), rows)
    shown = deliveries[-_MOST_RECEIPTS:]
    for each in shown:
        yield from _requests_of(each, message.value("resource"))
    if len(shown) < len(deliveries):
        yield f"Those of {len(deliveries) - len(shown)} earlier receipts stand in --output json."
    if deliveries:
        yield from _ended(deliveries[-1])


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _step(entry: Entry) -> tuple[str, str, str, str]:
    return (times.moment(entry.at_ms), entry.text("dequeue_count"), entry.step, what(entry))


def what(entry: Entry) -> str:
    """What one line says, besides when and of which receipt."""
    if entry.step == StepName.RECEIVED:
        return f"by {entry.text('who')}"
    if entry.step == StepName.SETTLED:
        copy = f" as {parked_as}" if (parked_as := entry.text("parked_as")) else ""
        return f"message {entry.text('disposition')}{copy}{records.waits(entry)}"
    if entry.step == StepName.CHANGED:
        return "the service has taken the change"
    ending = ": ".join(part for part in (entry.text("outcome"), entry.text("reason"), entry.text("detail")) if part)
    return "; ".join(part for part in (states.cut(ending), _state(entry)) if part)


def _state(entry: Entry) -> str:
    """Both states of a line; that a change is wanted, or about to be made, does not show that it was made."""
    before, after = entry.text("before"), entry.text("after")
    label = ""
    if before != after and entry.step == StepName.BEFORE:
        label = "about to be made: "
    elif before != after and entry.step == StepName.DECIDED:
        in_part = "made in part: " if entry.fields.get("in_part") is True else ""
        label = in_part if records.is_change(entry) else "wanted: "
    elif entry.step == StepName.UNDONE_IN_PART:
        label = "undone in part: "
    return f"{label}{states.change(before, after)}"


def _ended(delivery: JournaledDelivery) -> Iterator[RenderableType]:
    """Why the newest receipt ended as it did."""
    if delivery.ending is None:
        yield "It has no ending on record: it is in work, or the process ended, and the queue delivers it again."
        return
    yield Text("Guard by guard", style="bold")
    yield _guards(delivery.guards)


def _requests_of(delivery: JournaledDelivery, resource: str) -> Iterator[RenderableType]:
    """What one receipt's work sent, and the answers."""
    which = f", received the {_ordinal(delivery.number)} time" if delivery.number > 0 else ""
    yield Text(f"Requests and answers{which}", style="bold")
    if delivery.requests is None:
        yield output.facts([(name, value) for name, value in _unanswered(delivery) if value])
    else:
        yield from _requests(delivery.requests, f"None was sent about {resource}." if resource else "None was sent.")
        if delivery.change is not None:
            yield output.facts([requested(delivery.change, delivery.requests)])
    yield ""


def _unanswered(delivery: JournaledDelivery) -> list[tuple[str, str]]:
    """What is known of requests whose answers are not on record."""
    change = delivery.change
    return [
        ("answers", "not in the journal"),
        ("request ids", " ".join(delivery.request_ids) or "not in the journal"),
        ("announced", states.change(change.text("before"), change.text("after")) if change else ""),
    ]


def _requests(requests: AnsweredRequests, none: str) -> Iterator[RenderableType]:
    """One row a request; `none` stands where there is none."""
    if not requests.shown:
        yield none
        return
    rows = [
        (
            times.moment(each.at_ms) if each.at_ms else "",
            f"{each.service} {each.operation}",
            f"{each.code or '?'}, {each.ms} ms",
            each.request_id,
        )
        for each in requests.shown
    ]
    yield output.table(("when (UTC)", "request", "answer", "request id"), rows)
    if requests.left_out:
        yield f"{requests.left_out} more between the first and the last ones are not kept."


def requested(change: Entry, requests: AnsweredRequests) -> tuple[str, str]:
    """The change that was begun, by which requests, and how these were answered; and what to call it by that."""
    what = states.change(change.text("before"), change.text("after"))
    by = ", ".join(f"{each.operation}: {each.code}" for each in requests.writes)
    if not by:
        return "announced", f"{what}, which no request on record has sent"
    if requests.taken:
        return "change", f"{what}, by {by}"
    unknown = "; whether it was written is not known: no answer came" if requests.unanswered else ""
    return "requested", f"{what}, by {by}{unknown}"


def _ordinal(number: int) -> str:
    special = number % 100 in (11, 12, 13)
    return f"{number}{'th' if special else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _guards(guards: Iterable[GuardCheck]) -> RenderableType:
    rows = [(one.guard, output.cell(one.answer.value, _STYLES[one.answer]), states.cut(one.because)) for one in guards]
    return output.table(("guard", "answer", "because"), rows)


def _by_person(entry: Entry) -> tuple[str, str, str, str]:
    return (times.moment(entry.at_ms), entry.text("who"), entry.step, what(entry))


def _match(one: RuleMatch) -> tuple[str, str, str]:
    return (one.rule, _TAKES[one.takes], one.because)


def _now(now: Prediction, message_id: str = "") -> Iterator[RenderableType]:
    """One look; of an event on record also whose it is."""
    found = now.found
    yield Text("How it would end now", style="bold")
    pairs = [
        ("message", message_id),
        ("rule", f"{found.rule}, which {found.mode}s" if found.rule else "none"),
        ("outcome", found.outcome.value if found.outcome else "unknown"),
        ("because", ": ".join(part for part in (found.reason, states.cut(found.detail)) if part)),
        ("state", states.change(found.before, found.after)),
    ]
    yield output.facts([(name, value) for name, value in pairs if value])
    yield Text("\nRequests and answers of the look", style="bold")
    yield from _requests(now.requests, "None was sent: it would end before a look at the resource.")
    if now.guards:
        yield _guards(now.guards)
