"""What the guards hold back and how near they are to it, as metrics that are read at the scrape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from consumer.guards.chain import Guards
from consumer.guards.rule import Rule
from consumer.guards.shared.store import Store
from consumer.reevaluation.requester import Reevaluation
from consumer.telemetry.gauges import LiveMetric, Values, only
from consumer.telemetry.metrics import Metrics

ALL_RULES = "(all)"
"""The limit on all rules together; no rule can have this name."""


class Expiring(Protocol):
    """Credentials of one account, the process's own or a member's."""

    @property
    def expires_at(self) -> float | None:
        """Seconds since the epoch; None while that is not known, and of credentials that do not end."""
        ...


def expose_guards(metrics: Metrics, rules: Sequence[Rule], guards: Guards, credentials: Mapping[str, Expiring]) -> None:
    """Export the guards' state. Rules, exemptions and accounts are bounded by the configuration."""
    names = [rule.name for rule in rules]

    def breakers() -> Values:
        found = guards.breakers.open_rules()
        return {} if found is None else {(name,): float(name in found) for name in names}

    def contested() -> Values:
        found = guards.contested()
        return {(name,): float(found.get(name, 0)) for name in names}

    text = "1 while the rule's changes are stopped because too many of them failed."
    metrics.expose(LiveMetric("breaker_open", "gauge", text, ("rule",), breakers))
    text = "1 while changes are paused by the configuration, a file or a signal."
    metrics.expose(LiveMetric("paused", "gauge", text, (), lambda: only(float(bool(guards.held_by())))))
    text = "Changes under way or made within the limit's window; (all) is the limit on all rules together."
    metrics.expose(
        LiveMetric("changes_in_window", "gauge", text, ("rule",), lambda: _by_rule(guards.changes_in_window()))
    )
    text = "Most changes in the limit's window; (all) is the limit on all rules together."
    metrics.expose(LiveMetric("changes_limit", "gauge", text, ("rule",), lambda: _by_rule(guards.limits.limits())))
    text = "Resources that are left alone because somebody keeps breaking them after our fix."
    metrics.expose(LiveMetric("contested_resources", "gauge", text, ("rule",), contested))
    windowed = [rule for rule in rules if rule.windows]
    text = "1 while the rule may change things by its windows of time, 0 while it waits for one; absent without any."
    metrics.expose(
        LiveMetric(
            "window_open",
            "gauge",
            text,
            ("rule",),
            lambda: {(rule.name,): float(guards.window_open(rule)) for rule in windowed},
        )
    )
    _expose_ends(metrics, guards, credentials)


def expose_reevaluation(metrics: Metrics, reevaluation: Reevaluation) -> None:
    """Export what became of the evaluations to be requested after fixes."""
    text = "Fixes by whether a new evaluation was requested, and by whether it agreed if that is waited for."
    metrics.expose(
        LiveMetric(
            "reevaluations",
            "counter",
            text,
            ("result",),
            lambda: {(result,): float(count) for result, count in reevaluation.results().items()},
        )
    )


def expose_store(metrics: Metrics, store: Store) -> None:
    """Export whether the store that replicas share can be reached."""
    text = "1 while the store that replicas share can be reached; while it cannot, nothing is changed."
    metrics.expose(LiveMetric("shared_store_up", "gauge", text, (), lambda: only(float(not store.problem))))
    name, text = "shared_store_errors", "Calls to what the replicas share that failed, by what was wanted of it."
    metrics.expose(LiveMetric(name, "counter", text, ("action",), lambda: _by_action(store.errors())))


def _expose_ends(metrics: Metrics, guards: Guards, credentials: Mapping[str, Expiring]) -> None:
    ends: Values = {(exemption.name,): exemption.expires_at for exemption in guards.exemptions.entries}

    def expiries() -> Values:
        known = {account: found.expires_at for account, found in credentials.items()}
        return {(account,): at for account, at in known.items() if at is not None}

    name, text = "exemption_expiry_timestamp_seconds", "When the exemption ends; also shown after it has ended."
    metrics.expose(LiveMetric(name, "gauge", text, ("exemption",), lambda: ends))
    name, text = "credentials_expiry_timestamp_seconds", "When temporary credentials end, by their account."
    metrics.expose(LiveMetric(name, "gauge", text, ("account",), expiries))


def _by_action(values: Mapping[str, int]) -> Values:
    return {(action,): float(value) for action, value in values.items()}


def _by_rule(values: Mapping[str, int]) -> Values:
    return {(name or ALL_RULES,): float(value) for name, value in values.items()}
