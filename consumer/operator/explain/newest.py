"""Which messages on record have an event of their own to explain: the newest of each rule. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consumer.core.event import Event
from consumer.operator.explain.story import Message
from consumer.operator.repair.event import BY_HAND

_MOST = 8
"""Events that are compared with every rule and rehearsed: a resource that breaks more rules at once is rare."""


@dataclass(frozen=True, slots=True)
class JournaledEvent:
    """An event as the journal has it."""

    message_id: str
    event: Event
    taken_by: str
    """The rule that took it; empty if none did."""


@dataclass(frozen=True, slots=True)
class NewestEvents:
    """The newest event of each rule."""

    shown: tuple[JournaledEvent, ...]
    """In the order of their messages: the newest last."""
    left_out: int
    """How many older ones of other rules there are."""


def newest_of_each_rule(messages: Sequence[Message]) -> NewestEvents:
    """Of messages with the newest last: the newest event of each rule, and of each evaluator's rule that none took."""
    found, known = list[JournaledEvent](), set[tuple[str, ...]]()
    for message in reversed(messages):
        if event := message.event:
            one = JournaledEvent(message.message_id, event, message.value("rule"))
            names = _names(one)
            if not names & known:
                found.append(one)
            known |= names
    return NewestEvents(tuple(reversed(found[:_MOST])), len(found[_MOST:]))


def _names(one: JournaledEvent) -> set[tuple[str, ...]]:
    """What an event is known by: two that share one of these would be explained alike."""
    event = one.event
    subject = (event.account_id, event.resource_type, event.resource_id)
    identity = "" if event.config_rule_id == BY_HAND else event.config_rule_id
    names = set[tuple[str, ...]]()
    if identity:
        names.add((*subject, "evaluator", identity))
    if one.taken_by or not identity:
        names.add((*subject, "rule", one.taken_by))
    return names
