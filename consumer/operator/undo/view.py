"""What a person sees of an undo before and after it, and what is left to do so that it lasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from consumer.operator import output, states, typed
from consumer.operator.lasting import Lasting, WantedExemption, exemption_text
from consumer.operator.undo.change import Undo, difference
from consumer.resources.base import Written, written

_EXEMPT_DAYS = 90
"""For how long the exemption that is proposed would hold."""


def draw(console: Console, work: Undo) -> None:
    """What would be put back, before it is decided."""
    entry = work.entry
    weakens = work.remediation.weakens(work.change)
    console.print(
        output.facts(
            [
                ("change", entry.short_id),
                (work.noun, entry.text("resource")),
                ("made by", f"rule {entry.text('rule')}, {entry.text('remediation')}"),
                ("can be undone", work.remediation.reversible),
                ("afterwards", weakens or f"nothing that protects the {work.noun} is gone"),
            ]
        )
    )
    text = difference(work.change.after, work.change.before, "now", "after the undo")
    for line in text.splitlines():
        style = {"+": "green", "-": "red"}.get(line[:1], "")
        console.print(output.cell(line, style))


def close(console: Console, document: dict[str, Any], work: Undo) -> None:
    """What was done, or why nothing was."""
    if document["result"] != "undone":
        for line in str(document["result"]).splitlines():
            if line.startswith("  config-remediator "):
                output.unbroken(console, line)
            else:
                console.print(output.cell(line))
        if document["now"] is not None:
            console.print(output.cell(f"It reads back as {states.cut(document['now'])}."))
    else:
        text = f"Undone and journaled; it reads back as {states.cut(document['now'])}."
        if document["now"] != work.change.before:
            text += f" Before the change it was {states.cut(repr(work.change.before))}, which cannot be had again."
        console.print(output.cell(text))
    announced = [f"It was {document['announced']}."] if document["announced"] else []
    for line in (*announced, *document["lasting"], *document["advice"]):
        console.print(output.cell(tuple(line.splitlines())))


def refused(work: Undo, why: str) -> str:
    """The result of an undo that the service has refused, of which an earlier request may have been accepted."""
    match written(work.target):
        case Written.NO:
            return f"not undone: {why}"
        case Written.PERHAPS:
            return f"not known whether it was undone: {why}"
        case Written.YES:
            return f"undone in part: {why}"


def unread(work: Undo) -> str:
    """What a person has to know of an undo that was begun and not read back."""
    entry = work.entry
    resource = entry.text("resource")
    shown = work.typing.command("journal", "show", resource, "--all")
    text = (
        f"The undo was begun and not read back: it may have been made.\n{typed.listed((shown, 'what is on record'))}\n"
    )
    if written(work.target) is Written.YES:
        return f"{text}A part of it was made. To have it whole, {work.again}"
    return f"{text}The same undo again is safe: it puts back what is still there, or says that it is as before already."


def left_in_part(work: Undo) -> str:
    """What a person has to know of an undo of which a part was made and read back."""
    return f"A part of it was made, and is journaled. To have it whole, {work.again}"


def document_of(work: Undo, result: str) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "change": work.entry.digest,
        "resource": work.entry.text("resource"),
        "rule": work.entry.text("rule"),
        "remediation": work.entry.text("remediation"),
        "from": work.change.after,
        "to": work.change.before,
        "now": None,
        "weakens": work.remediation.weakens(work.change),
        "announced": None,
        "lasting": [],
        "advice": [],
        "result": result,
    }


def advice(document: dict[str, Any], work: Undo, lasting: Lasting) -> list[str]:
    """What somebody has to do so that an undo lasts, unless the options say so already."""
    if document["result"] != "undone" or not work.enforced or lasting.exemption is not None or lasting.pause:
        return []
    wanted = WantedExemption(
        "who answers for it", "why it may stay as it is", _now().date() + timedelta(days=_EXEMPT_DAYS)
    )
    text = exemption_of(work, wanted)
    first = (
        f"The rule {work.entry.text('rule')} enforces and makes the change again at the next event. So that the undo"
        " lasts, stop changes with pause.file, add this to the configuration and start the workers anew:"
    )
    return [
        first,
        text,
        "The options --exempt-until, --owner and --reason write it, and --pause stops changes meanwhile.",
    ]


def exemption_of(work: Undo, wanted: WantedExemption) -> str:
    """The exemption that leaves the resource to its owner, in TOML."""
    entry = work.entry
    named = (entry.text("rule"), entry.text("account"), entry.text("resource"))
    return exemption_text(entry.short_id, *named, wanted)


def _now() -> datetime:
    return datetime.now(UTC)
