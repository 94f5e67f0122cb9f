"""Lists from the evaluator every resource that is non-compliant now under the rules that the configuration takes.

The results of the account's own rules are listed, and those of an account group where one is configured. What cannot be
listed is named, never left out in silence: a list with a gap says nothing about what is not on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from consumer.aliyun.cloud_config import CloudConfig
from consumer.aliyun.evaluation_lists import MOST_ON_A_PAGE
from consumer.aliyun.http import ReplyTooLarge, failure_code
from consumer.aliyun.retry import Retrier
from consumer.core.errors import DamagedReply, NotAuthenticated, Retryable, ServiceError
from consumer.core.evaluation import EvaluatorRule, ListPage, Violation
from consumer.core.printable import counted
from consumer.guards.rule import Rule
from consumer.operator.catch_up.coverage import Gaps, gaps, may_take

MOST_VIOLATIONS = 100_000
"""One run takes no more, so that neither its time nor its memory depends on what the service answers."""

_MOST_RULE_PAGES = 100
_FEW_ON_A_PAGE = 10
"""The page size where a whole page does not arrive: each may quote a policy, and a reply is bounded."""
_TOO_LARGE = failure_code(ReplyTooLarge())
"""The code of a reply that is larger than it may be, or is nothing that the service gives."""
_MOST_FAILURES = 3
"""So many rules one after the other that nobody answers about end a listing: there may be hundreds."""
_REQUEST_SECONDS = 120.0
"""How long one page is tried for, throttling included."""

_T = TypeVar("_T")


@dataclass(slots=True)
class RuleListing:
    """One of the evaluator's rules, and what listing its results gave."""

    rule: EvaluatorRule
    aggregator_id: str
    """The account group whose rule it is; empty for the account's own."""
    listed: int = 0
    unreadable: int = 0
    error: str = ""
    """Why its list is not complete; empty if it is."""


@dataclass(slots=True)
class Listing:
    """What the evaluator lists."""

    violations: list[Violation] = field(default_factory=list)
    rules: list[RuleListing] = field(default_factory=list)
    gaps: Gaps = field(default_factory=Gaps)
    """What of the configuration fits none of the evaluator's rules; nothing where they could not be listed."""
    problems: list[str] = field(default_factory=list)
    """What kept rules themselves from being listed."""

    @property
    def unreadable(self) -> int:
        """How many results were there that are nothing the service would list."""
        return sum(each.unreadable for each in self.rules)

    @property
    def not_found(self) -> tuple[str, ...]:
        """Ids of the configuration that no rule of the evaluator has."""
        return tuple(sorted({each.value for each in self.gaps.entries if each.exact}))

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not any(self.incomplete())

    def incomplete(self) -> Iterator[str]:
        """Why it is not complete, one line each: lists that broke off, ids and rules that nothing fits."""
        yield from self.problems
        yield from self.gaps.problems()
        for each in self.rules:
            if each.error:
                yield f"{each.rule.rule_id}: {each.error}"
            if each.unreadable:
                yield f"{each.rule.rule_id}: {counted(each.unreadable, 'result')} could not be read"


class Lister:
    """Lists for one configuration; for one thread."""

    def __init__(
        self,
        evaluator: CloudConfig,
        retrier: Retrier,
        rules: Sequence[Rule],
        *,
        aggregator_id: str,
        accounts: Collection[str] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """List what `rules` take; of members' resources only those of `accounts`, if it names any."""
        self._evaluator = evaluator
        self._retrier = retrier
        self._rules = rules
        self._groups = ("", aggregator_id) if aggregator_id else ("",)
        self._account = next(iter(accounts)) if len(accounts) == 1 else ""
        self._monotonic = monotonic

    def rules(self) -> Listing:
        """Which of the evaluator's rules the configuration takes; nothing is listed yet.

        Raises:
            NotAuthenticated: the service does not take the credentials.
        """
        found, known = Listing(), dict[str, RuleListing]()
        for group in self._groups:
            try:
                # A rule of the account group is also one of the account: it is listed once, with all its members.
                known |= {rule.rule_id: RuleListing(rule, group) for rule in self._rules_of(group)}
            except NotAuthenticated:
                raise
            except ServiceError as error:
                found.problems.append(f"The rules of {group or 'the account'} cannot be listed: {error}")
        found.rules = [each for each in known.values() if any(may_take(ours, each.rule) for ours in self._rules)]
        if not found.problems:
            found.gaps = gaps(self._rules, [each.rule for each in known.values()])
        return found

    def violations(self, found: Listing, advance: Callable[[], None]) -> None:
        """List what each rule has found; `advance` is called after each rule.

        Raises:
            NotAuthenticated: the service does not take the credentials.
        """
        failures = 0
        for listed in found.rules:
            if failures >= _MOST_FAILURES:
                listed.error = "not listed: Cloud Config did not answer about the rules before it"
                continue
            try:
                self._list(found, listed)
                failures = 0
            except NotAuthenticated:
                raise
            except ServiceError as error:
                listed.error = str(error)
                failures = failures + 1 if isinstance(error, Retryable) else 0
            advance()
        found.violations.sort(key=lambda each: (each.since_ms, each.config_rule_id, each.resource_id))

    def _list(self, found: Listing, listed: RuleListing) -> None:
        if not listed.rule.active:
            return  # what it has found may be long over, and nobody would see it end
        seen, token = {""}, ""
        while True:
            page = self._page(listed, token)
            listed.listed += len(page.items)
            listed.unreadable += page.unreadable
            identifier = listed.rule.identifier
            found.violations += [replace(each, identifier=identifier) for each in page.items]
            token = page.next_token
            if not token:
                return
            if token in seen:
                listed.error = "the list goes round in a circle: the same NextToken came twice"
                return
            if len(found.violations) >= MOST_VIOLATIONS:
                listed.error = f"one run takes {MOST_VIOLATIONS} results, and there are more"
                return
            seen.add(token)

    def _page(self, listed: RuleListing, token: str) -> ListPage[Violation]:
        def page(size: int) -> ListPage[Violation]:
            return self._evaluator.violations(
                listed.rule.rule_id, token, size, aggregator_id=listed.aggregator_id, account_id=self._account
            )

        try:
            return self._answered(lambda: page(MOST_ON_A_PAGE))
        except Retryable as error:
            if error.code != _TOO_LARGE:
                raise
            return self._answered(lambda: page(_FEW_ON_A_PAGE))

    def _rules_of(self, group: str) -> Iterator[EvaluatorRule]:
        for number in range(1, _MOST_RULE_PAGES + 1):
            page = self._answered(lambda number=number: self._evaluator.rules(number, group))  # type: ignore[misc]
            yield from page.items
            if page.unreadable:
                raise DamagedReply("config", "ListConfigRules", "unexpected_reply", "a rule in the list has no id")
            if len(page.items) < MOST_ON_A_PAGE:
                return
        raise DamagedReply("config", "ListConfigRules", "unexpected_reply", "the list of rules has no end")

    def _answered(self, request: Callable[[], _T]) -> _T:
        until = self._monotonic() + _REQUEST_SECONDS
        return self._retrier.call(request, until=lambda: until)
