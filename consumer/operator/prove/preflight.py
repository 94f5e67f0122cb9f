"""Whether a rule can be proved on the canary, found out before anything is broken."""

from __future__ import annotations

import time

from consumer.app.build import build_switch
from consumer.config import Config
from consumer.core.errors import RemediatorError
from consumer.core.outcome import Outcome
from consumer.guards.rule import Mode, Rule
from consumer.guards.window import described, seconds_until_open
from consumer.operator.check.findings import Status
from consumer.operator.dry_run import DryRun
from consumer.operator.session import Session
from consumer.resources.oss.kind import BUCKETS


class NotProvable(RemediatorError):
    """Nothing was broken; the text says why, `remedy` what to do, and `status` how the check ends for it."""

    def __init__(self, text: str, remedy: str, status: Status = Status.FAILED) -> None:
        super().__init__(text)
        self.remedy = remedy
        self.status = status


def provable(config: Config, rule: Rule) -> None:
    """Whether the rule can be proved at all, by the configuration alone.

    Raises:
        NotProvable: it cannot.
    """
    repair = rule.remediation
    if repair.kind is not BUCKETS:
        raise NotProvable(f"it is about a {repair.kind.noun}, and the canary is a bucket", "", Status.SKIPPED)
    if not repair.rehearsable:
        raise NotProvable(f"there is nothing harmless to be broken for {repair.name}", "", Status.SKIPPED)
    if repair.break_opens and not config.canary.public:
        text = f"to prove {repair.name}, the canary has to be opened to everyone for a moment"
        raise NotProvable(text, "set canary.public = true if an empty bucket may be", Status.SKIPPED)
    if rule.mode is Mode.OBSERVE:
        return
    if held_by := build_switch(config).held_by():
        raise NotProvable(f"changes are paused by {held_by}", "prove it once they go on")
    if rule.windows and seconds_until_open(rule.windows, time.time()):
        raise NotProvable(f"it makes changes only {described(rule.windows)}", "prove it in one of its windows")


def taken(session: Session, rule: Rule, body: str) -> None:
    """Whether a worker with this configuration would take the event about the canary as this rule's, and act on it.

    Raises:
        NotProvable: it would not.
    """
    found = DryRun(session.config, session.open).of(body)
    if found.outcome is Outcome.EXEMPT:
        raise NotProvable(f"nothing would be repaired: {found.detail}", "take the canary out of the exemption")
    nobody = found.outcome is Outcome.NOT_OURS
    if found.rule != rule.name or nobody:
        whose = f"rule {found.rule} takes" if found.rule and not nobody else "no rule takes"
        raise NotProvable(f"{whose} events about the canary", "see rules.resources, regions and tags", Status.SKIPPED)
    if found.outcome is not Outcome.ALREADY_COMPLIANT:
        text = f"a worker would end its event as {found.outcome or 'unknown'}: {found.detail or found.reason}"
        raise NotProvable(text, "the canary has to comply before it is broken")
