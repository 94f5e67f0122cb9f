"""`check --prove`: looks at what it needs, and then proves one rule after the other on the canary."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from consumer.config import Config, build_rules
from consumer.core.errors import ConfigurationError
from consumer.core.exit_codes import CommandExit
from consumer.core.printable import counted, quoted
from consumer.guards.rule import Rule
from consumer.operator.check import configuration, hosts, mns
from consumer.operator.check.findings import CheckResult, Status, failed, ok
from consumer.operator.check.identity import credentials_or_why
from consumer.operator.check.run import concluded, show
from consumer.operator.prove.proof import Proof, ProofMeans
from consumer.operator.prove.record import PROOF, ProofFinding
from consumer.operator.prove.stopping import Stop, stoppable
from consumer.operator.prove.waiting import Witnesses
from consumer.operator.session import Session, made
from consumer.operator.watch.run import address


@dataclass(frozen=True, slots=True)
class ProofRequest:
    """What a person wants proved."""

    rules: tuple[str, ...] = ()
    """Names of rules; empty: every rule that can be proved."""
    url: str = ""
    """Where the worker's metrics are; empty: as configured."""
    journal: Path | None = None
    """The worker's journal, instead of the configuration's."""
    strict: bool = False


def prove(path: Path, form: str, wish: ProofRequest) -> CommandExit:
    """Prove and show what was found.

    Raises:
        ConfigurationError: no canary or no topic is configured, or no rule of that name.
        KeyboardInterrupt: a signal requested a stop; the canary is as it was found, or a note says what is left.
    """
    config = configuration.read(path, os.environ)
    if not isinstance(config, Config):
        return show(config, form, CommandExit.USAGE)
    rules = _wanted(config, wish.rules)
    with stoppable() as stop:
        found = list(_found(config, path, rules, wish, stop))
        if stop:
            raise stop.error(*(each.message for each in found if isinstance(each, ProofFinding)))
    return show(found, form, concluded(found, strict=wish.strict))


def _wanted(config: Config, names: Sequence[str]) -> list[Rule]:
    if not config.canary.bucket:
        text = "canary.bucket: nothing can be proved without a bucket that may be broken"
        raise ConfigurationError(
            text, "name an empty, private bucket of account_id that has the tag config-remediator = canary"
        )
    if not config.topic.name:
        raise ConfigurationError("topic.name: events are published to the topic, and none is configured")
    rules = build_rules(config)
    for name in names:
        if name not in {rule.name for rule in rules}:
            raise ConfigurationError(
                f"--rule: there is no rule {quoted(name)}; there are: {', '.join(r.name for r in rules)}"
            )
    return [rule for rule in rules if not names or rule.name in names]


def _found(config: Config, path: Path, rules: Sequence[Rule], wish: ProofRequest, stop: Stop) -> Iterator[CheckResult]:
    yield ok(configuration.CONFIGURATION, f"{counted(len(config.rules), 'rule')}; the canary is {config.canary.bucket}")
    reached = list(hosts.look(config))
    yield from reached
    if any(each.status is Status.FAILED for each in reached):
        yield _nothing_broken()
        return
    credentials = credentials_or_why(config)
    if isinstance(credentials, CheckResult):
        yield credentials
        return
    with made(path, config, credentials) as session:
        way = list(mns.route(session))
        yield from way
        if any(each.status is Status.FAILED for each in way):
            yield _nothing_broken()
            return
        yield from _proofs(session, rules, wish, stop)


def _proofs(session: Session, rules: Sequence[Rule], wish: ProofRequest, stop: Stop) -> Iterator[CheckResult]:
    config = session.config
    configured = Path(config.journal.path) if config.journal.path else None
    witnesses = Witnesses(wish.journal or configured, wish.url or address(config.http))
    means = ProofMeans(session, build_rules(config), witnesses, stop)
    proved = False
    for rule in rules:
        if stop:
            return
        found = Proof(means, rule).carry_out()
        if found.status is Status.SKIPPED and wish.rules:  # it was named with --rule
            found = found.as_failed()
        proved = proved or found.status is not Status.SKIPPED
        yield found
    if not proved and not stop:
        yield failed(PROOF, "no rule can be proved on this canary", "see the reasons above")


def _nothing_broken() -> CheckResult:
    return failed(PROOF, "nothing was broken: what is named above has failed", "put that right first")
