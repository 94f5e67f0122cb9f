"""One look at a worker's metrics, and what two of them say about the time between. Pure.

What a worker does not export, such as guards it does not have, is missing here and not zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

_PREFIX = "remediator_"
_LARGEST = 1e18
"""No figure of a worker comes near."""
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The samples of one scrape."""

    at: float
    """Local monotonic seconds."""
    samples: Mapping[tuple[str, Labels], float] = field(default_factory=dict)
    """By name without prefix, and labels."""

    @classmethod
    def of(cls, text: str, at: float) -> Snapshot:
        """The snapshot in a scrape's text.

        Raises:
            ValueError: it is not the text of a scrape.
        """
        try:
            found = {
                (sample.name.removeprefix(_PREFIX), tuple(sorted(sample.labels.items()))): float(sample.value)
                for family in text_string_to_metric_families(text)
                for sample in family.samples
                if sample.name.startswith(_PREFIX)
            }
        except (LookupError, TypeError, AttributeError) as error:  # so the parser calls some texts, too
            raise ValueError(f"not the text of a scrape: {error!r}") from None
        # A figure that is none, which no worker exports, is as good as missing.
        return cls(at, {key: value for key, value in found.items() if abs(value) < _LARGEST})

    def series(self, name: str) -> Iterator[tuple[dict[str, str], float]]:
        """Labels and value of every sample of a metric."""
        for (found, labels), value in self.samples.items():
            if found == name:
                yield dict(labels), value

    def total(self, name: str, **labels: str) -> float | None:
        """The sum of a metric's samples with these labels; None if there is none."""
        values = [value for found, value in self.series(name) if labels.items() <= found.items()]
        return sum(values) if values else None

    def by(self, name: str, label: str) -> dict[str, float]:
        """The sums of a metric by the values of one label."""
        sums: dict[str, float] = {}
        for labels, value in self.series(name):
            sums[labels.get(label, "")] = sums.get(labels.get(label, ""), 0.0) + value
        return sums


@dataclass(frozen=True, slots=True)
class View:
    """What a person watches."""

    version: str
    slots: int | None
    in_flight: Mapping[str, int]
    received: int
    settled: Mapping[str, int]
    not_parked: Mapping[str, int] | None
    """Requests to park that failed, and messages that were hidden instead, by code; None if it does not say."""
    received_per_second: float | None
    """None after a first look, and when the worker was started anew meanwhile."""
    settled_per_second: float | None
    outcomes: Mapping[tuple[str, str], int]
    """Settled deliveries by rule and outcome, without those that never happened."""
    renewals: Mapping[str, int]
    errors: Mapping[tuple[str, str, str], int]
    """Requests that failed, by service, operation and code."""
    exposures: Mapping[str, float]
    """Seconds since the evaluation of the oldest open exposure, by rule."""
    modes: Mapping[str, str]
    paused: bool | None
    """Whether changes are paused; None if the worker does not say."""
    unknown: tuple[str, ...] | None
    """Why open exposures may be missing here; none if all are known, None if the worker does not say."""
    polls_paused: tuple[str, ...]
    """Why it receives less than there is."""
    given_up: Mapping[tuple[str, str], int]
    """Open exposures that nobody works on any more, by rule and reason."""
    missing: Mapping[tuple[str, str], int]
    """What waits for a permission, by action and resource."""
    balanced: bool | None
    """Whether everything received is settled or in flight; None if the worker does not say."""

    @property
    def exposed(self) -> tuple[str, ...]:
        """Rules that are not known to observe only and have an open exposure."""
        return tuple(sorted(rule for rule in self.exposures if self.modes.get(rule) != "observe"))

    def document(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "version": self.version,
            "paused": self.paused,
            "slots": self.slots,
            "in_flight": dict(self.in_flight),
            "received": self.received,
            "settled": dict(self.settled),
            "not_parked": None if self.not_parked is None else dict(self.not_parked),
            "balanced": self.balanced,
            "received_per_second": self.received_per_second,
            "settled_per_second": self.settled_per_second,
            "outcomes": [
                {"rule": rule, "outcome": outcome, "deliveries": count}
                for (rule, outcome), count in self.outcomes.items()
            ],
            "renewals": dict(self.renewals),
            "errors": [
                {"service": service, "operation": operation, "code": code, "requests": count}
                for (service, operation, code), count in self.errors.items()
            ],
            "oldest_open_exposure_seconds": dict(self.exposures),
            "exposures_unknown": None if self.unknown is None else list(self.unknown),
            "polls_paused": list(self.polls_paused),
            "given_up": [
                {"rule": rule, "reason": reason, "resources": count} for (rule, reason), count in self.given_up.items()
            ],
            "permissions_missing": [
                {"action": action, "resource": resource, "waiting": count}
                for (action, resource), count in self.missing.items()
            ],
            "modes": dict(self.modes),
        }


