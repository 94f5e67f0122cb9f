"""What stands in the dead-letter queue, as exposures that nobody works on any more.

A dead letter names the event that was given up, so a process that starts anew can see by a peek at the queue which
resources are still open. The service shows no more than sixteen messages, so a look is the whole queue or a part of it,
and only the whole proves that a letter is gone. What a letter says may come from anybody who may write to the queue.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from consumer.core import json_text
from consumer.core.errors import InvalidMessage
from consumer.core.event import OtherMessage, decode
from consumer.core.message import Peeked
from consumer.engine.dead_letter import original_body
from consumer.guards.rule import Rule, match

ExposureKey = tuple[str, str, str, str]
"""Rule, account, region and resource id."""

_MISSES = 2
"""In so many whole looks in a row a letter has to be missing: a command that reads the queue hides all for a moment."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """One dead letter about a resource of ours."""

    key: ExposureKey
    evaluated_at_ms: int
    reason: str
    """As the letter says, or `foreign`: not bounded."""
    at_ms: int
    """When it was given up."""


def given_up(peeked: Peeked, rules: Sequence[Rule]) -> GivenUp | None:
    """The exposure behind a message of the dead-letter queue; None if it names no resource that a rule is about."""
    reason, at_ms = "foreign", peeked.enqueued_at_ms
    body = peeked.body
    try:
        document = json_text.parse(peeked.body)
        body = original_body(document)
        reason = str(document.get("reason") or document.get("outcome") or reason)
        at = document.get("dead_lettered_at_ms")
        at_ms = at if isinstance(at, int) and at > 0 else at_ms
    except (ValueError, AttributeError):
        pass  # none of ours: its body is the original
    try:
        event = decode(body)
    except InvalidMessage:
        return None
    if isinstance(event, OtherMessage):
        return None
    rule = match(event, rules)
    if rule is None:
        return None
    key = (rule.name, event.account_id, event.region, event.resource_id)
    return GivenUp(key, event.evaluated_at_ms, reason, at_ms)


class Letters:
    """Which dead letters still count; not thread-safe, its owner has the lock."""

    def __init__(self, remembered: int) -> None:
        self._remembered = remembered
        self._answered_at_ms: OrderedDict[ExposureKey, int] = OrderedDict()
        """When a resource was seen safe: what was given up before that is no exposure any more."""
        self._missed: dict[ExposureKey, int] = {}
        self.known = False

    def answered(self, key: ExposureKey, at_ms: int) -> None:
        """The resource was seen safe, gone or not to be touched."""
        self._answered_at_ms.pop(key, None)
        self._answered_at_ms[key] = at_ms
        if len(self._answered_at_ms) > self._remembered:
            self._answered_at_ms.popitem(last=False)

    def forgot(self) -> None:
        """A letter had to be forgotten, so not all are known any more."""
        self.known = False

    def fresh(self, found: Sequence[GivenUp]) -> Iterator[GivenUp]:
        """Those about resources that were not seen safe since."""
        return (letter for letter in found if letter.at_ms > self._answered_at_ms.get(letter.key, -1))

    def settled(
        self,
        written: Mapping[ExposureKey, int],
        seen: Collection[ExposureKey],
        complete: bool,
        looked_at_ms: int,
        retention_seconds: int,
    ) -> list[ExposureKey]:
        """Whose letters a person has settled: missing for long enough, and not because the queue let them expire."""
        if not complete:
            self._missed = {key: count for key, count in self._missed.items() if key in written}
            return []
        self.known = True
        missing = {key for key, at_ms in written.items() if key not in seen and at_ms < looked_at_ms}
        self._missed = {key: self._missed.get(key, 0) + 1 for key in missing}
        kept_ms = retention_seconds * 1_000
        return [
            key
            for key, count in self._missed.items()
            if count >= _MISSES and (not kept_ms or looked_at_ms < written[key] + kept_ms)
        ]
