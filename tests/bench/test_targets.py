"""What the measurements say of each target."""

from __future__ import annotations

import dataclasses

import pytest

from bench import plan
from bench.contenders import CALLS, DOCUMENTED, FLOOR, STOCK, Contender
from bench.estimate import Decision
from bench.measurements import IdleResult, KillResult, Latency, Measurement, Results, StartResult
from bench.targets import Verdict, undecided, verdicts

_KILLED = KillResult(
    plan.SHIPPED_JOURNALED.name,
    messages=200,
    settled_at_kill=100,
    in_flight_at_kill=32,
    lost=0,
    not_back=0,
    repeated=32,
    done_after_seconds=35.0,
    waited_seconds=35.0,
    visibility_seconds=30,
)


def _measured(
    row: str, contender: Contender, *, turn: int = 1, rate: float = 100.0, cpu: float = 1.0, calls: float = 5.0
) -> Measurement:
    return Measurement(row, contender.name, turn, 2.0, int(rate * 2), cpu, 0.125, calls, 60.0, 0.2, 0.9)


def _quiet() -> Results:
    """A run of which it is known that nobody disturbed it."""
    results = Results.empty()
    results.measurements.append(_measured("http-0", CALLS))
    return results


def _about(results: Results, words: str) -> Verdict:
    (found,) = [each for each in verdicts(results) if words in f"{each.what} {each.unit}"]
    return found


def test_nothing_measured_is_no_verdict() -> None:
    """Every target is still listed, and none counts as met."""
    found = verdicts(Results.empty())
    assert len(found) > 15
    assert {each.decision for each in found} == {Decision.NOT_MEASURED}


def test_a_ratio_is_that_of_the_same_round() -> None:
    """A fast round of ours is never held against a slow round of theirs."""
    results = Results.empty()
    for turn, (ours, theirs) in enumerate([(2000.0, 100.0), (1000.0, 40.0), (900.0, 45.0)], 1):
        results.measurements.append(_measured("http-20", plan.WORKER_BUSY, turn=turn, rate=ours))
        results.measurements.append(_measured("http-20", DOCUMENTED, turn=turn, rate=theirs))
    found = _about(results, "http-20: 64 workers")
    assert found.found is not None
    assert (found.found.median, found.found.least, found.found.most) == (20.0, 20.0, 25.0)
    assert found.decision is Decision.UNDECIDED, "three rounds that differ by a quarter prove nothing about 20"
    assert ("http-20", plan.WORKER_BUSY.name, DOCUMENTED.name) in undecided(results)


def test_a_round_that_one_side_missed_is_left_out() -> None:
    """The other rounds still count."""
    results = Results.empty()
    results.measurements += [_measured("http-0", plan.WORKER, turn=turn, cpu=0.6) for turn in (1, 2)]
    results.measurements.append(_measured("http-0", STOCK, turn=2, cpu=1.0))
    found = _about(results, "against stock SDKs at 16 threads")
    assert found.found is not None
    assert found.found.median == 0.6
    assert found.decision is Decision.UNDECIDED, "of one round"


def test_the_engine_is_not_judged_on_different_work_without_saying_so() -> None:
    """The ratio is shown, but the row says that the requests differ."""
    results = Results.empty()
    for turn in (1, 2, 3):
        results.measurements.append(_measured("http-0", plan.WORKER, turn=turn, cpu=1.05, calls=3.0))
        results.measurements.append(_measured("http-0", CALLS, turn=turn, cpu=1.0, calls=5.0))
    found = _about(results, "logging and metrics included")
    assert found.decision is Decision.MET
    assert "NOT the same work" in found.note


def test_repairs_may_repeat_only_what_was_in_flight() -> None:
    """As many as in flight at the kill are met, one more is not."""
    results = _quiet()
    results.kills.append(_KILLED)
    assert _about(results, "repaired twice").decision is Decision.MET
    results.kills[0] = dataclasses.replace(_KILLED, repeated=33)
    assert _about(results, "repaired twice").decision is Decision.NOT_MET


def test_messages_that_never_came_back_miss_the_time() -> None:
    """However short the wait was."""
    results = _quiet()
    results.kills.append(dataclasses.replace(_KILLED, not_back=1, done_after_seconds=None, waited_seconds=40.0))
    assert _about(results, "all done after the kill").decision is Decision.NOT_MET


def test_replicas_are_compared_with_linear() -> None:
    """Two that do 1.9 times the work of one are at 0.95."""
    one, two, _ = plan.REPLICAS
    results = Results.empty()
    for turn in (1, 2, 3):
        results.measurements.append(_measured("replicas", one, turn=turn, rate=100))
        results.measurements.append(_measured("replicas", two, turn=turn, rate=190))
    found = _about(results, "2 replicas")
    assert found.found is not None
    assert found.found.median == 0.95
    assert found.decision is Decision.MET


