"""Puts back the state that a journaled change replaced, if nobody has changed it since; journaled itself.

The journal has to prove the change, and the live state has to be exactly what it left. Whoever undoes decides with the
difference before their eyes, and what was found and done is on the disk before and after the request.
"""

from __future__ import annotations

import difflib
import getpass
import json
import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from consumer.config import Config, build_rules
from consumer.core.errors import (
    ConfigurationError,
    PermanentError,
    Refused,
    ResourceGone,
    ServiceError,
)
from consumer.core.exit_codes import CommandExit
from consumer.core.observers import StepName
from consumer.core.printable import printable
from consumer.engine.pipeline import OpenTarget
from consumer.guards.rule import Mode
from consumer.journal.file import JournalFile
from consumer.journal.format import Entry
from consumer.journal.writer import JournalWriter, actor
from consumer.operator import announce, output, records
from consumer.operator.lasting import Lasting, WantedExemption, exemption_text, write_exemption, write_pause
from consumer.operator.session import opened
from consumer.remediations.base import AnyRemediation, Change
from consumer.remediations.catalogue import catalogue
from consumer.resources.base import Identity, Target

_EXEMPT_DAYS = 90
"""For how long the exemption that is proposed would hold."""


@dataclass(frozen=True, slots=True)
class _Undo:
    """One change, and the live resource it was made on."""

    entry: Entry
    change: Change
    remediation: AnyRemediation
    target: Target[Any]
    config: Config

    @property
    def enforced(self) -> bool:
        """Whether the rule that made the change is still there and makes it again."""
        rules = [rule for rule in self.config.rules if rule.name == self.entry.text("rule")]
        return any(rule.mode is Mode.ENFORCE for rule in rules)

    @property
    def noun(self) -> str:
        """What people call the resource."""
        return self.remediation.kind.noun

    def live(self, identity: Identity) -> str:
        """The state now, in the notation of the journal."""
        return self.remediation.plan(self.remediation.inspect(self.target, identity)).state


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person has decided beforehand."""

    yes: bool = False
    dry_run: bool = False
    weaken: bool = False
    """That protection gets weaker is meant."""
    lasting: Lasting = field(default_factory=Lasting)


class _Declined(Exception):
    """Not undone; the text says why."""


def undo(path: Path, form: str, identity: str, wish: Wish) -> CommandExit:
    """Undo one change.

    Raises:
        ConfigurationError: there is no journal, or no such change in it, or what makes the undo last cannot be written.
        ServiceError: the resource could not be read or changed.
    """
    with opened(path) as session:
        journal = records.journal_path(path, None)
        done = records.change(journal, identity)
        work = _work(done.entry, session.config, session.open)
        document = _document(work, result="undone")
        try:
            records.proved(journal, done.entry)
            if done.undone:
                raise _Declined("it was undone before")
            _checked(work)
            if form != "json":
                _draw(output.console(), work)
            _agreed(work, wish)
            found = _checked(work)  # once more, for a person may have thought about it for minutes
            document["lasting"] = _make_last(path, work, wish.lasting)
            document["now"] = _carry_out(work, found, journal, session.credentials.get_credentials().access_key_id)
            document["announced"] = announce.undone(
                session, work.entry, work.remediation.kind.resource_type, document["now"], _person()
            )
        except (_Declined, Refused, records.Unproved) as declined:
            document["result"] = f"not undone: {declined}"
        except (ResourceGone, PermanentError) as error:
            document["result"] = f"not undone: {error}"
        document["advice"] = _advice(document, work, wish.lasting)
    output.show(form, document, lambda console: _close(console, document, work))
    return CommandExit.DONE if document["result"] == "undone" or wish.dry_run else CommandExit.REFUSED


def _work(entry: Entry, config: Config, open_target: OpenTarget) -> _Undo:
    remediation = _remediation(entry, config)
    kind, recorded = remediation.kind, entry.text("resource_type")
    if recorded not in ("", kind.resource_type):  # lines of earlier releases name no type
        raise ConfigurationError(f"{remediation.name} repairs {kind.resource_type} now, and changed a {recorded}")
    region = entry.text("region") or config.oss_default_region
    resource = kind.resource(entry.text("account"), region, entry.text("resource"))
    until = time.monotonic() + config.engine.work_budget_seconds
    change = Change(entry.text("before"), entry.text("after"))
    return _Undo(entry, change, remediation, open_target(resource, lambda: until), config)


def _remediation(entry: Entry, config: Config) -> AnyRemediation:
    """The remediation that made the change, with the options of a rule that still uses it where there is one."""
    name = entry.text("remediation")
    rules = [rule for rule in build_rules(config) if rule.remediation.name == name]
    same = [rule for rule in rules if rule.name == entry.text("rule")]
    for rule in (*same, *rules):
        return rule.remediation
    repair = catalogue().get(name)
    if repair is None:
        raise ConfigurationError(f"the remediation {name!r} is not installed any more")
    try:
        return repair(repair.Options())
    except ValueError:
        raise ConfigurationError(f"no rule uses {name} any more, and it cannot be made without options") from None


def _checked(work: _Undo) -> Identity:
    """The live resource, if it is as the change left it.

    Raises:
        _Declined: it is not.
    """
    found: Identity = work.target.identity()
    if found.owner_id != work.entry.text("account"):
        raise _Declined(f"the {work.noun} belongs to another account now")
    if _made_anew(work.entry, found):
        raise _Declined(f"the {work.noun} was made anew since the change, at {printable(found.incarnation)}")
    live = work.live(found)
    if live == work.change.before:
        raise _Declined(f"the {work.noun} is as it was before the change already")
    if live != work.change.after:
        text = _difference(work.change.after, live, "as the change left it", "now")
        raise _Declined(f"somebody has changed it since\n{text}")
    return found


def _made_anew(entry: Entry, found: Identity) -> bool:
    """Whether this is another resource than the one that was changed.

    Lines of earlier releases do not say which one that was: one created after the line was written is another one.
    """
    if recorded := entry.text("incarnation"):
        return found.incarnation != recorded
    return found.made_since(entry.at_ms)


def _agreed(work: _Undo, wish: Wish) -> None:
    weakens = work.remediation.weakens(work.change)
    if wish.dry_run:
        raise _Declined(f"this was a dry run{'; it needs --weaken' if weakens and not wish.weaken else ''}")
    if weakens and not wish.weaken:
        raise _Declined(f"afterwards {weakens}; if that is meant, say so with --weaken")
    if not wish.yes and (reason := output.declined("Put this back?")):
        raise _Declined(reason)


def _make_last(path: Path, work: _Undo, lasting: Lasting) -> list[str]:
    """Write what makes the undo last; returns what was done, for people."""
    done = []
    if lasting.pause:
        write_pause(work.config.pause.file, f"paused by undo {work.entry.short_id}")
        done.append(f"all changes are paused by {work.config.pause.file}; remove it to let them go on")
    if lasting.exemption is not None:
        write_exemption(path, _exemption(work, lasting.exemption), os.environ)
        done.append(f"{path} has an exemption now; workers go by it once they have been started anew")
    return done


def _exemption(work: _Undo, wanted: WantedExemption) -> str:
    entry = work.entry
    named = (entry.text("rule"), entry.text("account"), entry.text("resource"))
    return exemption_text(entry.short_id, *named, wanted)


def _carry_out(work: _Undo, found: Identity, journal: Path, access_key_id: str) -> str:
    """Revert between two lines of the journal; returns the state that is read back."""
    writer = JournalWriter(JournalFile(journal), who=_person())
    writer.opened(access_key_id)
    try:
        fields = {
            **{name: work.entry.text(name) for name in ("resource", "region", "account", "rule", "remediation")},
            "resource_type": work.remediation.kind.resource_type,
            "incarnation": found.incarnation,
            "undoes": work.entry.digest,
            "before": work.change.after,
        }
        try:
            writer.write([{"step": StepName.UNDO_BEFORE.value, **fields, "after": work.change.before}])
        except OSError as error:
            raise _Declined(f"the journal cannot be written: {error.strerror}; nothing was changed") from None
        work.remediation.revert(work.target, work.change)
        now: Identity = work.target.identity()
        if now.differs(found):
            raise _Declined(_replaced(work, now, found))
        state = work.live(now)
        try:
            writer.write([{"step": StepName.UNDONE.value, **fields, "after": state}])
        except OSError as error:
            click.echo(f"The line that it is undone could not be journaled: {error.strerror}", err=True)
        return state
    finally:
        writer.close()


def _replaced(work: _Undo, now: Identity, found: Identity) -> str:
    """What was done about a resource that is another one than a moment ago, for people.

    As in the worker, an accident of the repair's own calls is taken back, and only from the same owner. A resource that
    its owner has made anew is protected as before the undo.
    """
    noun = work.noun
    if not now.replaces(found):
        return f"the {noun} was deleted meanwhile; its name is another account's now"
    if ending := work.remediation.recover(work.target, found):
        return ending.detail
    try:
        work.remediation.apply(work.target, work.change)
    except ServiceError as error:
        return (
            f"the {noun} was deleted and made anew meanwhile; look at the new one, which could not be changed: {error}"
        )
    return f"the {noun} was deleted and made anew meanwhile; the new one is as the rule wants it"


def _draw(console: Console, work: _Undo) -> None:
    entry = work.entry
    weakens = work.remediation.weakens(work.change)
    console.print(
        output.facts(
            [
                ("change", entry.short_id),
                (work.noun, entry.text("resource")),
                ("made by", f"rule {entry.text('rule')}, {entry.text('remediation')}"),
                ("can be undone", work.remediation.reversible),
                (
                    "afterwards",
                    weakens or f"nothing that protects the {work.noun} is gone",
                ),
            ]
        )
    )
    text = _difference(work.change.after, work.change.before, "now", "after the undo")
    for line in text.splitlines():
        style = {"+": "green", "-": "red"}.get(line[:1], "")
        console.print(output.cell(line, style))


def _close(console: Console, document: dict[str, Any], work: _Undo) -> None:
    if document["result"] != "undone":
        console.print(output.cell(tuple(str(document["result"]).splitlines())))
    else:
        text = f"Undone and journaled; it reads back as {document['now']}."
        if document["now"] != work.change.before:
            text += f" Before the change it was {work.change.before!r}, which cannot be had again."
        console.print(output.cell(text))
    announced = [f"It was {document['announced']}."] if document["announced"] else []
    for line in (*announced, *document["lasting"], *document["advice"]):
        console.print(output.cell(tuple(line.splitlines())))


def _advice(document: dict[str, Any], work: _Undo, lasting: Lasting) -> list[str]:
    """What somebody has to do so that an undo lasts, unless they have said so already."""
    if document["result"] != "undone" or not work.enforced or lasting.exemption is not None or lasting.pause:
        return []
    wanted = WantedExemption(
        "who answers for it", "why it may stay as it is", _now().date() + timedelta(days=_EXEMPT_DAYS)
    )
    text = _exemption(work, wanted)
    first = (
        f"The rule {work.entry.text('rule')} enforces and makes the change again at the next event. So that the undo"
        " lasts, stop changes with pause.file, add this to the configuration and start the workers anew:"
    )
    return [
        first,
        text,
        "The options --exempt-until, --owner and --reason write it, and --pause stops changes meanwhile.",
    ]


def _person() -> str:
    """Who types, and where."""
    return f"{getpass.getuser()}@{actor()}"


def _now() -> datetime:
    return datetime.now(UTC)


def _difference(before: str, after: str, name_before: str, name_after: str) -> str:
    lines = difflib.unified_diff(_lines(before), _lines(after), name_before, name_after, lineterm="")
    return "\n".join(lines)


def _lines(state: str) -> list[str]:
    """A state over several lines where it is JSON, so that a difference shows the part that differs."""
    try:
        return json.dumps(json.loads(state), indent=2, ensure_ascii=False).splitlines()
    except (ValueError, RecursionError):
        return [state]


def _document(work: _Undo, result: str) -> dict[str, Any]:
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
