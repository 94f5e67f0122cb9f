"""Whether catch-up, where it is expected to run by itself, finds the rules that the configuration is about."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from consumer.aliyun.retry import Retrier, RetryPolicy
from consumer.config import build_rules
from consumer.core.errors import ConfigurationError, NotAuthenticated
from consumer.operator.catch_up.listing import Lister
from consumer.operator.check.findings import CheckResult, failed, ok, skipped, warning
from consumer.operator.session import Session

CATCH_UP = "catch-up"
_GAP = "see [[rules]], and catch_up.aggregator_id for rules of an account group"
_OTHER_SITE = (
    "check the access key or the role; where MNS takes it, reevaluate.region or reevaluate.endpoint is of another site"
)


def look(session: Session) -> Iterator[CheckResult]:
    """List the evaluator's rules; no finding where catch-up does not run by itself."""
    config = session.config
    if not config.catch_up.expected_within_seconds:
        return
    try:
        evaluator = session.evaluator(CATCH_UP)
    except ConfigurationError as error:
        yield failed(CATCH_UP, str(error), error.remedy)
        return
    retrier = Retrier(RetryPolicy(attempts=2), session.hooks, threading.Event())
    try:
        found = Lister(evaluator, retrier, build_rules(config), aggregator_id=config.catch_up.aggregator_id).rules()
    except NotAuthenticated as error:
        yield failed(CATCH_UP, f"Cloud Config refuses the credentials: {error.code}", _OTHER_SITE)
        return
    if found.problems:
        # Its role is another than the worker's, and this may be either.
        policy = session.command("ram-policy", "--for", "catch-up")
        remedy = f"run it with the role of catch-up to know; {policy} prints what that needs"
        yield skipped(CATCH_UP, " ".join(found.problems), remedy)
        return
    for text in found.gaps.problems():
        yield warning(CATCH_UP, text.rstrip("."), _GAP)
    if found.rules:
        off = [each.rule.rule_id for each in found.rules if not each.rule.active]
        more = f"; switched off there: {', '.join(off)}" if off else ""
        yield ok(CATCH_UP, f"rules of Cloud Config that are listed: {len(found.rules)}{more}")
