"""Re-evaluation: asked in its own time, never in anybody's way."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace

from consumer.core.errors import ServiceError
from consumer.core.evaluation import Judgement, Subject
from consumer.core.observers import Report
from consumer.core.outcome import Outcome
from consumer.reevaluation.requester import Reevaluation
from tests.unit.fakes import Clock, instant_heartbeat
from tests.unit.telemetry.records import report

OURS = report(Outcome.FIXED)


def named(name: str, outcome: Outcome = Outcome.FIXED) -> Report:
    """A settled delivery about that bucket."""
    found = report(outcome)
    assert found.event is not None
    return replace(found, event=replace(found.event, resource_id=name))


class Asked:
    """An evaluator that remembers, and fails when told to."""

    def __init__(self) -> None:
        self.resources: list[str] = []
        self.failures: deque[ServiceError] = deque()

    def evaluate(self, resource_id: str) -> None:
        """Be asked."""
        self.resources.append(resource_id)
        if self.failures:
            raise self.failures.popleft()

    def judgements(self, subject: Subject) -> tuple[Judgement, ...]:
        """Nobody waits for agreement here."""
        raise AssertionError(subject)


def reevaluation(evaluator: Asked, *, most_waiting: int = 10, **given: object) -> Reevaluation:
    """One that asks up to 60 times a minute about our own account's resources."""
    assert OURS.event is not None
    return Reevaluation(
        evaluator,
        given.pop("stopping", threading.Event()),  # type: ignore[arg-type]
        instant_heartbeat(Clock()),
        account_id=OURS.event.account_id,
        max_per_minute=60,
        most_waiting=most_waiting,
        **given,  # type: ignore[arg-type]
    )


def test_every_fix_has_its_turn() -> None:
    """What is not a fix is not asked about."""
    asked = Asked()
    asking = reevaluation(asked)
    for settled in (named("first"), named("held", Outcome.HELD), named("second"), named("gone", Outcome.GONE)):
        asking.report(settled)

    while asking.request_next(0):
        pass

    assert asked.resources == ["first", "second"]
    assert asking.results() == {"asked": 2, "failed": 0, "dropped": 0}


def test_a_resource_waits_in_line_once() -> None:
    """Several rules fixed it: one evaluation looks at all of them."""
    asked = Asked()
    asking = reevaluation(asked)
    asking.report(named("photos"))
    asking.report(named("photos"))
    assert asking.request_next(0)
    assert not asking.request_next(0)
    asking.report(named("photos"))
    assert asking.request_next(0)


def test_the_line_is_bounded() -> None:
    """Settling never waits: beyond the bound a fix is counted and forgotten."""
    asking = reevaluation(Asked(), most_waiting=2)
    for number in range(5):
        asking.report(named(f"bucket-{number}"))
    assert asking.results()["dropped"] == 3
    asking.report(named("bucket-1"))  # it is in line already, so nothing is dropped
    assert asking.results()["dropped"] == 3


def test_a_member_account_has_its_own_cloud_config() -> None:
    """Ours knows nothing of its resources."""
    asked = Asked()
    asking = reevaluation(asked)
    settled = named("photos")
    assert settled.event is not None
    asking.report(replace(settled, event=replace(settled.event, account_id="9876543210987654")))
    assert not asking.request_next(0)


def test_a_failure_is_counted_and_the_next_is_requested() -> None:
    """Nobody depends on the answer, so nothing is tried again."""
    asked = Asked()
    asked.failures.append(ServiceError("config", "Start", "ServiceUnavailable", "no"))
    asking = reevaluation(asked)
    asking.report(named("first"))
    asking.report(named("second"))
    assert asking.request_next(0)
    assert asking.request_next(0)
    assert asking.results() == {"asked": 1, "failed": 1, "dropped": 0}


def test_a_fix_counts_although_its_delivery_was_lost() -> None:
    """The resource has changed, whoever settles its message."""
    asked = Asked()
    asking = reevaluation(asked)
    asking.report(replace(named("photos"), outcome=Outcome.LEASE_LOST))
    assert asking.request_next(0)
    assert asked.resources == ["photos"]


def test_requests_keep_their_distance_and_end_with_the_process() -> None:
    """After each request it pauses, and a stop is not kept waiting by what is still in line."""
    asked, pauses = Asked(), list[float | None]()

    class SecondPause(threading.Event):
        """The stop comes in it."""

        def wait(self, timeout: float | None = None) -> bool:
            """No time passes."""
            pauses.append(timeout)
            if len(pauses) == 2:
                self.set()
            return self.is_set()

    asking = reevaluation(asked, stopping=SecondPause())
    for number in range(5):
        asking.report(named(f"bucket-{number}"))
    asking.run()

    assert asked.resources == ["bucket-0", "bucket-1"]
    assert pauses == [1.0, 1.0]
