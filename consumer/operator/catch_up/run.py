"""Compares what the evaluator lists with what the queue was sent, shows it, and sends what is missing.

Nothing is changed on a resource here, and nothing is decided about one: an event that is sent goes through every guard,
limit and promise of the worker like any other. So a run may be cut off at any moment, and the next one begins anew with
the list as it is then; what the state file says was sent is not sent again.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from consumer.aliyun.retry import Retrier, RetryPolicy
from consumer.config import Config, build_rules
from consumer.core.errors import ConfigurationError, InvalidMessage, RemediatorError, ServiceError
from consumer.core.event import Event, decode
from consumer.core.exit_codes import CommandExit
from consumer.core.queue_limits import MAX_BATCH
from consumer.operator import output
from consumer.operator.catch_up.conclusion import LOGGER, Reported, report, write_line
from consumer.operator.catch_up.journaled import journaled
from consumer.operator.catch_up.listing import Lister
from consumer.operator.catch_up.memory import memory
from consumer.operator.catch_up.plan import ListedResource, PlanOptions, QueuedWork, plan, resource_of
from consumer.operator.catch_up.requested import Requested
from consumer.operator.catch_up.sending import EventSender, SentMemory
from consumer.operator.catch_up.sent import StateInUse
from consumer.operator.catch_up.view import Run
from consumer.operator.dlq.letters import read
from consumer.operator.dry_run import DryRun
from consumer.operator.interruption import pause, terminable
from consumer.operator.session import Session, opened
from consumer.reevaluation.catch_up import event_body, memory_key
from consumer.telemetry import log

_TRIES, _MORE_PATIENT = 10, 2.5
"""Than the worker is: no lease runs out here, and a list of many pages meets the service's flow control."""


@dataclass(frozen=True, slots=True)
class CatchUpOptions:
    """What a person or a job wants of a run."""

    choice: PlanOptions
    apply: bool = False
    rate: float = 10.0
    state: Path | None = None
    """Instead of what else would remember what was sent."""
    journals: tuple[Path, ...] = ()
    """Of workers, instead of the configured one."""


def catch_up(path: Path, form: str, wanted: CatchUpOptions) -> CommandExit:
    """List, plan, and with `apply` send.

    Raises:
        ConfigurationError: the configuration cannot be used, or the state file cannot.
        ServiceError: the evaluator does not take the credentials.
    """
    try:
        with terminable():
            run, status = _run(path, wanted)
    except RemediatorError as error:
        if wanted.apply and not sys.stderr.isatty():
            log.configure("auto", "info", sys.stderr)
            _write_failed(error)
        raise
    output.show(form, run.document(), run.draw)
    return status


def _run(path: Path, wanted: CatchUpOptions, *, unseen: bool = False) -> tuple[Run, CommandExit]:
    """One run; of one whose table is `unseen` the line in the log is all that there is."""
    with opened(path) as session:
        config = session.config
        _check_names(config, wanted.choice)
        choice = _completed(wanted.choice, config)
        with memory(config, wanted.state, os.environ, writable=wanted.apply) as sent:
            run = _listed(session, wanted, choice, sent)
            reported = Reported()
            if wanted.apply:
                sender = EventSender(session.queue(config.queue.name), _retrier(session), sent, rate=wanted.rate)
                _send(sender, run, sent)
                reported = report(sender, run, choice.min_age_seconds) if choice.everything else reported
    run = replace(run, notes=(*run.notes, reported.problem)) if reported.problem else run
    if wanted.apply and (unseen or not sys.stderr.isatty()):  # a person at a terminal has the table
        write_line("auto" if unseen else config.log.format, run, reported)
    if not run.listing.complete or reported.problem:
        return run, CommandExit.UNAVAILABLE
    return run, CommandExit.REFUSED if run.sending.failed or run.sending.forgotten else CommandExit.DONE


def again_and_again(path: Path, wanted: CatchUpOptions, every_seconds: float) -> CommandExit:
    """Run, wait, and run anew, until a signal comes; the log has a line for each run, and one that fails is no end.

    Raises:
        ConfigurationError: the configuration cannot be used, or the state file cannot.
    """
    with terminable():
        while True:
            log.configure("auto", "info", sys.stderr)
            try:
                _run(path, wanted, unseen=True)
            except StateInUse as error:
                _write_failed(error)
            except ConfigurationError:
                raise
            except RemediatorError as error:
                _write_failed(error)
            pause(every_seconds)


def _write_failed(error: RemediatorError) -> None:
    """The canonical line of a run that sent nothing, for it ended before it knew what to send."""
    log.get_logger(LOGGER).error("catch_up.failed", detail=str(error))


