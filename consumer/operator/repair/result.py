"""The result of a repair by hand, for people and for scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Console

from consumer.core.event import Event
from consumer.core.outcome import Outcome
from consumer.guards.chain import READS_BACK_OLD
from consumer.guards.rule import Mode, Rule
from consumer.operator import output, states

_LONGEST_SENTENCE = 600
"""Characters for a person; a detail may have a whole policy in it."""


@dataclass(frozen=True, slots=True)
class RepairResult:
    """One resource under one rule: what was found, and what was done or would be."""

    rule: Rule
    """The one that was named."""
    taken_by: str
    """The rule whose resource it is, by the worker's own matching; empty if there is none."""
    event: Event | None
    outcome: Outcome | None
    reason: str
    detail: str
    before: str
    after: str
    unavailable: bool = False
    """Whether a service kept it from ending otherwise."""
    applied: bool = False
    begun: bool = False
    """Whether a change was begun that did not come to its end, so that nobody knows what stands or the rest is left."""
    in_part: bool = False
    """Whether a part of it is made and read back."""
    change: str = ""
    """What `undo` takes, if something was changed and journaled."""
    undo: str = ""
    """The command that takes it back, whole."""
    who: str = ""
    alone: bool = True
    """Whether limits, breaker and contest knew of nothing but this command."""
    request_ids: tuple[str, ...] = ()
    unjournaled: str = ""
    """Why the line about the ending is not in the journal, or nothing."""
    announced: str = ""

    @property
    def of_the_rule(self) -> bool:
        """Whether the rule that was named is the one whose resource it is."""
        return self.taken_by == self.rule.name and self.outcome is not Outcome.NOT_OURS

    @property
    def would_change(self) -> bool:
        """Whether only `--apply` is missing."""
        return self.outcome is Outcome.FIXED and self.of_the_rule and not self.applied

    def document(self) -> dict[str, Any]:
        """For scripts."""
        event = self.event
        return {
            "resource": event.resource_id if event else "",
            "region": event.region if event else "",
            "account": event.account_id if event else "",
            "rule": self.rule.name,
            "taken_by": self.taken_by,
            "remediation": self.rule.remediation.name,
            "mode": self.rule.mode.value,
            "config_rule_id": self.event.config_rule_id if self.event else "",
            "outcome": self.outcome.value if self.outcome else None,
            "reason": self.reason,
            "detail": self.detail,
            "before": self.before,
            "after": self.after,
            "applied": self.applied,
            "would_change": self.would_change,
            "change": self.change,
            "who": self.who,
            "guards_shared": self.applied and not self.alone,
            "request_ids": list(self.request_ids),
            "unjournaled": self.unjournaled,
            "announced": self.announced,
            "result": self.sentence(),
        }

    def sentence(self) -> str:
        """The result, for a person."""
        if self.outcome is None:
            return "Not known."
        if self.outcome is Outcome.NOT_OURS:
            return f"Not repaired: no rule takes this resource ({self.detail})."
        if not self.of_the_rule:
            return f"Not repaired: rule {self.taken_by} takes this resource before {self.rule.name} does."
        if self.would_change:
            return "Nothing was changed. --apply makes the change."
        match self.outcome:
            case Outcome.FIXED:
                return "Repaired, read back and journaled."
            case Outcome.ALREADY_COMPLIANT:
                return "There is nothing to repair."
            case Outcome.HELD if self.reason == READS_BACK_OLD:
                return "The service has accepted the change and does not show it yet. Run it again to see it."
            case _:
                return self._unfinished()

    def _unfinished(self) -> str:
        """The sentence about what is not repaired, or not whole, or not known to be."""
        because = ": ".join(part for part in (self.reason, self.detail) if part)
        if self.in_part:
            return f"Repaired in part, the rest is left: {because}. Run it again to repair the rest."
        if self.begun or (self.outcome is Outcome.FAILED and self.who):
            return f"It is not known whether it was repaired: {because}. Run it again to see."
        return f"Not repaired: {because}."


def close(console: Console, result: RepairResult) -> None:
    """Show it."""
    document = result.document()
    pairs: list[tuple[str, object]] = [
        ("resource", document["resource"]),
        ("account", document["account"]),
        ("region", document["region"]),
        ("rule", f"{result.rule.name}, which {'observes' if result.rule.mode is Mode.OBSERVE else 'enforces'}"),
        ("repair", f"{result.rule.remediation.name}: {result.rule.remediation.summary}"),
        ("undo", result.rule.remediation.reversible),
        ("event of", _event_of(result)),
        ("finding", _finding(result)),
        ("state", states.change(result.before, result.after)),
        ("as", result.who),
        ("requests", " ".join(result.request_ids)),
    ]
    console.print(output.facts([(name, value) for name, value in pairs if value]))
    console.print(output.cell(states.cut(result.sentence(), _LONGEST_SENTENCE)))
    if result.undo:
        output.unbroken(console, f"To put it back: {result.undo}")
    for sentence in _notes(result):
        console.print(output.cell(sentence))


def _event_of(result: RepairResult) -> str:
    """Which of several ids of the rule the event has; one is no choice."""
    ids = result.rule.selector.config_rule_ids
    if result.event is None or len(ids) < 2:
        return ""
    return f"{result.event.config_rule_id}, one of {len(ids)}; --config-rule-id chooses another"


def _finding(result: RepairResult) -> str:
    if result.would_change:
        return f"it breaks the rule; {result.detail}"
    return result.outcome.value if result.outcome else "?"


def _notes(result: RepairResult) -> list[str]:
    found = []
    if result.unjournaled:
        found.append(f"The change was made, and its last line could not be journaled: {result.unjournaled}")
    if result.announced:
        found.append(f"It was {result.announced}.")
    if result.applied and result.alone:
        found.append("Limits, breaker and contest knew of this command alone: [shared] is not configured.")
    if not result.applied:
        found.append(
            "Exemptions, pause, windows of time and the order of the rules were looked at; limits, breaker and contest"
            " are when it is applied."
        )
    return found
