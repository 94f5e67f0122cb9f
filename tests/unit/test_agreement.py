"""Waiting for the evaluator's word: what counts as agreement, when the wait ends, and what it never disturbs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import pytest

from consumer.core.errors import ServiceError
from consumer.core.evaluation import Judgement, Subject
from consumer.core.observers import Report
from consumer.core.outcome import Outcome
from consumer.reevaluation.agreement import LOOK_SECONDS, AgreementPolicy, Agreements, Concluded
from consumer.reevaluation.requester import Reevaluation
from consumer.telemetry.exposure import OpenExposures
from consumer.telemetry.metrics import Metrics
from tests.unit.fakes import Clock, instant_heartbeat
from tests.unit.telemetry.records import EVALUATED_AT_MS, SETTLED_AT_MS, event, report
from tests.unit.telemetry.scrape import expose_open, metrics, value

TIMEOUT_SECONDS = 600.0
RULE = event().config_rule_id
BEFORE_THE_FIX = SETTLED_AT_MS - 5_000
AFTER_THE_FIX = SETTLED_AT_MS + 60_000
POLICY = AgreementPolicy(event().account_id, TIMEOUT_SECONDS)
OPEN = "oldest_open_exposure_timestamp_seconds"


class Evaluator:
    """An evaluator whose newest result is whatever the test last put there; it writes down every request."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.found: tuple[Judgement, ...] = ()
        self.failures: deque[ServiceError] = deque()

    def evaluate(self, resource_id: str) -> None:
        """Be asked for an evaluation."""
        self.requests.append(("evaluate", resource_id))
        self._fail()

    def judgements(self, subject: Subject) -> tuple[Judgement, ...]:
        """Be asked for results."""
        self.requests.append(("look", subject.resource_id))
        self._fail()
        return self.found

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.popleft()


class Scene:
    """A re-evaluation that waits for agreement, on a clock that only the test moves."""

    def __init__(self, *, most_waiting: int = 10) -> None:
        self.clock = Clock()
        self.evaluator = Evaluator()
        self.concluded: list[Concluded] = []
        self.asking = Reevaluation(
            self.evaluator,
            threading.Event(),
            instant_heartbeat(self.clock),
            account_id=POLICY.account_id,
            max_per_minute=60,
            agreements=Agreements(TIMEOUT_SECONDS, self.concluded.append, monotonic=self.clock),
            most_waiting=most_waiting,
        )

    def fixed(self, name: str = "photos", **changes: object) -> Report:
        """That bucket was fixed."""
        settled = report(Outcome.FIXED, event=event(resource_id=name, **changes))
        self.asking.report(settled)
        return settled

    def steps(self, seconds: float = 0.0) -> None:
        """Let time pass, then make every request that is due."""
        self.clock.advance(seconds)
        while self.asking.request_next(0):
            pass

    def conclusions(self) -> list[str]:
        """What came of the waits that have ended."""
        return [str(found.conclusion) for found in self.concluded]


def judged(compliance: str, judged_at_ms: int = AFTER_THE_FIX, rule: str = RULE) -> Judgement:
    """A result of the evaluator."""
    return Judgement(rule, compliance, judged_at_ms)


def test_it_looks_until_the_evaluator_agrees() -> None:
    """The first look comes some time after the request, the last one as soon as there is agreement."""
    scene = Scene()
    scene.fixed()
    scene.steps()
    assert scene.evaluator.requests == [("evaluate", "photos")]
    scene.steps(LOOK_SECONDS)
    scene.evaluator.found = (judged("COMPLIANT"),)
    scene.steps(LOOK_SECONDS - 1)
    assert scene.conclusions() == []
    scene.steps(1)
    scene.steps(10 * LOOK_SECONDS)

    assert scene.evaluator.requests[1:] == [("look", "photos")] * 2
    assert scene.conclusions() == ["agreed"]
    assert scene.concluded[0].waited_seconds == 2 * LOOK_SECONDS
    assert scene.asking.results() == {
        "asked": 1,
        "failed": 0,
        "dropped": 0,
        "agreed": 1,
        "disagreed": 0,
        "not_known": 0,
    }


@pytest.mark.parametrize(
    ("found", "conclusion"),
    [
        ((judged("COMPLIANT", EVALUATED_AT_MS + 1),), "agreed"),
        ((judged("NOT_APPLICABLE"),), "agreed"),
        ((judged("COMPLIANT", EVALUATED_AT_MS - 1),), "not_known"),
        ((judged("NON_COMPLIANT", EVALUATED_AT_MS),), "not_known"),
        ((judged("NON_COMPLIANT", BEFORE_THE_FIX),), "not_known"),
        ((judged("NON_COMPLIANT"),), "disagreed"),
        ((judged("IGNORED"),), "not_known"),
        ((judged("INSUFFICIENT_DATA"),), "not_known"),
        ((judged("COMPLIANT", rule="cr-another"),), "not_known"),
        ((), "not_known"),
    ],
)
def test_what_a_result_means_at_the_end_of_the_wait(found: tuple[Judgement, ...], conclusion: str) -> None:
    """Only what is newer than the finding agrees, only what is newer than the fix disagrees, by that rule alone."""
    scene = Scene()
    scene.fixed()
    scene.evaluator.found = found
    scene.steps()
    scene.steps(TIMEOUT_SECONDS)
    assert scene.conclusions() == [conclusion]


