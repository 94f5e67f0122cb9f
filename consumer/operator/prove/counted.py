"""What a worker's own metrics say happened since the proof began: the rule's outcomes, counted.

Weaker than the journal: a counter says that a repair of this rule was made, not of which bucket.
"""

from __future__ import annotations

from consumer.core.outcome import Outcome
from consumer.operator.watch.run import NoMetrics, scrape


class OutcomeCounts:
    """One worker's outcomes of one rule, from the first look on."""

    def __init__(self, url: str, rule: str) -> None:
        """An empty URL has no worker behind it."""
        self.url = url
        self._rule = rule
        self._before = self._counts()

    @property
    def answers(self) -> bool:
        """Whether there is a worker that counts."""
        return self._before is not None

    def since(self) -> dict[Outcome, int]:
        """How many deliveries of the rule ended how since the first look; nothing where that is not known."""
        if self._before is None:
            return {}
        now = self._counts() or {}
        return {each: more for each in Outcome if (more := now.get(each, 0) - self._before.get(each, 0)) > 0}

    def _counts(self) -> dict[Outcome, int] | None:
        if not self.url:
            return None
        try:
            series = list(scrape(self.url).series("outcomes_total"))
        except NoMetrics:
            return None
        mine = [(labels, value) for labels, value in series if labels.get("rule") == self._rule]
        return {each: sum(int(value) for labels, value in mine if labels.get("outcome") == each) for each in Outcome}
