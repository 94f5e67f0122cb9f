"""Tells what happened to a message or a resource, and rehearses how its event would end now."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from consumer.config import Config, build_rules, load
from consumer.core.errors import ConfigurationError, Refused
from consumer.core.event import Event
from consumer.core.exit_codes import CommandExit
from consumer.guards.rule import Rule
from consumer.journal.format import verify
from consumer.operator import output, records
from consumer.operator.dry_run import DryRun, DryRunResult
from consumer.operator.explain.explained import Explained, Prediction
from consumer.operator.explain.guards import REASONS, GuardCheck, GuardVerdict, asked
from consumer.operator.explain.matching import matches
from consumer.operator.explain.story import Message, Search, told
from consumer.operator.explain.view import draw
from consumer.operator.repair import event as made_up
from consumer.operator.session import opened


def explain(path: Path, form: str, wanted: str, files: Sequence[Path], *, limit: int, look: bool) -> CommandExit:
    """Explain a message or a resource.

    Raises:
        ConfigurationError: the configuration cannot be used, there is no journal to read, or nothing is known.
        CredentialsUnavailable: their source does not answer.
    """
    config = load(path, os.environ)
    paths = list(dict.fromkeys(files)) or [records.journal_path(path, None)]
    search, doubts = Search(wanted, limit), list[str]()
    for each in paths:
        verdict = verify(records.lines(each), hear=search.hear)
        if verdict.problems:
            first = verdict.problems[0]
            doubts.append(f"{each.name} is NOT whole, from line {first.line} on: {first.text}.")
        if verdict.gaps:
            doubts.append(f"{each.name} has {verdict.gaps} gaps, in which lines are missing.")
    messages = told(chain.from_iterable(records.entries(each, search.spellings()) for each in paths), search.found)
    event = next((each.event for each in reversed(messages) if each.event), None)
    events = _events(config, messages, event, wanted)
    if not messages and not search.by_people and not events:
        raise ConfigurationError(f"the journal has nothing about {wanted!r}, and it cannot be a resource of any rule")
    rules = build_rules(config)
    explained = Explained(
        wanted,
        tuple(messages),
        tuple(search.by_people),
        search.more,
        tuple(doubts),
        matches(event, rules) if event else (),
        _now(path, events) if look else (),
    )
    output.show(form, explained.document(), lambda console: draw(console, explained))
    return CommandExit.FOUND if doubts else CommandExit.DONE


def _events(config: Config, messages: list[Message], event: Event | None, wanted: str) -> list[str]:
    """The bodies to rehearse: the newest event's, by the rule it had; of a resource that is not on record, by each."""
    rules = build_rules(config)
    if event is None:
        if messages:
            return []  # a message that was no event
        return [body for rule in rules if _possible(rule, wanted, config) and (body := _body(config, rule, wanted))]
    taken_by = next((name for each in reversed(messages) if (name := each.said("rule"))), "")
    chosen = [rule for rule in rules if rule.name == taken_by] or list(rules)
    return [body for rule in chosen if (body := _body(config, _with_id(rule, event.config_rule_id), wanted, event))]


def _with_id(rule: Rule, config_rule_id: str) -> Rule:
    """The rule as if it selected by the id that the event had, if it selects by ids."""
    if config_rule_id not in rule.selector.config_rule_ids:
        return rule
    return replace(rule, selector=replace(rule.selector, config_rule_ids=frozenset({config_rule_id})))


def _possible(rule: Rule, wanted: str, config: Config) -> bool:
    try:
        rule.remediation.kind.resource(config.account_id, config.oss_default_region, wanted)
    except Refused:
        return False
    return True


def _body(config: Config, rule: Rule, wanted: str, event: Event | None = None) -> str:
    try:
        return made_up.body(
            rule,
            resource_id=event.resource_id if event else wanted,
            account_id=event.account_id if event else config.account_id,
            region=(event.region if event else "") or config.oss_default_region,
            at_ms=time.time_ns() // 1_000_000,
        )
    except ConfigurationError:
        return ""  # no event can be made for its names, so nothing can be rehearsed


def _now(path: Path, bodies: list[str]) -> tuple[Prediction, ...]:
    if not bodies:
        return ()
    with opened(path) as session:
        rehearsal = DryRun(session.config, session.open)
        found = [rehearsal.of(body) for body in bodies]
    return tuple(Prediction(each, _guards(each)) for each in found)


def _guards(found: DryRunResult) -> tuple[GuardCheck, ...]:
    """What each guard says now; those that live in running workers are not asked, so what they would say is unknown."""
    outcome = found.outcome.value if found.outcome else ""
    answers = asked(outcome, found.reason, found.detail, began=False)
    names = [name for name, _ in REASONS]
    return tuple(
        replace(one, answer=GuardVerdict.UNKNOWN, because="only running workers know")
        if one.answer is GuardVerdict.PASSED and names.index(one.guard) > names.index("windows")
        else one
        for one in answers
    )
