"""The targets, and what the measurements say of each. Pure; a target is never adjusted to a measurement here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from bench import plan
from bench.contenders import CALLS, CELERY_PREFORK, CELERY_THREADS, DOCUMENTED, DRAMATIQ, FLOOR, STOCK, Contender
from bench.estimate import Bound, Decision, Interval, quiet
from bench.figures import Spread
from bench.incidents import GRACE_SECONDS
from bench.measurements import KillResult, Measurement, Results

_OF_MESSAGES = "x messages/s"
_OF_CPU = "x CPU per message"


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
    def decision(self) -> Decision:
        """Met or not met where the quiet rounds prove it, else undecided."""
        if self.found is None:
            return Decision.NOT_MEASURED
        if self.found.interval is None:
            return Decision.UNDECIDED
        return self.found.interval.decide(self.bound, self.target)


def verdicts(results: Results) -> list[Verdict]:
    """Every target in turn."""
    busiest = Spread.exact(max((each.server_utilisation for each in results.measurements), default=0.0))
    server = Verdict("the canned server at its busiest", Bound.AT_MOST, 0.6, "of its core", busiest)
    return [*_ratios(results), *_kill(results), *_absolute(results), *([server] if results.measurements else [])]


def undecided(results: Results) -> list[tuple[str, str, str]]:
    """Row and contenders of each comparison that more rounds may decide."""
    found = [each.found for each in verdicts(results) if each.decision is Decision.UNDECIDED]
    return list(dict.fromkeys(each.pair for each in found if each is not None and each.pair))


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
    found = _compared(results, "http-0", ours, FLOOR, cpu)
    yield Verdict("http-0: against the floor, urllib3 signed by hand", at_most, 0.75, _OF_CPU, found)
    yield _engine(results, plan.WORKER, "logging and metrics included")
    yield _engine(results, plan.WORKER_JOURNALED, "the journal included as well")
    found = _compared(results, "http-0", plan.WORKER_JOURNALED, ours, cpu)
    yield Verdict("http-0: the journal on, against off", at_most, 1.15, _OF_CPU, found)
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
    done = _once(results, [_done(ours)] if ours else [])
    yield Verdict("the same: all done after the kill", Bound.AT_MOST, longest, "s", done)


def _done(result: KillResult) -> float:
    return result.waited_seconds + 1 if result.done_after_seconds is None else result.done_after_seconds


def _single(result: KillResult | None, value: Callable[[KillResult], float]) -> Spread | None:
    return None if result is None else Spread.exact(value(result))


def _absolute(results: Results) -> Iterator[Verdict]:
    half_load = results.of("trickle", plan.WORKER_SHIPPED.name)
    yield Verdict(
        "trickle: p99 received → settled against the sum of its calls",
        Bound.AT_MOST,
        2,
        "x",
        _rounds([each for each in half_load if each.latency], _p99_by_calls),
        f"{half_load[0].oss_requests_per_message:.1f} calls of 20 ms each" if half_load else "",
    )
    backlog = results.of("http-0", plan.WORKER.name)
    what = "http-0: MNS requests per message under backlog"
    yield Verdict(what, Bound.AT_MOST, 0.2, "requests", _rounds(backlog, lambda each: each.mns_requests_per_message))
    idles = results.idles
    every = _once(results, [each.seconds_per_request for each in idles])
    yield Verdict("idle replica: one request every", Bound.AT_LEAST, 25, "s", every)
    share = _once(results, [each.core_share * 100 for each in idles])
    yield Verdict("idle replica: of a core", Bound.BELOW, 0.2, "%", share)
    yield Verdict("idle replica: RSS", Bound.AT_MOST, 60, "MB", _once(results, [each.rss_mb for each in idles]))
    over_tls = results.of("tls-20", plan.WORKER_BUSY.name)
    what = "tls-20: RSS of 64 workers after their window"
    yield Verdict(what, Bound.AT_MOST, 90, "MB", _rounds(over_tls, lambda each: each.rss_mb))
    starts = _started(results)
    yield Verdict("start to first receive", Bound.AT_MOST, 0.4, "s", starts)


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
    """The ratio of each round that both took part in, so that what disturbs one side disturbs the other too."""
    right = {each.round: each for each in results.of(row, theirs.name) if value(each)}
    pairs = [(each, right[each.round]) for each in results.of(row, ours.name) if each.round in right]
    if not pairs:
        return None
    found = Spread.of(
        [value(top) / value(bottom) * scale for top, bottom in pairs],
        [max(top.others_share, bottom.others_share) for top, bottom in pairs],
    )
    return replace(found, pair=(row, ours.name, theirs.name))


def _rounds(measurements: Sequence[Measurement], value: Callable[[Measurement], float]) -> Spread | None:
    if not measurements:
        return None
    return Spread.of(map(value, measurements), [each.others_share for each in measurements])


def _started(results: Results) -> Spread | None:
    starts = results.starts
    return Spread.of([each.seconds for each in starts], [each.others_share for each in starts]) if starts else None


def _once(results: Results, values: Sequence[float]) -> Spread | None:
    """What was measured once, for long: it proves something only if the rounds of this run say that it was quiet."""
    shares = [each.others_share for each in results.measurements] + [each.others_share for each in results.starts]
    if not values or not shares:
        return Spread.of(values) if values else None
    found, others = Spread.of(values), median(shares)
    return replace(found, interval=Interval(found.least, found.most) if quiet(others) else None, others_share=others)