def test_the_time_at_half_load_is_held_against_the_calls_that_were_made() -> None:
    """Five calls of 20 ms take 100 ms at least, so 200 ms are twice that."""
    results = Results.empty()
    latency = Latency(150.0, 250.0, 120.0, 200.0)
    for turn in (1, 2, 3):
        measured = _measured("trickle", plan.WORKER_SHIPPED, turn=turn, calls=5.0)
        results.measurements.append(dataclasses.replace(measured, latency=latency))
    found = _about(results, "p99 received")
    assert found.found is not None
    assert found.found.median == 2.0
    assert found.decision is Decision.MET


def test_an_idle_replica_has_to_stay_below_its_share_of_a_core() -> None:
    """Two thousandths are not below two thousandths."""
    results = _quiet()
    results.idles.append(IdleResult("w", 66.0, 2, 30.0, 0.002, 60.0))
    assert _about(results, "of a core").decision is Decision.NOT_MET
    assert _about(results, "one request every").decision is Decision.MET
    assert _about(results, "idle replica: RSS").decision is Decision.MET


@pytest.mark.parametrize(("cpu", "decision"), [(0.75, Decision.MET), (0.76, Decision.NOT_MET)])
def test_a_worker_is_held_against_what_its_requests_cost_without_an_sdk(cpu: float, decision: Decision) -> None:
    """Three quarters of the floor are met, more is not."""
    results = Results.empty()
    for turn in (1, 2, 3):
        results.measurements.append(_measured("http-0", plan.WORKER, turn=turn, cpu=cpu))
        results.measurements.append(_measured("http-0", FLOOR, turn=turn, cpu=1.0))
    assert _about(results, "against the floor").decision is decision


def test_memory_over_tls_is_that_of_the_worker_with_a_session_for_each_endpoint() -> None:
    """The one beside it, of a server without tickets, does not count."""
    results = Results.empty()
    for turn in (1, 2, 3):
        measured = _measured("tls-20", plan.WORKER_BUSY, turn=turn)
        results.measurements.append(dataclasses.replace(measured, rss_mb=91.0))
        results.measurements.append(_measured("tls-20", plan.WORKER_BUSY_WITHOUT_TICKETS, turn=turn))
    found = _about(results, "RSS of 64 workers")
    assert found.found is not None
    assert (found.found.median, found.decision) == (91.0, Decision.NOT_MET)


def test_what_tls_costs_is_judged_beside_http_and_beside_a_server_without_tickets() -> None:
    """All in one row, and so in the same rounds."""
    results = Results.empty()
    for turn in (1, 2, 3):
        results.measurements += [
            _measured("tls-20", plan.WORKER_BUSY, turn=turn, cpu=2.0),
            _measured("tls-20", plan.WORKER_BUSY_OVER_HTTP, turn=turn, cpu=1.25),
            _measured("tls-20", plan.WORKER_BUSY_WITHOUT_TICKETS, turn=turn, cpu=2.5),
        ]
    beside_http, beside_full = _about(results, "tls-20: a host per bucket"), _about(results, "one without")
    assert beside_http.found is not None
    assert beside_full.found is not None
    assert (beside_http.found.median, beside_http.decision) == (1.6, Decision.MET)
    assert (beside_full.found.median, beside_full.decision) == (0.8, Decision.MET)


def test_a_busy_machine_decides_nothing() -> None:
    """Neither by its rounds, nor by what is measured once; counts stay counts."""
    results = Results.empty()
    for turn in (1, 2, 3):
        for contender, cpu in ((plan.WORKER, 0.1), (STOCK, 1.0)):
            measured = _measured("http-0", contender, turn=turn, cpu=cpu)
            results.measurements.append(dataclasses.replace(measured, others_share=0.6))
    results.idles.append(IdleResult("w", 66.0, 2, 30.0, 0.001, 80.0))
    results.kills.append(_KILLED)
    for words in ("against stock SDKs at 16 threads", "of a core", "all done after the kill"):
        assert _about(results, words).decision is Decision.UNDECIDED
    assert _about(results, "lost").decision is Decision.MET
    found = _about(results, "against stock SDKs at 16 threads").found
    assert found is not None
    assert (found.others_share, found.disturbed) == (0.6, 3)


def test_what_was_measured_once_needs_a_run_of_which_the_load_is_known() -> None:
    """A start counts only if it was quiet itself."""
    results = Results.empty()
    results.idles.append(IdleResult("w", 66.0, 2, 30.0, 0.001, 60.0))
    assert _about(results, "idle replica: RSS").decision is Decision.UNDECIDED
    results.starts += [StartResult("w", 2.0, others_share=0.5) for _ in range(5)]
    assert _about(results, "start to first receive").decision is Decision.UNDECIDED
    results.starts[:] = [StartResult("w", 0.4, others_share=0.0) for _ in range(5)]
    assert _about(results, "start to first receive").decision is Decision.MET
    assert _about(results, "idle replica: RSS").decision is Decision.MET
