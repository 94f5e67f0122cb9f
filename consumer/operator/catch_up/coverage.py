"""Which of the evaluator's rules ours take, and what of ours fits none of them. Pure.

A rule that nothing in the account triggers is as likely a mistyped name as one that is not used there; nobody sees the
difference but a person, so it is always reported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from consumer.core.evaluation import EvaluatorRule
from consumer.guards.rule import Rule


@dataclass(frozen=True, slots=True)
class Unmatched:
    """One entry of a configured rule's selector that fits no rule of the evaluator."""

    rule: str
    """Ours, by its name."""
    key: str
    """`config_rule_ids`, `source_identifiers` or `rule_names`."""
    value: str

    @property
    def exact(self) -> bool:
        """Whether it names one rule of the evaluator, and is no other way to say what another entry says as well."""
        return self.key == "config_rule_ids"

    def __str__(self) -> str:
        """As a log line has it."""
        return f"{self.rule}: {self.key} = {self.value}"


@dataclass(frozen=True, slots=True)
class Gaps:
    """What of the configuration fits nothing of the evaluator's."""

    rules: tuple[str, ...] = ()
    """Names of configured rules that take none of the evaluator's rules: nothing was listed for them."""
    entries: tuple[Unmatched, ...] = ()

    def problems(self) -> Iterator[str]:
        """Those for which a list is not complete, one line each; that one of several names fits nothing is none."""
        for name in self.rules:
            yield f"Cloud Config has no rule that {name} takes, so nothing is listed for it."
        for each in self.entries:
            if each.exact and each.rule not in self.rules:
                yield f"Cloud Config has no rule {each.value}, which {each.rule} has in config_rule_ids."


def may_take(ours: Rule, theirs: EvaluatorRule) -> bool:
    """Whether an event of the evaluator's rule can be one that ours selects."""
    selector = ours.selector
    if selector.resource_types and theirs.resource_types and not selector.resource_types & theirs.resource_types:
        return False
    if not (selector.config_rule_ids or selector.source_identifiers or selector.rule_names):
        return True  # by resource type alone
    return (
        theirs.rule_id in selector.config_rule_ids
        or theirs.identifier in selector.source_identifiers
        or any(fnmatchcase(theirs.name, pattern) for pattern in selector.rule_names)
    )


def gaps(rules: Sequence[Rule], known: Collection[EvaluatorRule]) -> Gaps:
    """What of `rules` fits none of all the evaluator's rules."""
    idle = tuple(ours.name for ours in rules if not any(may_take(ours, theirs) for theirs in known))
    return Gaps(idle, tuple(entry for ours in rules for entry in _unmatched(ours, known)))


def _unmatched(ours: Rule, known: Collection[EvaluatorRule]) -> Iterator[Unmatched]:
    ids, identifiers, names = (
        {rule.rule_id for rule in known},
        {rule.identifier for rule in known},
        {rule.name for rule in known},
    )
    for rule_id in sorted(ours.selector.config_rule_ids - ids):
        yield Unmatched(ours.name, "config_rule_ids", rule_id)
    for identifier in sorted(ours.selector.source_identifiers - identifiers):
        yield Unmatched(ours.name, "source_identifiers", identifier)
    for pattern in ours.selector.rule_names:
        if not any(fnmatchcase(name, pattern) for name in names):
            yield Unmatched(ours.name, "rule_names", pattern)
