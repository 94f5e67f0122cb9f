"""Repairs one resource that a person names: the worker's own pipeline, guards and journal, for one made-up delivery.

Nothing here decides whether a change may be made. Without `apply` every rule is made to observe, and what the named one
would do is rehearsed as if it enforced. With it, only the rule that the person named may change anything; if the
resource turns out to belong to another rule, that one only observes. There is no message, so nothing is settled: the
lease is a deadline, after which nothing is begun any more.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from consumer.app.build import build_evaluator, build_guards, build_pipeline, build_store, build_switch
from consumer.config import Config, build_rules
from consumer.core.errors import ConfigurationError, InvalidMessage
from consumer.core.event import decode
from consumer.core.exit_codes import CommandExit
from consumer.core.observers import Hooks
from consumer.core.outcome import Outcome
from consumer.core.printable import quoted
from consumer.engine.change import ChangeMaker
from consumer.engine.pipeline import Pipeline
from consumer.guards.chain import JOURNAL_UNWRITABLE
from consumer.guards.rule import Mode, Rule
from consumer.journal.file import JournalFile
from consumer.journal.writer import JournalWriter, actor, user
from consumer.operator import announce, output, typed
from consumer.operator.dry_run import DryRun, is_unavailable
from consumer.operator.interruption import terminable
from consumer.operator.repair import event
from consumer.operator.repair.attempts import BegunChange, RepairAttempts
from consumer.operator.repair.result import RepairResult, close
from consumer.operator.session import Session, opened
from consumer.telemetry.log import get_logger

_DONE = frozenset({Outcome.FIXED, Outcome.ALREADY_COMPLIANT})


@dataclass(frozen=True, slots=True)
class RepairRequest:
    """What a person wants."""

    resource: str
    rule: str
    region: str = ""
    """Empty: the default region; the live resource decides in any case."""
    account: str = ""
    """Empty: the worker's own."""
    config_rule_id: str = ""
    """Which of the rule's ids its event has; empty: the first that no rule further up takes."""
    person: str = ""
    """Empty: whoever is logged in here."""
    journal: Path | None = None
    """Instead of the configuration's."""
    apply: bool = False


