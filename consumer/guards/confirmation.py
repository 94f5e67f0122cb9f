"""What has to be confirmed by the evaluator before a change that cannot be taken back, or not without cost. Pure.

Whoever may publish to the topic can name any rule and any resource. A repair that goes one way only is made when the
evaluator itself says, of the very rule that the event names, that the resource is non-compliant.
"""

from __future__ import annotations

from collections.abc import Callable

from consumer.core.event import Event
from consumer.guards.rule import Rule

Confirm = Callable[[Rule, Event], str]
"""Asks the evaluator about an event, which carries the live region; empty if it agrees, else why not, for people."""


def nobody(rule: Rule, event: Event) -> str:  # noqa: ARG001 - there is nobody to ask
    """Without an evaluator nothing is confirmed."""
    return "there is no evaluator to ask; set reevaluate.enabled"
