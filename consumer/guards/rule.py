"""Which rule an event belongs to. Pure.

Cloud Config's display name of a rule is free, localised text, and most deliveries carry no managed-rule identifier,
so a rule may be selected by several marks; what identifies it is an "or", what narrows it down an "and".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from consumer.core.event import Event
from consumer.guards.limits import Limit
from consumer.remediations.base import Remediation


class Mode(StrEnum):
    """What a rule may do. There is no default: whoever writes a rule says it."""

    OBSERVE = "observe"
    """Everything but the change."""
    ENFORCE = "enforce"


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

    def takes(self, event: Event) -> bool:
        """Whether the event is this selector's."""
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
            and (not self.regions or event.region in self.regions)
            and (not self.risk_levels or event.risk_level in self.risk_levels)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One configured `[[rules]]` entry."""

    name: str
    selector: Selector
    remediation: Remediation[Any] = field(compare=False)
    mode: Mode
    hold_seconds: float
    """How long a held or observed delivery is hidden."""
    limit: Limit | None = None
    """Its own limit on changes, besides the one on all rules."""


def match(event: Event, rules: Sequence[Rule]) -> Rule | None:
    """The first rule, in the order of the configuration, that takes the event."""
    return next((rule for rule in rules if rule.selector.takes(event)), None)
