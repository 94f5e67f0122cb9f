"""Which rule an event belongs to. Pure.

Cloud Config's display name of a rule is free, localised text, and most deliveries carry no managed-rule identifier,
so a rule may be selected by several marks; what identifies it is an "or", what narrows it down an "and".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

from consumer.core.event import Event
from consumer.guards.limits import Limit
from consumer.guards.window import TimeWindow
from consumer.remediations.base import AnyRemediation
from consumer.resources.base import ResourceKind


class Mode(StrEnum):
    """What a rule may do. There is no default: every configured rule names it."""

    OBSERVE = "observe"
    """Everything but the change."""
    ENFORCE = "enforce"


class Observed(StrEnum):
    """What becomes of a message that a rule in mode observe has reported."""

    KEEP = "keep"
    """It stays on the queue until the mode changes, or until the queue's retention ends."""
    DELETE = "delete"
    """It is settled: catch-up brings it back from the evaluator's list when the mode changes."""


@dataclass(frozen=True, slots=True)
class Selector:
    """Which events a rule takes. An empty set does not narrow."""

    config_rule_ids: frozenset[str] = frozenset()
    source_identifiers: frozenset[str] = frozenset()
    rule_names: tuple[str, ...] = ()
    """Shell patterns on the display name."""
    resource_types: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    risk_levels: frozenset[str] = frozenset()
    resources: tuple[str, ...] = ()
    """Shell patterns on the resource's id."""
    tags: tuple[tuple[str, str], ...] = ()
    """Keys with shell patterns on their values; the live resource has to carry all of them."""

    def fits(self, tags: Mapping[str, str]) -> bool:
        """Whether a resource with these tags is this selector's."""
        return all(key in tags and fnmatchcase(tags[key], pattern) for key, pattern in self.tags)

    def takes(self, event: Event) -> bool:
        """Whether the selector takes the event, as far as the event alone shows.

        One that names no region may be about a resource of any; the look at the resource decides.
        """
        return self._identifies(event) and self._admits(event)

    def _identifies(self, event: Event) -> bool:
        if not (self.config_rule_ids or self.source_identifiers or self.rule_names):
            return True  # by resource type alone
        return (
            event.config_rule_id in self.config_rule_ids
            or event.source_identifier in self.source_identifiers
            or any(fnmatchcase(event.config_rule_name, pattern) for pattern in self.rule_names)
        )

    def _admits(self, event: Event) -> bool:
        return (
            (not self.resource_types or event.resource_type in self.resource_types)
            and (not self.accounts or event.account_id in self.accounts)
            and (not self.regions or not event.region or event.region in self.regions)
            and (not self.risk_levels or event.risk_level in self.risk_levels)
            and (not self.resources or any(fnmatchcase(event.resource_id, pattern) for pattern in self.resources))
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One configured `[[rules]]` entry."""

    name: str
    selector: Selector
    remediation: AnyRemediation = field(compare=False)
    mode: Mode
    hold_seconds: float
    """How long a held or observed delivery is hidden."""
    limit: Limit | None = None
    """Its own limit on changes, besides the one on all rules."""
    observed: Observed = Observed.KEEP
    """What becomes of a message that it has observed."""
    windows: tuple[TimeWindow, ...] = ()
    """When it may change things; without any, at any time."""


def match(event: Event, rules: Sequence[Rule], read_tags: Callable[[], Mapping[str, str]] | None = None) -> Rule | None:
    """The first rule, in the order of the configuration, that takes the event and repairs its kind of resource.

    Before the look at the resource its tags are not known, and a rule that selects by tags counts as taking the event;
    after it, `read_tags` is called where they decide, and may raise what reading raises. Before the look an event that
    only rules of other kinds take is given to the first of those, and is refused in that rule's name.
    """
    tags: Mapping[str, str] | None = None
    others: Rule | None = None
    for rule in rules:
        if not rule.selector.takes(event):
            continue
        if rule.remediation.kind.resource_type != event.resource_type:
            others = others or rule
            continue
        if not rule.selector.tags or read_tags is None:
            return rule
        tags = read_tags() if tags is None else tags
        if rule.selector.fits(tags):
            return rule
    return others if read_tags is None else None


def kinds_of(rules: Iterable[Rule]) -> tuple[ResourceKind, ...]:
    """Every kind of resource that the rules are about, in their order."""
    return tuple({rule.remediation.kind.resource_type: rule.remediation.kind for rule in rules}.values())