def repair(path: Path, form: str, wish: RepairRequest) -> CommandExit:
    """Show what a rule would do about a resource, or do it.

    Raises:
        ConfigurationError: the configuration cannot be used, there is no such rule, or no journal to write.
        CredentialsUnavailable: their source does not answer.
    """
    if not wish.resource.strip():
        raise ConfigurationError("RESOURCE is empty: give its id, for OSS the bucket's name")
    with terminable(), opened(path) as session:
        config = session.config
        rules = build_rules(config)
        rule = _named(rules, wish.rule)
        kind = rule.remediation.kind
        region = kind.region_to_name(wish.region, config.oss_default_region)
        subject = event.NamedResource(kind.resource_type, wish.resource, wish.account or config.account_id, region)
        text = event.chosen(rule, rules, subject, time.time_ns() // 1_000_000, wish.config_rule_id)
        _checked(text)
        result = _applied(session, rule, text, wish) if wish.apply else _shown(session, rule, text)
    output.show(form, result.document(), lambda console: close(console, result))
    return _status(result)


def _checked(text: str) -> None:
    try:
        decode(text)
    except InvalidMessage as error:
        raise ConfigurationError(f"RESOURCE, --region or --account: {error}") from None


def _named(rules: tuple[Rule, ...], name: str) -> Rule:
    found = next((rule for rule in rules if rule.name == name), None)
    if found is None:
        known = ", ".join(rule.name for rule in rules) or "none"
        raise ConfigurationError(f"--rule: there is no rule {quoted(name)}; there are: {known}")
    return found


def _shown(session: Session, rule: Rule, text: str) -> RepairResult:
    found = DryRun(session.config, session.open, as_if_enforcing=rule.name).of(text)
    return RepairResult(
        rule,
        found.rule,
        found.event,
        found.outcome,
        found.reason,
        found.detail,
        found.before,
        found.after,
        unavailable=found.unavailable,
        request_ids=tuple(each.call.request_id for each in found.requests.kept if each.call.request_id),
    )


def _applied(session: Session, rule: Rule, text: str, wish: RepairRequest) -> RepairResult:
    """Make the change between two lines of the journal, as the worker does."""
    config = session.config
    who = f"{wish.person or user()}@{actor()}"
    with ExitStack() as closing:
        writer = JournalWriter(_journal(config, wish), who=who)
        closing.callback(writer.close)
        writer.opened(session.credentials.get_credentials().access_key_id)
        begun = BegunChange()
        hooks = Hooks(step_listeners=(writer, begun))
        attempts = RepairAttempts(
            config, _pipeline(session, rule, hooks, closing), hooks, begun, _follow_up(session, wish)
        )
        made = attempts.make(text)
        delivery, ending = made.delivery, made.ending
        attempt = ending.attempt
        in_part = attempt is not None and attempt.in_part
        proved = made.journaled and (ending.outcome is Outcome.FIXED or in_part)
        change = writer.last[:12] if proved else ""
    taken = delivery.rule.name if delivery.rule else ""
    named = "" if wish.journal else change  # what is announced names no file of this machine
    announced = announce.fixed(session, delivery, ending, who, named) if ending.outcome is Outcome.FIXED else None
    return RepairResult(
        rule,
        taken,
        delivery.event,
        ending.outcome,
        ending.reason,
        ending.detail,
        ending.before,
        ending.after,
        unavailable=is_unavailable(ending),
        applied=True,
        begun=attempt is not None and attempt.begun,
        in_part=in_part,
        change=change,
        undo=session.command("undo", change, *typed.option("--file", wish.journal)) if change else "",
        who=who,
        alone=not config.shared.url,
        request_ids=made.request_ids,
        unjournaled="" if made.journaled else writer.trouble or "the line about the ending could not be written",
        announced=announced or "",
    )


def _follow_up(session: Session, wish: RepairRequest) -> str:
    """What shows how a change stands that nobody waited for."""
    file = typed.option("--file", wish.journal)
    return typed.listed(
        (session.command("journal", "show", wish.resource, *file), "what is on record, with the state before"),
        (session.command("explain", wish.resource, *file), "the same, and what would be done now"),
    )


def _journal(config: Config, wish: RepairRequest) -> JournalFile:
    if wish.journal is not None:
        return JournalFile(wish.journal, named_by="--journal")
    if not config.journal.path:
        raise ConfigurationError(
            "journal.path: --apply writes down who changed what; configure a journal, or name one with --journal"
        )
    return JournalFile(Path(config.journal.path))


def _pipeline(session: Session, rule: Rule, hooks: Hooks, closing: ExitStack) -> Pipeline:
    """The worker's, where only the named rule may change anything."""
    config = session.config
    store = build_store(config, get_logger("consumer").warning)
    if store is not None:
        closing.callback(store.close)
    evaluator = build_evaluator(config, session.credentials, session.hooks)
    rules = [
        replace(each, mode=Mode.ENFORCE if each.name == rule.name else Mode.OBSERVE) for each in build_rules(config)
    ]
    guards = build_guards(config, build_switch(config), store, evaluator)
    changes = ChangeMaker(hooks, journal_required=True)  # whoever changes something by hand leaves a trace of it first
    return build_pipeline(config, rules, session.open, guards, changes)


def _status(result: RepairResult) -> CommandExit:
    if result.outcome in _DONE and result.of_the_rule:
        change_left = result.outcome is Outcome.FIXED and not result.applied
        return CommandExit.FOUND if change_left else CommandExit.DONE
    if result.unavailable:
        return CommandExit.UNAVAILABLE
    return CommandExit.USAGE if result.reason == JOURNAL_UNWRITABLE else CommandExit.REFUSED
