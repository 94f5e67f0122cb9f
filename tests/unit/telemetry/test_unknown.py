"""When a process may say that nothing is exposed: only while nothing can be missing from what it knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from consumer.core.errors import Unanswered
from consumer.core.outcome import Disposition, Outcome
from consumer.core.queue_attributes import Figures
from consumer.engine.in_flight import Books
from consumer.engine.poll_board import KEEPING_UP_SECONDS, UNDELETED_LIMIT, PollBoard
from consumer.engine.queue_depth import DepthSample
from consumer.telemetry.exposure import OpenExposures
from consumer.telemetry.unknown import Unknown, Unknowns
from tests.unit.fakes import Clock, service_error
from tests.unit.telemetry.records import SETTLED_AT_MS, message, report

HIDE_SECONDS = 3_600.0


@dataclass
class Process:
    """One that has just started and polls well."""

    dead_letters: bool = True
    in_flight: int = 0
    clock: Clock = field(default_factory=lambda: Clock(SETTLED_AT_MS / 1000))

    def __post_init__(self) -> None:
        self.board = PollBoard(wall=self.clock)
        self.exposures = OpenExposures(wall=self.clock)
        self.unknowns = Unknowns(
            self.exposures,
            self.board,
            lambda: Books(self.in_flight, dict.fromkeys(Disposition, 0), 0, self.in_flight, 0),
            longest_hide_seconds=HIDE_SECONDS,
            dead_letters=self.dead_letters,
            wall=self.clock,
        )
        self.board.succeeded(full=False, waited=True)

    @property
    def reasons(self) -> set[Unknown]:
        """Those that hold."""
        return {reason for reason, holds in self.unknowns.reasons().items() if holds}

    def look(self, figures: Figures, *, quiet: bool = True, dead_letters: bool = False) -> None:
        """The sampler has looked at a queue."""
        self.unknowns.look(DepthSample("queue", dead_letters, figures, quiet))

    def hold(self, message_id: str, seconds: float = 900.0) -> None:
        """It hides a message."""
        held = message(message_id=message_id)
        found = report(Outcome.HELD, message=held, disposition=Disposition.HIDDEN, hidden_seconds=seconds)
        self.unknowns.report(found)

    def all_known(self) -> None:
        """It has run for long enough and has seen every letter."""
        self.clock.advance(HIDE_SECONDS)
        self.exposures.letters((), complete=True, looked_at_ms=0, retention_seconds=0)
        self.board.succeeded(full=False, waited=True)
        assert self.reasons == set()


def test_a_new_process_does_not_know_what_was_hidden_before_it() -> None:
    """Until the longest time has passed for which a message may have been hidden."""
    process = Process(dead_letters=False)
    assert process.reasons == {Unknown.STARTING}
    process.clock.advance(HIDE_SECONDS)
    process.board.succeeded(full=False, waited=True)
    assert process.reasons == set()


def test_without_a_poll_it_knows_nothing() -> None:
    """Minutes after the last answer, and after a failure."""
    process = Process()
    process.all_known()
    process.clock.advance(KEEPING_UP_SECONDS + 1)
    assert process.reasons == {Unknown.NOT_POLLING, Unknown.BEHIND}
    process.board.succeeded(full=False, waited=True)
    process.board.failed(service_error(Unanswered, "timeout"))
    assert process.reasons == {Unknown.NOT_POLLING}


def test_while_polls_come_back_full_it_is_behind() -> None:
    """Answers alone prove nothing: four polls a minute were answered while everything was exposed."""
    process = Process()
    process.all_known()
    for _ in range(20):
        process.clock.advance(15)
        process.board.succeeded(full=True, waited=True)
    assert process.reasons == {Unknown.BEHIND}


def test_while_polls_pause_it_does_not_know() -> None:
    """By its own decision."""
    process = Process()
    process.all_known()
    process.board.pause(UNDELETED_LIMIT)
    assert process.reasons == {Unknown.POLLING_PAUSED}


def test_an_outage_after_the_start_does_not_make_it_new() -> None:
    """What it has seen it still knows."""
    process = Process()
    process.all_known()
    process.clock.advance(7_200)
    process.board.succeeded(full=False, waited=True)
    assert process.reasons == set()


@pytest.mark.parametrize(
    ("figures", "in_flight", "held", "proven"),
    [
        (Figures(0, 0, 0), 0, 0, True),
        (Figures(0, 3, 0), 2, 1, True),
        (Figures(0, 4, 0), 2, 1, False),
        (Figures(1, 0, 0), 0, 0, False),
        (Figures(0, 0, 1), 0, 0, False),
        (Figures(0, 0, None), 0, 0, False),
        (Figures(), 0, 0, False),
    ],
)
def test_a_queue_that_holds_nothing_else_proves_it_at_once(
    figures: Figures, in_flight: int, held: int, proven: bool
) -> None:
    """All that is on the queue is in flight here or was hidden here."""
    process = Process(dead_letters=False, in_flight=in_flight)
    for number in range(held):
        process.hold(f"held-{number}")
    process.look(figures)
    assert process.reasons == (set() if proven else {Unknown.STARTING})


def test_a_message_that_was_hidden_and_is_gone_counts_no_more() -> None:
    """It was hidden twice and deleted then; another one with it was not ours."""
    process = Process(dead_letters=False)
    process.hold("m")
    process.hold("m")
    process.look(Figures(0, 2, 0))
    assert process.reasons == {Unknown.STARTING}
    process.unknowns.report(report(Outcome.FIXED, message=message(message_id="m")))
    process.look(Figures(0, 1, 0))
    assert process.reasons == {Unknown.STARTING}
    process.look(Figures(0, 0, 0))
    assert process.reasons == set()


def test_a_parked_message_is_known_by_the_id_of_its_copy() -> None:
    """What it was received as is deleted; the copy waits on the queue, and is ours until it was settled."""
    process = Process(dead_letters=False)
    parked: dict[str, Any] = {"disposition": Disposition.PARKED, "hidden_seconds": 0.0, "parked_seconds": 900.0}
    process.unknowns.report(report(Outcome.HELD, message=message(message_id="m"), parked_as="copy", **parked))
    process.unknowns.report(report(Outcome.HELD, message=message(message_id="copy"), parked_as="copy-2", **parked))
    process.look(Figures(0, 0, 2))
    assert process.reasons == {Unknown.STARTING}
    process.look(Figures(0, 0, 1))
    assert process.reasons == set()


def test_messages_that_move_during_the_look_prove_nothing() -> None:
    """Nor does the dead-letter queue, nor a message that another replica may have by now."""
    process = Process(dead_letters=False)
    process.look(Figures(0, 0, 0), quiet=False)
    process.look(Figures(0, 0, 0), dead_letters=True)
    process.hold("m", 60.0)
    process.clock.advance(61)
    process.board.succeeded(full=False, waited=True)
    process.look(Figures(0, 1, 0))
    assert process.reasons == {Unknown.STARTING}


def test_dead_letters_are_unknown_until_all_were_seen() -> None:
    """A part of them is not enough; without a dead-letter queue there are none."""
    process = Process()
    process.clock.advance(HIDE_SECONDS)
    process.board.succeeded(full=False, waited=True)
    process.exposures.letters((), complete=False, looked_at_ms=0, retention_seconds=0)
    assert process.reasons == {Unknown.DEAD_LETTERS}
    process.exposures.letters((), complete=True, looked_at_ms=0, retention_seconds=0)
    assert process.reasons == set()
