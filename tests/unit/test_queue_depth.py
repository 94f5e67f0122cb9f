"""What is believed of the figures of a queue, and what a look that shows less than the queue holds is taken for."""

from __future__ import annotations

from consumer.core.queue_attributes import Figures
from consumer.engine.queue_depth import QueueWatch, Watched
from tests.unit.sampling import DEAD, MAIN, POLICY, SOME, ZEROS, Asked, Stage, some_letters


def test_figures_of_the_start_stay_beside_zeros_of_another_queue() -> None:
    """An empty dead-letter queue does not make the main queue's figures doubtful, in whichever order they are read."""
    for names in ((MAIN, DEAD), (DEAD, MAIN)):
        stage = Stage()
        found = {MAIN: SOME, DEAD: ZEROS}
        watched = [Watched(Asked(name), name == DEAD, found[name]) for name in names]
        assert QueueWatch(watched, stage.books, POLICY, monotonic=stage.clock).figures() == found


def test_a_message_that_comes_during_the_request_proves_nothing() -> None:
    """The queue may have counted before it was sent."""
    stage = Stage(dead_letters=False)
    stage.work()
    stage.queues[MAIN].figures = ZEROS
    stage.queues[MAIN].meanwhile = lambda: setattr(stage, "working", 1)
    stage.pass_time(65)
    assert stage.times == (1,)
    assert stage.watch.figures() == {MAIN: ZEROS}


def test_a_look_that_shows_less_than_was_hidden_at_last_is_not_complete() -> None:
    """Also when another queue's figures are believed no more: a letter in somebody's hands is not taken for settled."""
    stage = Stage(at_start=Figures(active=1, inactive=2, delayed=0))
    stage.received = stage.working = 1
    stage.queues[MAIN].figures = ZEROS
    stage.pass_time(65)
    assert stage.watch.figures().keys() == {DEAD}, "the main queue denies the message that is in work"
    stage.queues[DEAD].letters = some_letters(1)
    stage.sampler.look_at_letters()
    assert (stage.looks[-1].figures.inactive, stage.looks[-1].complete) == (2, False)


def test_a_look_says_how_long_its_queue_keeps_a_message() -> None:
    """As the queue has said last, by which letters that are gone are taken for expired; 0 before it was asked."""
    stage = Stage()
    stage.sampler.look_at_letters()
    stage.pass_time(305)
    assert [(look.queue, look.retention_seconds) for look in stage.looks] == [(DEAD, 0), (DEAD, 345_600)]
