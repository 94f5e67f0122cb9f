"""The outbox: deletions in company, the rest one by one, and nobody waits for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consumer.engine.resolved import Resolved
from consumer.engine.settle_queue import Job, Outbox, Step
from tests.unit.fakes import Clock, delivery, received

LINGER = 0.5


def job(step: Step = Step.DELETE, name: str = "m") -> Job:
    """A job."""
    return Job(Resolved(delivery(Clock(), received(name)), None), step)


def outbox() -> tuple[Outbox, Clock]:
    """An empty outbox on a clock."""
    clock = Clock()
    return Outbox(LINGER, monotonic=clock), clock


def test_deletions_wait_for_company_and_no_longer_than_the_linger() -> None:
    """A few deletions leave together when the first has waited long enough."""
    box, clock = outbox()
    box.put(job())
    clock.advance(0.4)
    box.put(job())
    assert box.take(0) == []
    clock.advance(0.1)
    assert len(box.take(0)) == 2
    assert box.take(0) == []


def test_sixteen_leave_at_once_and_a_batch_never_holds_more() -> None:
    """A full batch does not linger, the rest does."""
    box, clock = outbox()
    for _ in range(20):
        box.put(job())
    assert len(box.take(0)) == 16
    assert box.take(0) == []
    clock.advance(LINGER)
    assert len(box.take(0)) == 4


def test_other_jobs_go_one_by_one_and_do_not_linger() -> None:
    """A hide or a copy has nobody to wait for."""
    box, _ = outbox()
    first, second = job(Step.HIDE), job(Step.COPY)
    box.put(first)
    box.put(second)
    assert [box.take(0), box.take(0), box.take(0)] == [[first], [second], []]


def test_a_stop_lets_nothing_linger() -> None:
    """In a hurry deletions leave as they come."""
    box, _ = outbox()
    box.put(job())
    box.hurry()
    assert len(box.take(0)) == 1
    box.put(job())
    assert len(box.take(0)) == 1


def test_a_retry_waits_even_in_a_hurry() -> None:
    """A delay protects the service from us; a stop is no reason to hammer it."""
    box, clock = outbox()
    box.hurry()
    box.put(job(), 2.0)
    box.put(job(Step.HIDE), 2.0)
    clock.advance(1.9)
    assert box.take(0) == []
    clock.advance(0.1)
    assert {jobs[0].step for jobs in (box.take(0), box.take(0))} == {Step.DELETE, Step.HIDE}


def test_a_retry_does_not_fill_up_a_batch_before_its_time() -> None:
    """Fifteen fresh deletions and a delayed one are no full batch."""
    box, clock = outbox()
    for _ in range(15):
        box.put(job())
    box.put(job(), 10.0)
    assert box.take(0) == []
    clock.advance(LINGER)
    assert len(box.take(0)) == 15


def test_what_has_waited_longer_goes_first() -> None:
    """Neither a flood of hides nor one of deletions starves the other."""
    box, clock = outbox()
    box.put(job(Step.DELETE, "old"))
    clock.advance(1.0)
    for _ in range(3):
        box.put(job(Step.HIDE))
    assert box.take(0)[0].step is Step.DELETE
    for _ in range(16):
        box.put(job())
    assert [box.take(0)[0].step for _ in range(4)] == [Step.HIDE, Step.HIDE, Step.HIDE, Step.DELETE]


steps = st.lists(st.tuples(st.sampled_from([Step.DELETE, Step.HIDE, Step.COPY]), st.floats(0, 20), st.floats(0, 3)))


@given(steps, st.booleans())
def test_every_job_comes_out_once_and_never_early(puts: list[tuple[Step, float, float]], hurry: bool) -> None:
    """Whatever goes in comes out exactly once, after its delay, in batches of one kind and at most sixteen."""
    box, clock = outbox()
    due: dict[int, float] = {}
    jobs = [(job(step), delay, gap) for step, delay, gap in puts]
    if hurry:
        box.hurry()
    for one, delay, gap in jobs:
        box.put(one, delay)
        due[id(one)] = clock() + delay
        clock.advance(gap)
        _drain(box, clock, due)
    clock.advance(20 + LINGER)
    _drain(box, clock, due)
    assert not due


def _drain(box: Outbox, clock: Clock, due: dict[int, float]) -> None:
    while taken := box.take(0):
        assert len(taken) <= 16
        assert len(taken) == 1 or all(one.step is Step.DELETE for one in taken)
        for one in taken:
            assert due.pop(id(one)) <= clock() + 1e-9


def test_a_waiting_settler_is_woken_by_what_comes() -> None:
    """A job that is due at once does not wait for the next look."""
    box = Outbox(0.0)
    box.put(job(Step.HIDE))
    assert len(box.take(60)) == 1


def test_a_closed_outbox_keeps_nobody_waiting() -> None:
    """At the end of a stop a settler that waits for work goes home at once, however long it meant to wait."""
    box, _ = outbox()
    box.close()
    assert box.take(3_600) == []
