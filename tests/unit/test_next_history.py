"""The history of the next copy: it goes on where the last one ended, and can be read back whatever a message claims."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.outcome import Ending, Outcome
from consumer.core.parked import Carried, History, carried, written
from consumer.engine.parked_copy import history
from tests.unit.fakes import received

HELD = Ending(Outcome.HELD, "over_limit")
EARLIER = History("origin", 1, 9, receipts=3, attempts=2, reason="failed:timeout", dead_letter_ms=5)
NEXT = replace(EARLIER, reason="held:over_limit", receipts=4)


@pytest.mark.parametrize(
    ("known", "times", "attempts", "made"),
    [
        (EARLIER, (1, 1, 2), 2, NEXT),
        (EARLIER, (1, 1, 2), 7, replace(NEXT, receipts=7, attempts=7)),
        (EARLIER, (1, 1, 2), 2_000_000, replace(NEXT, receipts=1_000_000, attempts=1_000_000)),
        (None, (2, 7, 8), 1, History("m-1", 7, 8, receipts=2, attempts=1, reason="held:over_limit")),
        (None, (1, 1, 1), 0, History("m-1", 1, 1, receipts=1, attempts=0, reason="held:over_limit")),
        (None, (0, 0, 0), 0, History("m-1", 1, 1, receipts=1, attempts=0, reason="held:over_limit")),
        (None, (1, 9, 4), 0, History("m-1", 9, 9, receipts=1, attempts=0, reason="held:over_limit")),
    ],
)
def test_the_next_history_can_always_be_believed(
    known: History | None, times: tuple[int, int, int], attempts: int, made: History
) -> None:
    """It goes on where the last one ended; what the service left out or mixed up is made as small as it can be."""
    count, enqueued, first = times
    message = replace(
        received("m-1"),
        carried=Carried(known),
        dequeue_count=count,
        enqueued_at_ms=enqueued,
        first_dequeued_at_ms=first,
    )
    assert history(message, HELD, attempts) == made


@given(
    st.integers(0, 10**13), st.integers(0, 10**13), st.integers(0, 10**9), st.integers(0, 10**9), st.text(max_size=80)
)
def test_whatever_a_message_is_its_next_history_can_be_read(
    enqueued: int, dequeued: int, receipts: int, attempts: int, why: str
) -> None:
    """Absurd stamps and counts of the service make a history that a later copy can still carry on."""
    message = replace(received(), enqueued_at_ms=enqueued, first_dequeued_at_ms=dequeued, dequeue_count=receipts)
    made = history(message, Ending(Outcome.HELD, why), attempts)
    found = carried(written(made), max(made.first_received_ms, 1)).history
    assert found is not None
    assert (found.receipts, found.attempts, found.reason) == (made.receipts, made.attempts, made.reason)
