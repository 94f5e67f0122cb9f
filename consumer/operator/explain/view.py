"""An explanation for people: what happened in its order, then why, then how it would end now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.text import Text

from consumer.core.observers import StepName
from consumer.core.printable import quoted
from consumer.journal.format import Entry
from consumer.operator import output, times
from consumer.operator.explain.explained import Explained, Prediction
from consumer.operator.explain.guards import GuardCheck, GuardVerdict
from consumer.operator.explain.matching import RuleMatch
from consumer.operator.explain.story import JournaledDelivery, Message

_STYLES = {
    GuardVerdict.OBJECTED: "bold yellow",
    GuardVerdict.UNKNOWN: "yellow",
    GuardVerdict.PASSED: "green",
    GuardVerdict.NOT_ASKED: "dim",
}
_TAKES = {True: "takes it", False: "does not", None: "unknown"}


def draw(console: Console, explained: Explained) -> None:
    """Write it to a console."""
    for each in _blocks(explained):
        console.print(each)


def _blocks(explained: Explained) -> Iterator[RenderableType]:
    for sentence in explained.doubts:
        yield output.cell(sentence, "bold red")
    if not explained.messages:
        yield f"The journal has no event about {quoted(explained.wanted)}."
    for message in explained.messages:
        yield from _message(message)
    if explained.more:
        yield "There are older messages about it: --limit shows more."
    if explained.by_people:
        yield Text("\nWhat people put back", style="bold")
        yield output.table(("when (UTC)", "who", "step", "state"), [_by_person(each) for each in explained.by_people])
    if explained.rules:
        yield Text("\nWhich rule", style="bold")
        yield output.table(("rule", "", "because"), [_match(each) for each in explained.rules])
    for now in explained.now:
        yield from _now(now)


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
    if deliveries:
        yield from _last(deliveries[-1])


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _step(entry: Entry) -> tuple[str, str, str, str]:
    return (times.moment(entry.at_ms), entry.text("dequeue_count"), entry.step, _what(entry))


def _what(entry: Entry) -> str:
    before, after = entry.text("before"), entry.text("after")
    if entry.step == StepName.RECEIVED:
        return f"by {entry.text('who')}"
    if entry.step == StepName.SETTLED:
        hidden = entry.fields.get("hidden_seconds")
        until = f" for {times.span(hidden)}" if isinstance(hidden, int | float) and hidden > 0 else ""
        return f"message {entry.text('disposition')}{until}"
    ending = ": ".join(part for part in (entry.text("outcome"), entry.text("reason"), entry.text("detail")) if part)
    state = f"{before} → {after}" if before != after else before
    return "; ".join(part for part in (ending, state) if part)


def _last(delivery: JournaledDelivery) -> Iterator[RenderableType]:
    """Why the newest receipt ended as it did."""
    if delivery.ending is None:
        yield "It has no ending on record: it is in work, or the process ended, and the queue delivers it again."
        return
    yield Text("Guard by guard", style="bold")
    yield _guards(delivery.guards)
    if delivery.request_ids:
        yield output.facts([("requests", " ".join(delivery.request_ids))])
    yield ""


def _guards(guards: Iterable[GuardCheck]) -> RenderableType:
    rows = [(one.guard, output.cell(one.answer.value, _STYLES[one.answer]), one.because) for one in guards]
    return output.table(("guard", "answer", "because"), rows)


def _by_person(entry: Entry) -> tuple[str, str, str, str]:
    return (times.moment(entry.at_ms), entry.text("who"), entry.step, _what(entry))


def _match(one: RuleMatch) -> tuple[str, str, str]:
    return (one.rule, _TAKES[one.takes], one.because)


def _now(now: Prediction) -> Iterator[RenderableType]:
    found = now.found
    yield Text("How it would end now", style="bold")
    state = f"{found.before} → {found.after}" if found.before != found.after else found.before
    pairs = [
        ("rule", f"{found.rule}, which {found.mode}s" if found.rule else "none"),
        ("outcome", found.outcome.value if found.outcome else "unknown"),
        ("because", ": ".join(part for part in (found.reason, found.detail) if part)),
        ("state", state),
    ]
    yield output.facts([(name, value) for name, value in pairs if value])
    if now.guards:
        yield _guards(now.guards)
