"""Calls that may hang: waited for in time, given up, and not collected without end."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from consumer.guards.shared_contest.time_limit import TimeLimit
from tests.emulation import eventually


def overdue(limit: TimeLimit, until: threading.Event) -> None:
    """A call that is given up and hangs on."""
    with pytest.raises(TimeoutError, match="no answer within 0 s"):
        limit.run(until.wait)


def works(limit: TimeLimit) -> bool:
    """Whether calls are begun."""
    begun = threading.Event()
    try:
        limit.run(begun.set)
    except TimeoutError as error:
        return "earlier calls" not in str(error)
    return True


def test_what_comes_back_in_time_is_handed_on() -> None:
    """A result as well as an error."""

    def fail() -> None:
        raise FileNotFoundError(2, "nothing there")

    limit = TimeLimit(60.0)
    assert limit.run(lambda: 7) == 7
    with pytest.raises(FileNotFoundError, match="nothing there"):
        limit.run(fail)


def test_a_service_s_own_timeout_is_an_error_like_any_other() -> None:
    """A share that is mounted softly says itself that it does not answer; nothing of that is overdue."""

    def answer() -> None:
        raise TimeoutError(110, "Connection timed out")

    limit = TimeLimit(60.0, most_overdue=1)
    for _ in range(3):
        with pytest.raises(TimeoutError, match="Connection timed out"):
            limit.run(answer)


def test_while_too_many_hang_no_more_are_begun() -> None:
    """Once one of them has come back, another may try."""
    limit = TimeLimit(0.0, most_overdue=2)
    first, second = threading.Event(), threading.Event()
    overdue(limit, first)
    overdue(limit, second)

    refused: list[Callable[[], None]] = []
    with pytest.raises(TimeoutError, match="2 earlier calls have not come back"):
        limit.run(lambda: refused.append(first.set))
    assert refused == []

    first.set()
    eventually(lambda: works(limit))
    second.set()
