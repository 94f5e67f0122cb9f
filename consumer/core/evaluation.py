"""How Cloud Config names a resource and what it says about one. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Subject:
    """One resource, as Cloud Config names it."""

    resource_type: str
    resource_id: str
    region: str
    """Empty in the oldest form of the event."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The evaluator's newest result of one of its rules on one resource."""

    config_rule_id: str
    compliance: str
    """`COMPLIANT`, `NON_COMPLIANT`, `NOT_APPLICABLE`, `INSUFFICIENT_DATA` or `IGNORED`."""
    judged_at_ms: int
    """By the evaluator's clock, milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class EvaluatorRule:
    """One rule of the evaluator, as its list of rules describes it."""

    rule_id: str
    name: str
    """A display name that a user chose."""
    identifier: str
    """The managed rule's identifier; empty for a rule of somebody's own."""
    resource_types: frozenset[str]
    """Empty if the list does not say."""
    active: bool
    """Whether it evaluates: what one that is switched off has found may be long over."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One result of the evaluator's list: a resource that is non-compliant now, by one of its rules.

    Texts have a bounded length and are otherwise as the list has them. Times are the evaluator's, in milliseconds since
    the epoch.
    """

    config_rule_id: str
    config_rule_name: str
    config_rule_arn: str
    identifier: str
    """Empty where only the list of rules could say it."""
    resource_type: str
    resource_id: str
    resource_name: str
    region: str
    account_id: str
    risk_level: str
    """`1` (high) to `3`, as the list numbers them."""
    annotation: str
    trigger: str
    evaluated_at_ms: int
    """The newest evaluation, which for a rule that is evaluated periodically is never old."""
    since_ms: int
    """When the non-compliance began; the newest evaluation where the list does not say."""
    since_known: bool = True
    """Whether the list says it."""


@dataclass(frozen=True, slots=True)
class ListPage(Generic[_T]):
    """One page of a list."""

    items: tuple[_T, ...]
    unreadable: int = 0
    """How many entries were there and are nothing that the service would list."""
    next_token: str = ""
    """What asks for the next page; empty on the last one."""
