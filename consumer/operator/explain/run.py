"""Shows what happened to a message or a resource, and rehearses how its event would end now."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from consumer.config import Config, build_rules, load
from consumer.core.errors import ConfigurationError, Refused
from consumer.core.exit_codes import CommandExit
from consumer.core.outcome import Outcome
from consumer.core.printable import quoted
from consumer.guards.rule import Rule
from consumer.operator import output, records
from consumer.operator.dry_run import DryRun, DryRunResult
from consumer.operator.explain import journals
from consumer.operator.explain.explained import Explained, ExplainedEvent, Prediction
from consumer.operator.explain.guards import REASONS, GuardCheck, GuardVerdict, guard_checks
from consumer.operator.explain.matching import RuleMatch, matches
from consumer.operator.explain.newest import JournaledEvent, newest_of_each_rule
from consumer.operator.explain.story import messages_about
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
    found = journals.read(paths, wanted, limit)
    search, doubts = found.search, found.doubts
    messages = messages_about((records.entries(each, search.spellings()) for each in paths), search.found)
    newest, rules = newest_of_each_rule(messages), build_rules(config)
    events = tuple(ExplainedEvent(each, matches(each.event, rules)) for each in newest.shown)
    bodies = [_body(rules, each.found) for each in events] if messages else _bodies(config, rules, wanted)
    if not messages and not search.by_people and not bodies:
        raise ConfigurationError(
            f"the journal has nothing about {quoted(wanted)}, and it cannot be a resource of any rule", found.advice
        )
    if not messages and not search.by_people and not look:
        text = " ".join([f"the journal has nothing about {quoted(wanted)}.", *doubts]).rstrip(".")
        raise ConfigurationError(text, found.advice)
    now = _now(path, bodies, [each.rules for each in events]) if look else ()
    if look:
        events = tuple(replace(each, now=one) for each, one in zip(events, now, strict=bool(messages)))
    imagined = () if messages else now
    explained = Explained(
        wanted, tuple(messages), search.by_people, search.more, found, events, imagined, newest.left_out
    )
    output.show(form, explained.document(), lambda console: draw(console, explained))
    if any(each.found.unavailable for each in now):
        return CommandExit.UNAVAILABLE
    return CommandExit.FOUND if doubts else CommandExit.DONE


def _bodies(config: Config, rules: Sequence[Rule], wanted: str) -> list[str]:
    """The bodies to rehearse for a resource that is not on record: one for each rule."""
    return [text for rule in rules if _possible(rule, wanted, config) and (text := _asked(config, rules, rule, wanted))]


def _body(rules: Sequence[Rule], found: JournaledEvent) -> str:
    """The body to rehearse for an event on record."""
    event = found.event
    subject = made_up.NamedResource(event.resource_type, event.resource_id, event.account_id, event.region)
    return made_up.body(_marks(found, rules), subject, _now_ms())


def _marks(found: JournaledEvent, rules: Sequence[Rule]) -> made_up.EventMarks:
    """What the event is known by: its own id, and what the journal does not have, as the rule that took it knows it."""
    identity = found.event.config_rule_id
    own = made_up.EventMarks(identity or made_up.BY_HAND)
    rule = next((each for each in rules if each.name == found.taken_by), None)
    if rule is None:
        return own
    try:
        every = made_up.marks(rule)
    except ConfigurationError:
        return own
    by_id = identity in rule.selector.config_rule_ids
    fitting = next((each for each in every if by_id or each.config_rule_id == made_up.BY_HAND), own)
    return replace(fitting, config_rule_id=own.config_rule_id)


def _possible(rule: Rule, wanted: str, config: Config) -> bool:
    try:
        rule.remediation.kind.resource(config.account_id, config.oss_default_region, wanted)
    except Refused:
        return False
    return True


def _asked(config: Config, rules: Sequence[Rule], rule: Rule, wanted: str) -> str:
    """The body of an event for one rule; empty where none can be made for its names."""
    kind = rule.remediation.kind
    region = kind.region_to_name("", config.oss_default_region)
    subject = made_up.NamedResource(kind.resource_type, wanted, config.account_id, region)
    try:
        return made_up.chosen(rule, rules, subject, _now_ms())
    except ConfigurationError:
        return ""


def _now(path: Path, bodies: Sequence[str], compared: Sequence[Sequence[RuleMatch]]) -> tuple[Prediction, ...]:
    """A look for each body; `compared` has the rules of those that are on record."""
    if not bodies:
        return ()
    rules_of = compared or [()] * len(bodies)
    with opened(path) as session:
        rehearsal = DryRun(session.config, session.open)
        found = [_unless_unknown(rehearsal.of(body), rules) for body, rules in zip(bodies, rules_of, strict=True)]
    return tuple(Prediction(each, _guards(each)) for each in found)


def _unless_unknown(found: DryRunResult, rule_matches: Sequence[RuleMatch]) -> DryRunResult:
    """That no rule takes an event is not known where one of them selects by what the journal does not have."""
    unsure = [each.rule for each in rule_matches if each.takes is None]
    if found.outcome is not Outcome.NOT_OURS or not unsure:
        return found
    detail = f"whether {', '.join(unsure)} takes it is not known: the journal does not have what decides"
    return replace(found, outcome=None, reason="unknown_marks", detail=detail)


def _guards(found: DryRunResult) -> tuple[GuardCheck, ...]:
    """What each guard decides now; those in running workers cannot be reached, so theirs is unknown."""
    if found.outcome is None:
        return ()
    outcome = found.outcome.value
    answers = guard_checks(outcome, found.reason, found.detail, began=False)
    names = [name for name, _ in REASONS]
    return tuple(
        replace(one, answer=GuardVerdict.UNKNOWN, because="only running workers know")
        if one.answer is GuardVerdict.PASSED and names.index(one.guard) > names.index("windows")
        else one
        for one in answers
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
