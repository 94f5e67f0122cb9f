"""Retries inside the lease: what may pass is asked again, within attempts, budget and the process's life."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from consumer.aliyun.retry import Retrier, RetryPolicy
from consumer.core.errors import (
    DamagedReply,
    PermissionMissing,
    ResourceGone,
    ServiceError,
    Throttled,
    Unanswered,
    Unavailable,
)
from consumer.core.observers import Hooks
from tests.patience import PATIENCE_SECONDS
from tests.unit.fakes import Clock, Recorder, service_error


@dataclass
class Trying:
    """A request that fails as planned."""

    failures: list[ServiceError] = field(default_factory=list)
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    tries: int = 0

    def __post_init__(self) -> None:
        self.clock, self.recorder, self.stopping = Clock(), Recorder(), threading.Event()
        self.retrier = Retrier(
            self.policy, Hooks((self.recorder,)), self.stopping, monotonic=self.clock, pause=self.clock.advance
        )

    def request(self) -> str:
        """One try."""
        self.tries += 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"

    def call(self, budget_seconds: float = 1_000.0) -> str:
        """The request through the retrier."""
        until = self.clock() + budget_seconds
        return self.retrier.call(self.request, until=lambda: until)


@pytest.mark.parametrize("kind", [Throttled, Unavailable, Unanswered, DamagedReply])
def test_what_may_pass_is_tried_again_later(kind: type[ServiceError]) -> None:
    """Throttling, 5xx, silence and damage are tried again, and each retry is told with its pause."""
    trying = Trying([service_error(kind, "Code"), service_error(kind, "Code")])
    assert trying.call() == "answer"
    assert trying.tries == 3
    assert [(retry.service, retry.reason) for retry in trying.recorder.retries] == [("mns", "Code")] * 2
    assert all(0 <= retry.delay_seconds <= trying.policy.cap_seconds for retry in trying.recorder.retries)


@pytest.mark.parametrize("kind", [PermissionMissing, ResourceGone])
def test_what_will_not_change_is_requested_once(kind: type[ServiceError]) -> None:
    """An answer is an answer."""
    trying = Trying([service_error(kind)])
    with pytest.raises(kind):
        trying.call()
    assert trying.tries == 1


def test_the_last_failure_is_raised_when_the_attempts_are_used_up() -> None:
    """Five tries, and then the delivery fails with the real error, not with one of the retrier."""
    trying = Trying([service_error(Throttled, str(number)) for number in range(9)])
    with pytest.raises(Throttled) as raised:
        trying.call()
    assert (trying.tries, raised.value.code) == (5, "4")


def test_no_pause_begins_that_would_outlast_the_budget() -> None:
    """With no budget left the first failure is the last."""
    trying = Trying([service_error(Throttled)] * 9)
    until = trying.clock()
    with pytest.raises(Throttled):
        trying.retrier.call(trying.request, until=lambda: until)
    assert trying.tries == 1
    assert trying.clock() == until


def test_nothing_is_tried_again_once_its_time_was_cut_short() -> None:
    """The lease was lost in the pause, or the whole process slept in it: somebody else may be at work by now."""
    trying = Trying([service_error(Throttled)] * 9)
    ends = iter([1e12, 0.0])
    with pytest.raises(Throttled):
        trying.retrier.call(trying.request, until=lambda: next(ends, 0.0))
    assert trying.tries == 1


def test_a_stop_ends_the_tries() -> None:
    """Nothing is tried again in a process that is asked to stop: another replica will."""
    trying = Trying([service_error(Throttled)] * 9)
    trying.stopping.set()
    with pytest.raises(Throttled):
        trying.call()
    assert trying.tries == 1


def test_a_real_pause_ends_at_once_with_the_stop() -> None:
    """The pause waits on the stop, so that a stop never waits on the pause."""
    stopping = threading.Event()
    retrier = Retrier(RetryPolicy(base_seconds=600, cap_seconds=600), Hooks(), stopping)
    trying = Trying([service_error(Throttled)] * 9)

    def call() -> None:
        with pytest.raises(Throttled):
            retrier.call(trying.request, until=lambda: 1e12)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    stopping.set()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert trying.tries <= 2
