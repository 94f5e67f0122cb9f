"""The targets, and what the measurements say of each. Pure; a target is never adjusted to a measurement here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bench import plan
from bench.contenders import CALLS, CELERY_PREFORK, CELERY_THREADS, DOCUMENTED, DRAMATIQ, STOCK, Contender
from bench.figures import Spread, ratios
from bench.incidents import GRACE_SECONDS
from bench.measurements import KillResult, Measurement, Results

_OF_MESSAGES = "x messages/s"
_OF_CPU = "x CPU per message"


class Bound(StrEnum):
    """On which side of the target is good."""

    AT_LEAST = "≥"
    AT_MOST = "≤"
    BELOW = "<"

    def holds(self, value: float, target: float) -> bool:
        """Whether the value is on the good side."""
        match self:
            case Bound.AT_LEAST:
                return value >= target
            case Bound.AT_MOST:
                return value <= target
            case Bound.BELOW:
                return value < target


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target and what was measured."""

    what: str
    bound: Bound
    target: float
    unit: str
    found: Spread | None
    """None when it was not measured in this run."""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the median meets the target; None when nothing was measured."""
        return None if self.found is None else self.bound.holds(self.found.median, self.target)


def verdicts(results: Results) -> list[Verdict]:
    """Every target in turn."""
    busiest = _spread([max((each.server_utilisation for each in results.measurements), default=0.0)])
    server = Verdict("the canned server at its busiest", Bound.AT_MOST, 0.6, "of its core", busiest)
    return [*_ratios(results), *_kill(results), *_absolute(results), *([server] if results.measurements else [])]


def _ratios(results: Results) -> Iterator[Verdict]:
    at_least, at_most = Bound.AT_LEAST, Bound.AT_MOST
    ours, busy = plan.WORKER, plan.WORKER_BUSY
    rate, cpu = _rate, _cpu
    for name, worker, least in (
        ("http-20", busy, 20),
        ("tls-20", busy, 25),
        ("tls-20", plan.WORKER_BUSY_WITHOUT_TICKETS, 20),
    ):
        found = _compared(results, name, worker, DOCUMENTED, rate)
        tickets = ", no tickets" if worker is not busy else ""
        yield Verdict(f"{name}: 64 workers against the documented loop{tickets}", at_least, least, _OF_MESSAGES, found)
    found = _compared(results, "tls-20", busy, plan.WORKER_BUSY_WITHOUT_TICKETS, cpu)
    yield Verdict("tls-20: a server with tickets against one without", at_most, 1, _OF_CPU, found)
    for name, over_tls, over_http in (
        ("tls-0", ours, plan.WORKER_OVER_HTTP),
        ("tls-20", busy, plan.WORKER_BUSY_OVER_HTTP),
    ):
        found = _compared(results, name, over_tls, over_http, cpu)
        yield Verdict(f"{name}: a host per bucket over TLS against HTTP", at_most, 1.6, _OF_CPU, found)
    found = _compared(results, "http-0", ours, STOCK, cpu)
    yield Verdict("http-0: against stock SDKs at 16 threads", at_most, 0.45, _OF_CPU, found)
    found = _compared(results, "tls-0", ours, STOCK, cpu)
    yield Verdict("tls-0: the same with a host per bucket", at_most, 0.12, _OF_CPU, found)
    found = _compared(results, "http-0", ours, DRAMATIQ, rate)
    yield Verdict("http-0: against dramatiq, 16 threads", at_least, 2.5, _OF_MESSAGES, found)
    found = _compared(results, "http-0", ours, DRAMATIQ, cpu)
    yield Verdict("http-0: against dramatiq, 16 threads", at_most, 0.45, _OF_CPU, found)
    found = _compared(results, "http-0", ours, CELERY_THREADS, rate)
    yield Verdict("http-0: against celery, 16 threads", at_least, 3.5, _OF_MESSAGES, found)
    found = _compared(results, "http-0", ours, CELERY_PREFORK, rate)
    yield Verdict("http-0: against celery, 16 processes", at_least, 5, _OF_MESSAGES, found)
    yield _engine(results, plan.WORKER, "logging and metrics included")
    yield _engine(results, plan.WORKER_JOURNALED, "the journal included as well")
    one, *more = plan.REPLICAS
    for several in more:
        found = _compared(results, "replicas", several, one, rate, scale=1 / several.replicas)
        yield Verdict(f"1 → {several.replicas} replicas, latency-bound", at_least, 0.95, "of linear", found)


def _engine(results: Results, contender: Contender, what: str) -> Verdict:
    alone = "http-0: CPU per message against its calls alone"
    found = _compared(results, "http-0", contender, CALLS, _cpu)
    note = _different_calls(results.of("http-0", contender.name), results.of("http-0", CALLS.name))
    return Verdict(f"{alone}, {what}", Bound.AT_MOST, 1.10, _OF_CPU, found, note)


def _different_calls(ours: list[Measurement], theirs: list[Measurement]) -> str:
    """Says so if both sides did not send the same requests, for then the ratio is not the engine's."""
    if not ours or not theirs:
        return ""
    counts = [Spread.of(each.oss_requests_per_message for each in side).median for side in (ours, theirs)]
    if round(counts[0]) == round(counts[1]):
        return ""
    return f"NOT the same work: {counts[0]:.1f} against {counts[1]:.1f} OSS requests per message"


