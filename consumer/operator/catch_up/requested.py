"""How a request for new evaluations is shown: tables for people, one document for scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from consumer.operator import output
from consumer.operator.catch_up.listing import Listing, RuleListing
from consumer.operator.catch_up.view import draw_gaps, gaps_document, problems, rule_document


@dataclass(frozen=True, slots=True)
class Requested:
    """The result of requesting new evaluations."""

    listing: Listing
    errors: Mapping[str, str]
    """Why a rule is not evaluated, by its id; the others are."""

    def document(self) -> dict[str, Any]:
        """For scripts."""
        rules = [
            {**rule_document(each), "requested": not self._why(each), "error": self._why(each)}
            for each in self.listing.rules
        ]
        return {
            "complete": self.done,
            "rules": rules,
            **gaps_document(self.listing),
            "problems": self.listing.problems,
        }

    @property
    def done(self) -> bool:
        """Whether every rule is evaluated anew."""
        return not self.errors and self.listing.complete

    def draw(self, console: Console) -> None:
        """For people."""
        rows = [
            (each.rule.rule_id, each.rule.name, each.aggregator_id or "-", self._why(each) or "evaluation requested")
            for each in self.listing.rules
        ]
        console.print(output.table(("Cloud Config rule", "name", "account group", "result"), rows))
        draw_gaps(console, self.listing)
        for line in problems(self.listing):
            console.print(output.cell(line))
        console.print("What is non-compliant then is published to the topic, in a few minutes.")

    def _why(self, each: RuleListing) -> str:
        return self.errors.get(each.rule.rule_id, "")
