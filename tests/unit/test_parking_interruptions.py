"""What interrupts parking and what does not, copy by copy: without the settlers around it."""

from __future__ import annotations

import pytest

from consumer.core.errors import MessageGone, PermissionMissing, ServiceError, Throttled, UnknownRefusal
from consumer.core.outcome import Ending, Outcome
from consumer.engine.parked_copy import ParkedCopy
from consumer.engine.parking import FIRST_PAUSE_SECONDS, PARKED_FOR_EACH_DUPLICATE
from tests.unit.engine import Engine


def planned(engine: Engine) -> ParkedCopy:
    """What the next message that has to wait is parked as."""
    delivery, *_ = engine.receive()  # those of before are visible again after a pause
    copy = engine.parking.copy(delivery, Ending(Outcome.HELD, "paused"), 900.0)
    assert isinstance(copy, ParkedCopy)
    return copy


@pytest.mark.parametrize(
    ("kind", "status", "interrupts"),
    [
        (UnknownRefusal, 400, False),
        (UnknownRefusal, 403, True),
        (UnknownRefusal, 0, True),
        (Throttled, 400, True),
        (PermissionMissing, 400, True),
        (MessageGone, 400, True),
    ],
)
def test_only_an_unknown_refusal_of_the_request_itself_is_that_of_one_message(
    kind: type[ServiceError], status: int, interrupts: bool
) -> None:
    """A code that is known means what it means, and an unknown one with another status may be about everything."""
    engine = Engine()
    engine.parking.refused(planned(engine), kind("mns", "SendMessage", "Code", "no", status=status))
    assert engine.parking.interrupted is interrupts


def test_each_interruption_makes_the_copies_of_before_worthless() -> None:
    """Also the second one and the third: what was planned since the one before is not sent any more, either."""
    engine = Engine()
    copies = []
    for _ in range(3):
        copy = planned(engine)
        assert not engine.parking.overtaken(copy)
        engine.parking.interrupt(copy, "timeout")
        copies.append(copy)
        assert [engine.parking.overtaken(each) for each in copies] == [True] * len(copies)
        engine.clock.advance(10 * FIRST_PAUSE_SECONDS)


@pytest.mark.parametrize("parked_well", [PARKED_FOR_EACH_DUPLICATE - 1, PARKED_FOR_EACH_DUPLICATE])
def test_what_was_parked_before_an_interruption_excuses_no_duplicate_after_it(parked_well: int) -> None:
    """The hundred are counted anew, with the message that tried it again as the first one."""
    engine = Engine()
    before = planned(engine)
    for _ in range(PARKED_FOR_EACH_DUPLICATE):
        engine.parking.worked(before)
    engine.parking.interrupt(before, "timeout")
    engine.clock.advance(FIRST_PAUSE_SECONDS)
    after = planned(engine)
    for _ in range(parked_well):
        engine.parking.worked(after)
    engine.parking.in_vain(after, "lease_lost")
    assert engine.parking.interrupted is (parked_well < PARKED_FOR_EACH_DUPLICATE)


@pytest.mark.parametrize("parked_well", [PARKED_FOR_EACH_DUPLICATE - 1, PARKED_FOR_EACH_DUPLICATE])
def test_a_process_that_has_parked_little_excuses_no_duplicate(parked_well: int) -> None:
    """A hundred have to be parked well first, also in its beginning."""
    engine = Engine()
    copy = planned(engine)
    for _ in range(parked_well):
        engine.parking.worked(copy)
    engine.parking.in_vain(copy, "lease_lost")
    assert engine.parking.interrupted is (parked_well < PARKED_FOR_EACH_DUPLICATE)