def _kill(results: Results) -> Iterator[Verdict]:
    ours = next((each for each in results.kills if each.contender == plan.SHIPPED_JOURNALED.name), None)
    yield Verdict("kill -9 in the middle of 200: lost", Bound.AT_MOST, 0, "messages", _single(ours, lambda it: it.lost))
    in_flight = ours.in_flight_at_kill if ours else 0
    repeated = _single(ours, lambda it: it.repeated)
    what = "the same: repaired twice, against in flight at the kill"
    yield Verdict(what, Bound.AT_MOST, in_flight, "messages", repeated)
    longest = (ours.visibility_seconds if ours else 0) + GRACE_SECONDS
    done = _single(ours, lambda it: it.waited_seconds + 1 if it.done_after_seconds is None else it.done_after_seconds)
    yield Verdict("the same: all done after the kill", Bound.AT_MOST, longest, "s", done)


def _single(result: KillResult | None, value: Callable[[KillResult], float]) -> Spread | None:
    return None if result is None else Spread.of([value(result)])


def _absolute(results: Results) -> Iterator[Verdict]:
    half_load = results.of("trickle", plan.WORKER_SHIPPED.name)
    yield Verdict(
        "trickle: p99 received → settled against the sum of its calls",
        Bound.AT_MOST,
        2,
        "x",
        _spread([_p99_by_calls(each) for each in half_load if each.latency]),
        f"{half_load[0].oss_requests_per_message:.1f} calls of 20 ms each" if half_load else "",
    )
    backlog = [each.mns_requests_per_message for each in results.of("http-0", plan.WORKER.name)]
    what = "http-0: MNS requests per message under backlog"
    yield Verdict(what, Bound.AT_MOST, 0.2, "requests", _spread(backlog))
    idles = results.idles
    every = _spread([each.seconds_per_request for each in idles])
    yield Verdict("idle replica: one request every", Bound.AT_LEAST, 25, "s", every)
    share = _spread([each.core_share * 100 for each in idles])
    yield Verdict("idle replica: of a core", Bound.BELOW, 0.2, "%", share)
    yield Verdict("idle replica: RSS", Bound.AT_MOST, 80, "MB", _spread([each.rss_mb for each in idles]))
    starts = _spread([each.seconds for each in results.starts])
    yield Verdict("start to first receive", Bound.AT_MOST, 1.5, "s", starts)


def _p99_by_calls(measurement: Measurement) -> float:
    assert measurement.latency is not None
    calls_ms = measurement.oss_requests_per_message * plan.TRICKLE.condition.latency_seconds * 1000
    return measurement.latency.received_p99_ms / calls_ms


def _rate(measurement: Measurement) -> float:
    return measurement.messages_per_second


def _cpu(measurement: Measurement) -> float:
    return measurement.cpu_ms_per_message


def _compared(
    results: Results,
    row: str,
    ours: Contender,
    theirs: Contender,
    value: Callable[[Measurement], float],
    *,
    scale: float = 1.0,
) -> Spread | None:
    """The ratio of each round that both took part in."""
    right = {each.round: value(each) for each in results.of(row, theirs.name)}
    pairs = [(value(each), right[each.round]) for each in results.of(row, ours.name) if each.round in right]
    return _spread([ratio * scale for ratio in ratios([top for top, _ in pairs], [bottom for _, bottom in pairs])])


def _spread(values: list[float]) -> Spread | None:
    return Spread.of(values) if values else None