def request_evaluation(path: Path, form: str, wanted: CatchUpOptions) -> CommandExit:
    """Request an evaluation of every rule that the configuration takes.

    Raises:
        ConfigurationError: the configuration cannot be used.
        ServiceError: the evaluator does not take the credentials.
    """
    with terminable(), opened(path) as session:
        _check_names(session.config, wanted.choice)
        evaluator, errors = session.evaluator("catch-up"), dict[str, str]()
        lister = _lister(session, wanted.choice)
        listing = lister.rules()
        bar, advance = output.progress("requesting evaluations", len(listing.rules))
        with bar:
            for each in listing.rules:
                try:
                    evaluator.evaluate_rule(each.rule.rule_id, each.aggregator_id)
                except ServiceError as error:
                    errors[each.rule.rule_id] = str(error)
                advance()
    requested = Requested(listing, errors)
    output.show(form, requested.document(), requested.draw)
    return CommandExit.DONE if requested.done else CommandExit.UNAVAILABLE


def _listed(session: Session, wanted: CatchUpOptions, choice: PlanOptions, sent: SentMemory) -> Run:
    """The list, and what is to be done about each resource on it."""
    lister = _lister(session, choice)
    listing = lister.rules()
    bar, advance = output.progress("listing", len(listing.rules))
    with bar:
        lister.violations(listing, advance)
    now_ms = time.time_ns() // 1_000_000
    waiting, notes = _waiting(session)
    letters, more_notes = _dead_letters(session)
    rehearsal = DryRun(session.config, session.open, look=False)
    found = [(each, rehearsal.of(event_body(each, now_ms))) for each in listing.violations]
    before = sent.known([memory_key(each, rehearsed.mode) for each, rehearsed in found])
    journal = journaled(session.config, wanted.journals, {resource_of(each) for each in listing.violations}, now_ms)
    planned = plan(found, choice, QueuedWork(waiting, letters, journal.kept, before), now_ms)
    notes = (*notes, *more_notes, *journal.notes)
    return Run(listing, planned, now_ms, wanted.apply, notes=notes, memory=sent.place, journals=journal.files)


def _send(sender: EventSender, run: Run, sent: SentMemory) -> None:
    """Send what is planned; an interruption says first what has been done."""
    bar, advance = output.progress("sending events", run.to_send)
    try:
        with bar:
            sender.send(run.planned, run.sending, advance)
    except KeyboardInterrupt:
        again = "go on" if sent.place else "send them again: without --state nothing remembers them"
        output.note(f"\n{run.sent} of {run.to_send} events were sent; run it again to {again}.")
        raise


def _waiting(session: Session) -> tuple[frozenset[ListedResource], tuple[str, ...]]:
    """What the next visible messages of the queue are about."""
    try:
        peeked = session.queue(session.config.queue.name).peek(MAX_BATCH)
    except ServiceError as error:
        return frozenset(), (f"What waits in the queue could not be looked at: {error}",)
    return frozenset(_resources(each.body for each in peeked)), ()


def _dead_letters(session: Session) -> tuple[frozenset[ListedResource], tuple[str, ...]]:
    name = session.config.queue.dead_letter_queue
    if not name:
        return frozenset(), ()
    try:
        peeked = session.queue(name).peek(MAX_BATCH)
    except ServiceError as error:
        return frozenset(), (f"Dead letters could not be looked at: {error}",)
    return frozenset(_resources(read(each.message_id, each.body, each.enqueued_at_ms).body for each in peeked)), ()


def _resources(bodies: Iterable[str]) -> Iterable[ListedResource]:
    for body in bodies:
        try:
            found = decode(body)
        except InvalidMessage:
            continue
        if isinstance(found, Event):
            yield resource_of(found)


def _lister(session: Session, choice: PlanOptions) -> Lister:
    config = session.config
    rules = [rule for rule in build_rules(config) if not choice.rules or rule.name in choice.rules]
    return Lister(
        session.evaluator("catch-up"),
        _retrier(session),
        rules or build_rules(config),
        aggregator_id=config.catch_up.aggregator_id,
        accounts=choice.accounts,
    )


def _retrier(session: Session) -> Retrier:
    usual = session.config.retry
    policy = RetryPolicy(
        max(_TRIES, usual.request_attempts),
        usual.request_base_seconds * _MORE_PATIENT,
        usual.request_cap_seconds * _MORE_PATIENT,
    )
    return Retrier(policy, session.hooks, threading.Event())


def _completed(choice: PlanOptions, config: Config) -> PlanOptions:
    observed = {rule.name: rule.observed for rule in config.rules}
    return replace(choice, min_age_seconds=config.catch_up.min_age_seconds, observed=observed)


def _check_names(config: Config, choice: PlanOptions) -> None:
    known = {rule.name for rule in config.rules}
    if wrong := sorted(name for name in choice.rules if name not in known):
        raise ConfigurationError(f"--rule: there is no rule {wrong[0]!r}; there are {', '.join(sorted(known))}")
