"""Why a rule takes an event or does not, mark by mark: the same marks as `consumer.guards.rule.Selector`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from consumer.core.event import Event
from consumer.guards.rule import Rule, Selector

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """One rule and one event."""

    rule: str
    takes: bool | None
    """None where the journal does not have what decides."""
    because: str


def matches(event: Event, rules: Sequence[Rule]) -> tuple[RuleMatch, ...]:
    """Every rule in its order, for an event as the journal has it: without names, identifiers and risk level."""
    found: list[RuleMatch] = []
    taken = ""
    for rule in rules:
        one = _match(event, rule)
        if one.takes is not False and taken:
            one = RuleMatch(rule.name, False, f"rule {taken}, further up, takes it at the latest")
        elif one.takes and (unsure := [each.rule for each in found if each.takes is None]):
            one = RuleMatch(rule.name, None, f"it takes it unless {_named(unsure)}, further up, does")
            taken = rule.name
        elif one.takes:
            taken = rule.name
        found.append(one)
    return tuple(found)


def _match(event: Event, rule: Rule) -> RuleMatch:
    if misses := list(_misses(event, rule.selector)):
        return RuleMatch(rule.name, False, "; ".join(misses))
    if rule.remediation.kind.resource_type != event.resource_type:
        return RuleMatch(
            rule.name, False, f"it repairs {rule.remediation.kind.resource_type}, not {event.resource_type}"
        )
    identified = _identified(event, rule.selector)
    if identified is None:
        return RuleMatch(rule.name, None, "it selects by names or identifiers, which the journal does not have")
    if not identified:
        return RuleMatch(rule.name, False, f"{_marks(rule.selector)} has nothing of this event")
    if rule.selector.risk_levels:
        return RuleMatch(rule.name, None, "it selects by risk level, which the journal does not have")
    if rule.selector.tags:
        return RuleMatch(rule.name, None, "it fits by what the event says; the live resource's tags decide")
    return RuleMatch(rule.name, True, "it is the first that takes it")


def _misses(event: Event, selector: Selector) -> Iterator[str]:
    """What narrows the rule down and does not fit."""
    if selector.resource_types and event.resource_type not in selector.resource_types:
        yield f"resource_types has {_named(selector.resource_types)}, not {event.resource_type}"
    if selector.accounts and event.account_id not in selector.accounts:
        yield f"accounts has {_named(selector.accounts)}, not {event.account_id}"
    if selector.regions and event.region and event.region not in selector.regions:
        yield f"regions has {_named(selector.regions)}, not {event.region}"
    if selector.resources and not any(fnmatchcase(event.resource_id, pattern) for pattern in selector.resources):
        yield f"resources has {_named(selector.resources)}, which {event.resource_id} does not fit"


def _identified(event: Event, selector: Selector) -> bool | None:
    """Whether the rule knows the event by one of its marks; None where a mark is missing that could be one of them."""
    if not (selector.config_rule_ids or selector.source_identifiers or selector.rule_names):
        return True
    if event.config_rule_id in selector.config_rule_ids or any(fnmatchcase("", each) for each in selector.rule_names):
        return True  # a pattern that takes no name at all takes every one
    return None if selector.source_identifiers or selector.rule_names else False


def _marks(selector: Selector) -> str:
    marks = (
        ("config_rule_ids", selector.config_rule_ids),
        ("source_identifiers", selector.source_identifiers),
        ("rule_names", selector.rule_names),
    )
    return ", ".join(f"{name} ({_named(values)})" for name, values in marks if values)


def _named(values: Iterable[str]) -> str:
    every = sorted(values)
    more = f" and {len(every) - _MOST_NAMED} more" if len(every) > _MOST_NAMED else ""
    return ", ".join(every[:_MOST_NAMED]) + more