_FINE = frozenset({"ok", "empty"})


def view(now: Snapshot, before: Snapshot | None, wall: float) -> View:
    """What a snapshot says, with rates since an earlier one; `wall` is seconds since the epoch."""
    slots = now.total("worker_slots")
    modes = now.by("rule_mode", "rule")
    exposures = now.by("oldest_open_exposure_timestamp_seconds", "rule")
    return View(
        version=next((labels.get("version", "") for labels, _ in now.series("build_info")), ""),
        slots=None if slots is None else int(slots),
        in_flight=_whole(now.by("messages_in_flight", "state")),
        received=int(now.total("messages_received_total") or 0),
        settled=_whole(now.by("messages_settled_total", "disposition")),
        not_parked=_not_parked(now),
        received_per_second=_rate("messages_received_total", now, before),
        settled_per_second=_rate("messages_settled_total", now, before),
        outcomes={
            (labels.get("rule", ""), labels.get("outcome", "")): int(value)
            for labels, value in now.series("outcomes_total")
            if value
        },
        renewals=_whole({name: value for name, value in now.by("lease_renewals_total", "result").items() if value}),
        errors={
            (labels.get("service", ""), labels.get("operation", ""), labels.get("code", "")): int(value)
            for labels, value in now.series("api_requests_total")
            if labels.get("code") not in _FINE and value
        },
        exposures={rule: max(wall - at, 0.0) for rule, at in exposures.items()},
        modes={rule: "enforce" if value else "observe" for rule, value in modes.items()},
        paused=_yes(now.total("paused")),
        unknown=_reasons("exposures_unknown", now),
        polls_paused=_reasons("polling_paused", now) or (),
        given_up=_by_two("given_up_resources", "rule", "reason", now),
        missing=_by_two("permission_missing", "action", "resource", now),
        balanced=_balanced(now),
    )


def _not_parked(now: Snapshot) -> dict[str, int] | None:
    """A worker that parks counts what it has parked from the start; only then no failure means that there was none."""
    if now.total("messages_settled_total", disposition="parked") is None:
        return None
    return {
        labels.get("code", ""): int(value)
        for labels, value in now.series("settle_errors_total")
        if labels.get("action") == "park" and value
    }


def _yes(value: float | None) -> bool | None:
    return None if value is None else bool(value)


def _reasons(name: str, now: Snapshot) -> tuple[str, ...] | None:
    """The reasons that hold now; None without the metric."""
    found = now.by(name, "reason")
    return tuple(sorted(reason for reason, value in found.items() if value)) if found else None


def _by_two(name: str, one: str, other: str, now: Snapshot) -> dict[tuple[str, str], int]:
    return {(labels.get(one, ""), labels.get(other, "")): int(value) for labels, value in now.series(name)}


def _balanced(now: Snapshot) -> bool | None:
    received, settled = now.total("messages_received_total"), now.total("messages_settled_total")
    in_flight = now.total("messages_in_flight")
    if received is None or settled is None or in_flight is None:
        return None
    return received == settled + in_flight


def _whole(values: Mapping[str, float]) -> dict[str, int]:
    return {name: int(value) for name, value in values.items()}


def _rate(name: str, now: Snapshot, before: Snapshot | None) -> float | None:
    if before is None or now.at <= before.at:
        return None
    grown = (now.total(name) or 0) - (before.total(name) or 0)
    return grown / (now.at - before.at) if grown >= 0 else None
