"""What has to be confirmed by the evaluator before a change that cannot be taken back, or not without cost. Pure.

Whoever may publish to the topic can name any rule and any resource. A repair that goes one way only is made when the
evaluator itself says, of the very rule that the event names, that the resource is non-compliant.
"""

from __future__ import annotations

from collections.abc import Callable

from consumer.core.event import Event
from consumer.guards.rule import Rule

Confirm = Callable[[Rule, Event], str]
"""Confirms an event, which carries the live region, with the evaluator; empty if it agrees, else why not."""


def without_an_evaluator(rule: Rule, event: Event) -> str:  # noqa: ARG001 - nothing can confirm it
    """Nothing is confirmed."""
    return "no evaluator is configured; set reevaluate.enabled"
