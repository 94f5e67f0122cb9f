"""The change that is to be undone, and the live resource, if it is as that change left it."""

from __future__ import annotations

import difflib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consumer.announcements.records import ResourceName
from consumer.announcements.undoing import words_of_undo
from consumer.config import Config, build_rules
from consumer.core import json_text
from consumer.core.errors import ConfigurationError
from consumer.core.printable import printable
from consumer.engine.pipeline import OpenTarget
from consumer.guards.rule import Mode
from consumer.journal.format import Entry
from consumer.operator import typed
from consumer.operator.records import Done
from consumer.remediations.base import AnyRemediation, Change
from consumer.remediations.catalogue import catalogue
from consumer.resources.base import Identity, Target


@dataclass(frozen=True, slots=True)
class UndoTyping:
    """What a person typed that the commands printed for them have to repeat."""

    config: Path
    file: Path | None
    """The journal, where it is not the configuration's."""

    def command(self, *words: str, journal_by: str = "--file") -> str:
        """A command, whole; `journal_by` is its option that names a journal."""
        return typed.command(*words, *typed.option(journal_by, self.file), config=self.config)


@dataclass(frozen=True, slots=True)
class Undo:
    """One change, and the live resource it was made on."""

    entry: Entry
    change: Change
    remediation: AnyRemediation
    target: Target[Any]
    config: Config
    typing: UndoTyping
    part: str = ""
    """The state that an earlier undo in part has left; empty if there was none."""

    @property
    def enforced(self) -> bool:
        """Whether the rule that made the change is still there and makes it again."""
        rules = [rule for rule in self.config.rules if rule.name == self.entry.text("rule")]
        return any(rule.mode is Mode.ENFORCE for rule in rules)

    @property
    def noun(self) -> str:
        """What people call the resource."""
        return self.remediation.kind.noun

    @property
    def again(self) -> str:
        """What makes an undo whole of which a part was made."""
        entry = self.entry
        name = ResourceName(
            self.remediation.kind.resource_type, entry.text("resource"), entry.text("region"), entry.text("account")
        )
        repair = self.typing.command(*words_of_undo(name, entry.text("rule")), journal_by="--journal")
        return f"repair what came back, then undo the same change again:\n  {repair}"

    def live(self, identity: Identity) -> str:
        """The state now, in the notation of the journal."""
        return self.remediation.plan(self.remediation.inspect(self.target, identity)).state


class Declined(Exception):
    """Not undone; the text says why."""


def work_of(done: Done, config: Config, open_target: OpenTarget, typing: UndoTyping) -> Undo:
    """What it takes to undo a journaled change. Nothing is sent yet.

    Raises:
        ConfigurationError: its remediation is not there any more, or repairs another kind of resource now.
    """
    entry = done.entry
    remediation = _remediation(entry, config)
    kind, recorded = remediation.kind, entry.text("resource_type")
    if recorded not in ("", kind.resource_type):  # lines of earlier releases name no type
        raise ConfigurationError(f"{remediation.name} repairs {kind.resource_type} now, and changed a {recorded}")
    region = entry.text("region") or config.oss_default_region
    resource = kind.resource(entry.text("account"), region, entry.text("resource"))
    until = time.monotonic() + config.engine.work_budget_seconds
    change = Change(entry.text("before"), entry.text("after"))
    return Undo(entry, change, remediation, open_target(resource, lambda: until), config, typing, done.part)


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


def checked(work: Undo) -> Identity:
    """The live resource, if it is as the change left it.

    Raises:
        Declined: it is not.
    """
    found: Identity = work.target.identity()
    if found.owner_id != work.entry.text("account"):
        raise Declined(f"the {work.noun} belongs to another account now")
    if _made_anew(work.entry, found):
        raise Declined(f"the {work.noun} was made anew since the change, at {printable(found.incarnation)}")
    live = work.live(found)
    if live == work.change.before:
        raise Declined(f"the {work.noun} is as it was before the change already")
    if work.part and live == work.part:
        raise Declined(f"it was undone in part before. To have it whole, {work.again}")
    if live != work.change.after:
        text = difference(work.change.after, live, "as the change left it", "now")
        raise Declined(f"somebody has changed it since\n{text}")
    return found


def _made_anew(entry: Entry, found: Identity) -> bool:
    """Whether this is another resource than the one that was changed.

    Lines of earlier releases do not say which one that was: one created after the line was written is another one.
    """
    if recorded := entry.text("incarnation"):
        return found.incarnation != recorded
    return found.made_since(entry.at_ms)


def difference(before: str, after: str, name_before: str, name_after: str) -> str:
    """The lines by which two states differ; JSON over several lines."""
    lines = difflib.unified_diff(_lines(before), _lines(after), name_before, name_after, lineterm="")
    return "\n".join(lines)


def _lines(state: str) -> list[str]:
    """A state over several lines where it is JSON, so that a difference shows the part that differs."""
    try:
        return json.dumps(json_text.parse(state), indent=2, ensure_ascii=False).splitlines()
    except ValueError:
        return [state]
