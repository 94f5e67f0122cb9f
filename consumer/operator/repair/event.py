"""The event that stands for a person's wish, in the evaluator's form: the pipeline treats it as any other. Pure.

It has what the named rule selects by: one of its config rule ids, of its source identifiers, or a display name that
fits one of its patterns, and the first of its risk levels. Where there are several, it is the first that no rule
further up takes. About the resource it says what the person says, of which nothing is believed before a look. Its time
is now, so it is newer than every event that is under way.

The form is that of https://www.alibabacloud.com/help/en/cloud-config/latest/events-example-of-resource-non-compliance-events
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from consumer.core.errors import ConfigurationError, InvalidMessage
from consumer.core.event import Event, decode
from consumer.guards.rule import Rule, match

BY_HAND = "repair-by-hand"
"""The config rule id where the rule selects by none, which no id of the service can be: those begin with `cr-`."""

_WILD = re.compile(r"\[(!?)(\]?[^\]]*)\]|\*|\?")


@dataclass(frozen=True, slots=True)
class EventMarks:
    """By what an event says which of the evaluator's rules it is from."""

    config_rule_id: str = BY_HAND
    rule_name: str = ""
    source_identifier: str = ""
    risk_level: str = ""


@dataclass(frozen=True, slots=True)
class NamedResource:
    """The resource, as a person names it."""

    resource_type: str
    resource_id: str
    account_id: str
    region: str
    """Empty where only the live resource knows."""


def marks(rule: Rule) -> tuple[EventMarks, ...]:
    """Every kind of event that a rule knows: by each of its ids, of its identifiers, and by each pattern of a name.

    Raises:
        ConfigurationError: no display name fits the rule's patterns, and it knows events by nothing else.
    """
    selector, risk = rule.selector, min(rule.selector.risk_levels, default="")
    names = [name for pattern in selector.rule_names if (name := _display_name(pattern)) is not None]
    found = (
        *(EventMarks(each, risk_level=risk) for each in sorted(selector.config_rule_ids)),
        *(EventMarks(source_identifier=each, risk_level=risk) for each in sorted(selector.source_identifiers)),
        *(EventMarks(rule_name=each, risk_level=risk) for each in names),
    )
    if not found and selector.rule_names:
        raise ConfigurationError(
            f"rule {rule.name}: no event can be made for its rule_names; give it config_rule_ids as well"
        )
    return found or (EventMarks(risk_level=risk),)


def chosen(
    rule: Rule,
    rules: Sequence[Rule],
    subject: NamedResource,
    at_ms: int,
    config_rule_id: str = "",
    request_id: str = "",
) -> str:
    """The body of a message that asks a rule to repair a resource, so that none further up takes it where that can be.

    Raises:
        ConfigurationError: no event can be made for the rule, or it does not select by `config_rule_id`.
    """
    every = marks(rule)
    wanted = [each for each in every if config_rule_id in ("", each.config_rule_id)]
    if not wanted:
        known = ", ".join(sorted(rule.selector.config_rule_ids)) or "none"
        raise ConfigurationError(f"--config-rule-id: rule {rule.name} does not select by it; its ids are: {known}")
    bodies = [body(each, subject, at_ms, request_id) for each in wanted]
    return next((text for text in bodies if _taken_by(rule, rules, text)), bodies[0])


def _taken_by(rule: Rule, rules: Sequence[Rule], text: str) -> bool:
    try:
        event = decode(text)
    except InvalidMessage:
        return False
    return isinstance(event, Event) and match(event, rules) is rule


def body(by: EventMarks, subject: NamedResource, at_ms: int, request_id: str = "") -> str:
    """The body of a message about a resource, with these marks."""
    qualifier = {
        "configRuleId": by.config_rule_id,
        "configRuleName": by.rule_name,
        "sourceIdentifier": by.source_identifier,
        "resourceType": subject.resource_type,
        "resourceId": subject.resource_id,
        "regionId": subject.region,
        "resourceOwnerId": subject.account_id,
    }
    return json.dumps(
        {
            "eventType": "ResourceCompliance",
            "eventName": "NonCompliant",
            "complianceType": "NON_COMPLIANT",
            "riskLevel": by.risk_level,
            "accountId": subject.account_id,
            "notificationCreationTime": at_ms,
            **({"requestId": request_id} if request_id else {}),
            "evaluationResultIdentifier": {"orderingTimestamp": at_ms, "evaluationResultQualifier": qualifier},
        }
    )


def _display_name(pattern: str) -> str | None:
    """A name that a pattern takes; None where none is found."""
    name = _WILD.sub(_one_of, pattern)
    return name if fnmatchcase(name, pattern) else None


def _one_of(found: re.Match[str]) -> str:
    """A text that a part of a shell pattern takes."""
    if found[0] in ("*", "?"):
        return "" if found[0] == "*" else "x"
    negated, members = found[1], found[2]
    if not negated:
        return members[0]
    return next((character for character in "xyz0123456789abcdefghijklmnopqrstuvw" if character not in members), "")
