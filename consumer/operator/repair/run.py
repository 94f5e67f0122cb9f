"""Repairs one resource that a person names: the worker's own pipeline, guards and journal, for one made-up delivery.

Nothing here decides whether a change may be made. Without `apply` every rule is made to observe. With it, only the rule
that the person named may change anything; if the resource turns out to belong to another rule, that one only observes.
There is no message, so nothing is settled: the lease is a deadline, after which nothing is begun any more.
"""

from __future__ import annotations

import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from consumer.app.build import build_evaluator, build_guards, build_store, build_switch
from consumer.config import Config, build_rules
from consumer.core.errors import ConfigurationError, InvalidMessage
from consumer.core.event import decode
from consumer.core.exit_codes import CommandExit
from consumer.core.message import Received
from consumer.core.observers import Hooks, StepName
from consumer.core.outcome import Outcome
from consumer.engine.delivery import Delivery
from consumer.engine.lease import Lease
from consumer.engine.pipeline import Pipeline
from consumer.guards.rule import Mode, Rule
from consumer.journal.file import JournalFile
from consumer.journal.writer import JournalWriter, actor, user
from consumer.operator import announce, output
from consumer.operator.dry_run import DryRun
from consumer.operator.repair import event
from consumer.operator.repair.result import RepairResult, close
from consumer.operator.session import Session, opened
from consumer.telemetry.log import get_logger

_MOST_CALLS = 4
"""A request may begin just before the work budget ends, and its answer and the read-back still follow."""

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
    with opened(path) as session:
        config = session.config
        rule = _named(build_rules(config), wish.rule)
        text = event.body(
            rule,
            resource_id=wish.resource,
            account_id=wish.account or config.account_id,
            region=wish.region,  # without one the kind decides where to look, if it can
            at_ms=_now_ms(),
        )
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
        raise ConfigurationError(f"--rule: there is no rule {name!r}; there are: {known}")
    return found


def _shown(session: Session, rule: Rule, text: str) -> RepairResult:
    found = DryRun(session.config, session.open).of(text)
    return RepairResult(
        rule, found.rule, found.event, found.outcome, found.reason, found.detail, found.before, found.after
    )


def _applied(session: Session, rule: Rule, text: str, wish: RepairRequest) -> RepairResult:
    """Make the change between two lines of the journal, as the worker does."""
    config = session.config
    who = f"{wish.person or user()}@{actor()}"
    with ExitStack() as closing:
        writer = JournalWriter(JournalFile(_journal(config, wish)), who=who)
        closing.callback(writer.close)
        writer.opened(session.credentials.get_credentials().access_key_id)
        hooks = Hooks(followers=(writer,))
        pipeline = _pipeline(session, rule, hooks, closing)
        delivery = _delivery(config, text)
        hooks.received([delivery.message])
        pipeline.triage(delivery)
        ending = delivery.ending or pipeline.repair(delivery)
        name = StepName.VERIFIED if ending.outcome is Outcome.FIXED else StepName.DECIDED
        journaled = hooks.step(delivery.step(name, before=ending.before, after=ending.after, ending=ending))
        change = writer.last[:12] if journaled and ending.outcome is Outcome.FIXED else ""
    taken = delivery.rule.name if delivery.rule else ""
    undo = "" if wish.journal else change  # which reads the configured journal
    announced = announce.fixed(session, delivery, ending, who, undo) if ending.outcome is Outcome.FIXED else None
    return RepairResult(
        rule,
        taken,
        delivery.event,
        ending.outcome,
        ending.reason,
        ending.detail,
        ending.before,
        ending.after,
        applied=True,
        change=change,
        who=who,
        alone=not config.shared.url,
        request_ids=delivery.stages.request_ids,
        unjournaled="" if journaled else writer.trouble or "the line about the ending could not be written",
        announced=announced or "",
    )


def _journal(config: Config, wish: RepairRequest) -> Path:
    if wish.journal is not None:
        return wish.journal
    if not config.journal.path:
        raise ConfigurationError(
            "journal.path: --apply writes down who changed what; configure a journal, or name one with --journal"
        )
    return Path(config.journal.path)


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
    return Pipeline(
        rules,
        session.open,
        account_id=config.account_id,
        default_region=config.oss_default_region,
        work_budget_seconds=config.engine.work_budget_seconds,
        guards=build_guards(config, build_switch(config), store, evaluator),
        member_accounts=config.accounts.allowed,
        hooks=hooks,
        journal_required=True,  # whoever changes something by hand leaves a trace of it first
    )


def _delivery(config: Config, text: str) -> Delivery:
    """A delivery that no queue has handed out, ours until the work has to be over."""
    identity, now, now_ms = f"repair-{uuid.uuid4()}", time.monotonic(), _now_ms()
    seconds = config.engine.work_budget_seconds + _MOST_CALLS * config.oss.call_timeout_seconds
    message = Received(identity, text, "", 1, now_ms, now_ms, seconds)
    return Delivery(message, Lease(identity, "", now, seconds), now)


def _status(result: RepairResult) -> CommandExit:
    if result.outcome in _DONE and result.of_the_rule:
        change_left = result.outcome is Outcome.FIXED and not result.applied
        return CommandExit.FOUND if change_left else CommandExit.DONE
    if result.would_change:
        return CommandExit.FOUND
    return CommandExit.UNAVAILABLE if result.outcome is Outcome.FAILED else CommandExit.REFUSED


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
