"""How Cloud Config names a resource and what it says about one. Pure values."""

from __future__ import annotations

from dataclasses import dataclass


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
