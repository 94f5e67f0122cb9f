"""The pace of polls, and what a row of them says about keeping up."""

from __future__ import annotations

from consumer.engine.poll_board import KEEPING_UP_SECONDS, PollBoard, PollState
from consumer.engine.poll_pace import PollPace
from tests.unit.fakes import Clock


def test_pauses_are_between_half_of_their_length_and_all_of_it() -> None:
    """So that replicas that failed together do not come back together."""
    pace = PollPace(30, lambda low, _high: low)
    for pause in (0.5, 1.0, 2.0):
        pace.failed()
        assert pace.pause_seconds() == pause
    pace.answered(1, 0.0)
    assert pace.pause_seconds() == 0.0
    for pause in (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0):
        pace.answered(0, 0.0)
        assert pace.pause_seconds() == pause


def test_before_the_first_poll_nothing_is_known_and_nothing_pauses() -> None:
    """Neither a success nor a failure, and no reason why polls would wait."""
    board = PollBoard()
    assert (board.state, board.paused_for, board.keeping_up_since) == (PollState(), "", None)


def test_keeping_up_is_polls_that_leave_nothing_behind() -> None:
    """Full polls leave more, and those of a helper do not wait for all parts of the service."""
    clock = Clock()
    board = PollBoard(wall=clock)
    assert board.keeping_up_since is None
    board.succeeded(full=True, waited=True)
    board.succeeded(full=False, waited=False)
    assert board.keeping_up_since is None
    board.succeeded(full=False, waited=True)
    began = clock.now
    clock.advance(KEEPING_UP_SECONDS)
    board.succeeded(full=False, waited=True)
    assert board.keeping_up_since == began


def test_a_gap_ends_it_and_it_begins_anew() -> None:
    """For minutes every poll was full, or failed, or there was no room for one."""
    clock = Clock()
    board = PollBoard(wall=clock)
    board.succeeded(full=False, waited=True)
    clock.advance(KEEPING_UP_SECONDS + 1)
    board.succeeded(full=True, waited=True)
    assert board.keeping_up_since is None
    board.succeeded(full=False, waited=True)
    assert board.keeping_up_since == clock.now


def test_a_clock_that_is_set_back_does_not_make_it_older() -> None:
    """Nor younger than now."""
    clock = Clock()
    board = PollBoard(wall=clock)
    board.succeeded(full=False, waited=True)
    clock.now -= 86_400
    board.succeeded(full=False, waited=True)
    assert board.keeping_up_since == clock.now
