"""Messages whose settlement was given up: counted, their copies known, and bounded."""

from __future__ import annotations

from consumer.core.outcome import Ending, Outcome
from consumer.engine.unsettled import Unsettled

REJECTED = Ending(Outcome.REJECTED, "not_owner")


def test_each_time_is_counted_and_a_copy_is_remembered_beside() -> None:
    """Neither forgets the other."""
    unsettled = Unsettled()
    assert unsettled.given_up("m") == 1
    unsettled.copied("m", REJECTED)
    assert unsettled.given_up("m") == 2
    assert unsettled.ending_of_copy("m") == REJECTED
    assert unsettled.ending_of_copy("another") is None


def test_what_is_out_of_the_queue_is_forgotten() -> None:
    """A new message with an old id begins anew; forgetting what is not known does nothing."""
    unsettled = Unsettled()
    unsettled.copied("m", REJECTED)
    unsettled.forget("m")
    unsettled.forget("m")
    assert unsettled.ending_of_copy("m") is None
    assert unsettled.given_up("m") == 1


def test_the_longest_unseen_is_forgotten_first() -> None:
    """Bounded; what was seen last stays."""
    unsettled = Unsettled(remembered=2)
    unsettled.copied("first", REJECTED)
    unsettled.copied("second", REJECTED)
    unsettled.given_up("first")
    unsettled.copied("third", REJECTED)
    assert [bool(unsettled.ending_of_copy(name)) for name in ("first", "second", "third")] == [True, False, True]


def test_a_parked_copy_was_given_up_as_often_as_its_original() -> None:
    """Parking does not shorten the next pause; where nothing was given up, nothing is remembered."""
    unsettled = Unsettled()
    unsettled.given_up("m")
    unsettled.carry("m", "copy")
    unsettled.carry("another", "its copy")
    assert unsettled.given_up("copy") == 2
    assert list(unsettled._known) == ["m", "copy"]