def test_a_disagreement_is_final_only_at_the_end() -> None:
    """The evaluator may have judged an old snapshot; it can still change its mind."""
    scene = Scene()
    scene.fixed()
    scene.evaluator.found = (judged("NON_COMPLIANT"),)
    scene.steps()
    scene.steps(LOOK_SECONDS)
    assert scene.conclusions() == []
    scene.evaluator.found = (judged("COMPLIANT"),)
    scene.steps(LOOK_SECONDS)
    assert scene.conclusions() == ["agreed"]


def test_a_failed_request_does_not_end_the_wait() -> None:
    """Neither a refused evaluation, for the rule may look again by itself, nor a look that found nobody."""
    scene = Scene()
    failure = ServiceError("config", "Any", "ServiceUnavailable", "no")
    scene.evaluator.failures.extend([failure, failure])
    scene.evaluator.found = (judged("COMPLIANT"),)
    scene.fixed()
    scene.steps()
    scene.steps(LOOK_SECONDS)
    assert scene.asking.results()["failed"] == 1
    assert scene.conclusions() == []
    scene.steps(LOOK_SECONDS)
    assert scene.conclusions() == ["agreed"]


def test_when_nobody_answers_the_wait_ends_all_the_same() -> None:
    """The wait is bounded, and what was last seen is what counts."""
    scene = Scene()
    scene.fixed()
    scene.evaluator.found = (judged("NON_COMPLIANT"),)
    scene.steps()
    scene.steps(LOOK_SECONDS)
    scene.evaluator.failures.append(ServiceError("config", "Any", "ServiceUnavailable", "no"))
    scene.steps(TIMEOUT_SECONDS)
    assert scene.conclusions() == ["disagreed"]


def test_one_look_answers_for_all_rules_of_a_resource() -> None:
    """Two of its rules were fixed: one request tells of both, each by its own result."""
    scene = Scene()
    scene.fixed()
    scene.fixed(config_rule_id="cr-second")
    scene.evaluator.found = (judged("COMPLIANT"), judged("NON_COMPLIANT", rule="cr-second"))
    scene.steps()
    scene.steps(TIMEOUT_SECONDS)
    assert scene.evaluator.requests == [("evaluate", "photos"), ("look", "photos")]
    assert sorted(scene.conclusions()) == ["agreed", "disagreed"]


def test_requests_and_looks_take_turns() -> None:
    """They share one limit, so neither may starve the other."""
    scene = Scene()
    scene.fixed("first")
    scene.fixed("second")
    scene.steps()
    scene.clock.advance(LOOK_SECONDS)
    for name in ("third", "fourth"):
        scene.fixed(name)
    scene.steps()
    assert [kind for kind, _ in scene.evaluator.requests[2:]] == ["look", "evaluate", "look", "evaluate"]


def test_what_waits_is_bounded_together() -> None:
    """A resource that is watched takes a place in line."""
    scene = Scene(most_waiting=2)
    scene.fixed("first")
    scene.steps()
    scene.fixed("second")
    scene.fixed("third")
    assert scene.asking.results()["dropped"] == 1


def test_a_newer_event_takes_the_older_fix_s_place() -> None:
    """What comes of it decides; the older wait ends without a word."""
    scene = Scene()
    settled = scene.fixed()
    scene.steps()
    scene.asking.report(replace(settled, ending=report(Outcome.GONE).ending, outcome=Outcome.GONE))
    scene.steps(TIMEOUT_SECONDS)
    assert scene.evaluator.requests == [("evaluate", "photos")]
    assert scene.concluded == []


def _metrics(wall: Callable[[], float]) -> Metrics:
    """Metrics of a process that waits for agreement."""
    exposures = OpenExposures(agreement=POLICY, wall=wall)
    found = metrics(exposures=exposures, wall=wall)
    expose_open(found, exposures)
    return found


def test_the_exposure_is_open_until_the_evaluator_agrees() -> None:
    """From the event's evaluation on, as if the fix were not known yet; its duration is still that of the fix."""
    scene = Scene()
    found = _metrics(lambda: SETTLED_AT_MS / 1000)
    settled = scene.fixed()
    found.report(settled)
    assert value(found, OPEN, rule="no-public-read") == EVALUATED_AT_MS / 1000
    assert value(found, "exposure_seconds_count", rule="no-public-read") == 1

    scene.evaluator.found = (judged("COMPLIANT"),)
    scene.steps()
    scene.steps(LOOK_SECONDS)
    for concluded in scene.concluded:
        found.concluded(concluded)

    assert value(found, OPEN, rule="no-public-read") is None
    assert value(found, "exposure_seconds_count", rule="no-public-read") == 1


@pytest.mark.parametrize("compliance", ["NON_COMPLIANT", "INSUFFICIENT_DATA"])
def test_without_agreement_the_exposure_stays_open_for_its_time(compliance: str) -> None:
    """A disagreement and a wait in vain close nothing; after an hour more it is no longer told."""
    scene, wall = Scene(), Clock(SETTLED_AT_MS / 1000)
    found = _metrics(wall)
    found.report(scene.fixed())
    scene.evaluator.found = (judged(compliance),)
    scene.steps()
    scene.steps(TIMEOUT_SECONDS)
    for concluded in scene.concluded:
        found.concluded(concluded)
    assert len(scene.concluded) == 1

    wall.advance(TIMEOUT_SECONDS + 3_600)
    assert value(found, OPEN, rule="no-public-read") == EVALUATED_AT_MS / 1000
    wall.advance(1)
    assert value(found, OPEN, rule="no-public-read") is None
