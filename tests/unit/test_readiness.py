"""What `/readyz` answers, and why not."""

from __future__ import annotations

from consumer.app.readiness import Readiness
from consumer.core.errors import Unanswered
from consumer.core.observers import SettleError
from consumer.engine.poll_board import KEEPING_UP_SECONDS, UNDELETED_LIMIT, PollBoard
from consumer.telemetry.settling import LONG_SECONDS, SettlementWatch
from tests.unit.fakes import Clock, service_error


class Process:
    """One whose last poll was answered."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.board = PollBoard(wall=self.clock)
        self.settlements = SettlementWatch(self.clock)
        self.stopping = False
        self.shared = ""
        self.ready = Readiness(lambda: self.stopping, self.board, self.settlements, lambda: self.shared, self.clock)
        assert self.ready() == "no poll has succeeded yet"
        self.board.succeeded(full=False, waited=True)
        assert self.ready() == ""


def test_a_poll_that_failed_is_named() -> None:
    """Until one is answered."""
    process = Process()
    process.board.failed(service_error(Unanswered, "timeout"))
    assert process.ready() == "last poll failed: timeout"
    process.board.succeeded(full=True, waited=True)
    assert process.ready() == ""


def test_a_pause_of_polls_is_named() -> None:
    """Not the pause of changes, which leaves it at work."""
    process = Process()
    process.board.pause(UNDELETED_LIMIT)
    assert process.ready() == "polling is paused: undeleted_limit"
    process.board.resume()
    assert process.ready() == ""


def test_polls_that_do_not_come_are_named() -> None:
    """No error, and no answer either: there was no room for one."""
    process = Process()
    process.clock.advance(KEEPING_UP_SECONDS + 1)
    assert process.ready() == "no poll for 121 s: every slot is taken"


def test_settlements_that_fail_are_named() -> None:
    """Repairs are made meanwhile, and soon no slot is left for another one."""
    process = Process()
    process.settlements.settle_error(SettleError("m", "delete", "AccessDenied"))
    process.clock.advance(LONG_SECONDS)
    process.settlements.settle_error(SettleError("m", "delete", "AccessDenied"))
    assert process.ready() == "settlements fail: delete for 30 s, last AccessDenied"


def test_a_stop_is_named_first() -> None:
    """Whatever else is wrong."""
    process = Process()
    process.stopping = True
    process.board.failed(service_error(Unanswered, "timeout"))
    assert process.ready() == "stopping"


def test_a_shared_store_that_cannot_be_reached_is_named() -> None:
    """Nothing can be changed meanwhile, so a rollout has to wait."""
    process = Process()
    process.shared = "ConnectionError: refused"
    assert process.ready() == "the store that replicas share cannot be reached: ConnectionError: refused"
    process.shared = ""
    assert process.ready() == ""
