"""Backoff and attempts: how long a failed message is hidden, and when it has failed often enough."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from consumer.core.queue_limits import MAX_VISIBILITY_SECONDS
from consumer.engine.backoff import Attempts, Backoff
from tests.unit.fakes import middle
from tests.unit.strategies import jitters

Jitter = Callable[[float, float], float]

backoffs = st.builds(
    Backoff, base_seconds=st.floats(0.01, 100_000), cap_seconds=st.floats(0.01, 10**6, allow_nan=False)
)


def test_the_pause_doubles_with_each_failure() -> None:
    """The first failure costs half to all of the base, each later one twice as much."""
    backoff = Backoff(base_seconds=40, cap_seconds=1000)
    assert [backoff.seconds(attempt, middle) for attempt in range(1, 8)] == [30, 60, 120, 240, 480, 750, 750]


def test_an_attempt_that_was_never_counted_is_the_first() -> None:
    """Zero attempts back off as one does: there is no shorter pause than the first."""
    backoff = Backoff()
    assert backoff.seconds(0, middle) == backoff.seconds(1, middle)


@given(backoffs, st.integers(0, 10**9), jitters)
def test_a_pause_is_always_one_that_the_queue_takes(backoff: Backoff, attempts: int, jitter: Jitter) -> None:
    """Whatever is configured and however often it failed: between 1 and 43,200 seconds, and at most the cap."""
    seconds = backoff.seconds(attempts, jitter)
    assert isinstance(seconds, int)
    assert 1 <= seconds <= MAX_VISIBILITY_SECONDS == 43_200
    assert seconds <= max(1, round(backoff.cap_seconds))


@given(backoffs, st.integers(0, 100), jitters)
def test_pauses_never_shrink_with_more_attempts(backoff: Backoff, attempts: int, jitter: Jitter) -> None:
    """With the same luck, one more failure never means a shorter pause."""
    assert backoff.seconds(attempts, jitter) <= backoff.seconds(attempts + 1, jitter)


def test_the_cap_is_reached_and_kept() -> None:
    """A message that failed a million times waits between half of what the queue allows and all of it."""
    backoff = Backoff(30, 10**9)
    assert backoff.seconds(10**6, lambda _low, high: high) == MAX_VISIBILITY_SECONDS
    assert backoff.seconds(10**6, lambda low, _high: low) == MAX_VISIBILITY_SECONDS / 2


def test_failures_are_counted_by_message() -> None:
    """Each message has its own count."""
    attempts = Attempts()
    assert [attempts.failed("a"), attempts.failed("a"), attempts.failed("b")] == [1, 2, 1]
    assert (attempts.of("a"), attempts.of("b"), attempts.of("c")) == (2, 1, 0)


def test_a_deleted_message_is_forgotten() -> None:
    """What has left the queue begins anew should its id ever come back; forgetting twice is no matter."""
    attempts = Attempts()
    attempts.failed("a")
    attempts.forget("a")
    attempts.forget("a")
    assert attempts.of("a") == 0


@given(st.lists(st.integers(0, 30)), st.integers(1, 5))
def test_memory_is_bounded_and_the_longest_unseen_goes_first(messages: list[int], most: int) -> None:
    """Never more than so many messages are remembered; the most recent failures always are, with their counts."""
    attempts = Attempts(remembered=most)
    model: dict[str, int] = {}
    for message in map(str, messages):
        model[message] = model.pop(message, 0) + 1
        if len(model) > most:
            del model[next(iter(model))]
        assert attempts.failed(message) == model[message]
    assert {message: attempts.of(message) for message in map(str, range(31)) if attempts.of(message)} == model


def test_what_a_copy_claims_is_a_beginning_and_never_the_end() -> None:
    """It is believed where it is more than is known here, and only failures that happen here are counted on."""
    attempts = Attempts()
    assert attempts.of("copy", 5) == 5
    assert [attempts.failed("copy", 5), attempts.failed("copy", 5), attempts.failed("copy", 0)] == [6, 7, 8]
    assert (attempts.of("copy", 3), attempts.seen("copy")) == (8, 3)
    assert (attempts.of("other", 3), attempts.seen("other")) == (3, 0)


def test_a_copy_that_lost_its_claim_is_known_all_the_same() -> None:
    """The process that parked a message knows its copy by the id that the queue gave it."""
    attempts = Attempts()
    attempts.failed("m", 4)
    attempts.carry("m", "copy")
    attempts.carry("never failed", "its copy")
    attempts.forget("m")
    assert (attempts.of("m"), attempts.of("copy"), attempts.seen("copy"), attempts.of("its copy")) == (0, 5, 1, 0)
    assert attempts.failed("copy") == 6
