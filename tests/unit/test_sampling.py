"""The queue sampler: seldom, in its turn, and never a 0 that nobody told."""

from __future__ import annotations

import pytest

from consumer.core.errors import NotAuthenticated, PermissionMissing, QueueMissing, ServiceError, Throttled, Unanswered
from consumer.core.queue_attributes import Figures, QueueAttributes
from consumer.engine.queue_depth import DepthSample, SamplingPolicy
from tests.unit.fakes import service_error
from tests.unit.sampling import DAY_SECONDS, DEAD, MAIN, SOME, ZEROS, Stage, some_letters


def test_what_was_said_at_the_start_is_not_asked_again() -> None:
    """The look at the queues before the engine starts is the first sample."""
    stage = Stage()
    stage.sampler.step()
    assert stage.watch.figures() == {MAIN: SOME, DEAD: SOME}
    assert stage.times == (0, 0)


def test_an_idle_replica_stays_within_one_request_in_25_seconds() -> None:
    """Polls of 30 s included, over a day and over every stretch of ten minutes of it."""
    stage = Stage()
    for _ in range(DAY_SECONDS // 600):
        before = sum(stage.times)
        stage.pass_time(600)
        assert sum(stage.times) - before <= 2
    assert sum(stage.times) + DAY_SECONDS / 30 <= DAY_SECONDS / 25
    assert min(stage.times) >= 143


def test_idle_requests_never_come_in_pairs() -> None:
    """The queues are asked half an interval apart."""
    stage = Stage()
    stage.pass_time(295)
    assert stage.times == (0, 0)
    stage.pass_time(10)
    assert stage.times == (0, 1)
    stage.pass_time(290)
    assert stage.times == (0, 1)
    stage.pass_time(10)
    assert stage.times == (1, 1)


def test_a_busy_queue_is_read_once_a_minute() -> None:
    """Only the queue whose messages move; the dead-letter queue is idle meanwhile."""
    stage = Stage()
    stage.pass_time(290, stage.work)
    assert stage.times == (4, 0)


def test_a_message_that_is_still_in_work_is_traffic() -> None:
    """Slots that are all taken by slow work must not make the backlog invisible."""
    stage = Stage(dead_letters=False)
    stage.received = stage.working = 1
    stage.pass_time(180)
    assert stage.times == (2,)


def test_the_end_of_the_traffic_is_seen_once() -> None:
    """The last message is followed by one more request, and then the queue is idle."""
    stage = Stage(dead_letters=False)
    stage.work()
    stage.pass_time(120)
    assert stage.times == (1,)
    stage.pass_time(470)
    assert stage.times == (1,)


def test_a_dead_letter_makes_its_queue_busy() -> None:
    """It is asked within the busy interval."""
    stage = Stage()
    stage.received = stage.given_up = 1
    stage.pass_time(125)
    assert stage.times == (1, 1)


def test_no_connection_is_kept_between_requests() -> None:
    """The service would have dropped it by the next one, which would then fail."""
    stage = Stage()
    stage.queues[MAIN].errors.append(service_error(Unanswered))
    stage.pass_time(1_300)
    assert [queue.open for queue in stage.queues.values()] == [False, False]


@pytest.mark.parametrize("refusal", [PermissionMissing, QueueMissing, NotAuthenticated])
def test_a_refused_sample_leaves_nothing(refusal: type[ServiceError]) -> None:
    """The old figures are not shown a moment longer, and it is asked again at the idle pace, however busy."""
    stage = Stage(dead_letters=False)
    stage.queues[MAIN].errors.append(service_error(refusal))
    stage.pass_time(65, stage.work)
    assert stage.watch.figures() == {MAIN: Figures()}
    stage.pass_time(590, stage.work)
    assert stage.times == (1,)
    stage.pass_time(10, stage.work)
    assert (stage.times, stage.watch.figures()) == ((2,), {MAIN: SOME})


def test_a_queue_that_may_not_be_asked_from_the_start_is_unknown() -> None:
    """Optional permission: absent, and asked seldom."""
    stage = Stage(at_start=Figures(), readable=False, dead_letters=False)
    assert stage.watch.figures().get(MAIN, Figures()) == Figures()
    stage.pass_time(595, stage.work)
    assert stage.times == (0,)


@pytest.mark.parametrize("good", [0, 5])
@pytest.mark.parametrize("failure", [Unanswered, Throttled])
def test_figures_outlive_three_failed_samples_and_no_more(failure: type[ServiceError], good: int) -> None:
    """A passing failure is no reason to forget, from the start or the last good sample on; one that lasts is."""
    stage = Stage(dead_letters=False)
    stage.pass_time(60 * good + 5, stage.work)
    stage.queues[MAIN].errors.extend(service_error(failure) for _ in range(4))
    stage.pass_time(60 * 3, stage.work)
    assert (stage.times, stage.watch.figures()) == ((good + 3,), {MAIN: SOME})
    stage.pass_time(60, stage.work)
    assert (stage.times, stage.watch.figures()) == ((good + 4,), {MAIN: Figures()})
    stage.pass_time(60, stage.work)
    assert stage.watch.figures() == {MAIN: SOME}


def test_old_figures_do_not_outlive_the_first_failure_of_a_queue_that_wakes_up() -> None:
    """Ten minutes are young for an idle queue and old for a busy one."""
    stage = Stage(dead_letters=False)
    stage.pass_time(590)
    stage.queues[MAIN].errors.append(service_error(Unanswered))
    stage.work()
    stage.pass_time(5)
    assert (stage.times, stage.watch.figures()) == ((1,), {MAIN: Figures()})


def test_a_figure_that_is_not_told_any_more_is_unknown() -> None:
    """One by one: what is still told stays."""
    stage = Stage(dead_letters=False)
    stage.queues[MAIN].figures = Figures(active=7)
    stage.pass_time(65, stage.work)
    assert stage.watch.figures()[MAIN].known() == {"active": 7}


def test_zeros_prove_nothing_until_the_service_has_counted_something() -> None:
    """It has announced to answer 0 to everybody; the first other figure of any queue shows that it does not yet."""
    stage = Stage(at_start=ZEROS)
    assert stage.watch.figures() == {}
    stage.queues[MAIN].figures, stage.queues[DEAD].figures = SOME, ZEROS
    stage.pass_time(65, stage.work)
    assert stage.watch.figures() == {MAIN: SOME, DEAD: ZEROS}
    stage.queues[MAIN].figures = ZEROS
    stage.pass_time(65, stage.work)
    assert stage.watch.figures() == {MAIN: ZEROS, DEAD: ZEROS}


def test_a_queue_that_denies_a_message_in_work_is_not_believed_any_more() -> None:
    """0 hidden messages while we hold a lease: the figures have been withdrawn meanwhile."""
    stage = Stage()
    stage.received = stage.working = 1
    stage.queues[MAIN].figures = ZEROS
    stage.pass_time(65)
    assert stage.watch.figures() == {DEAD: SOME}


def test_a_message_that_is_done_during_the_request_proves_nothing() -> None:
    """The queue may have counted after its deletion."""
    stage = Stage(dead_letters=False)
    stage.received = stage.working = 1
    stage.queues[MAIN].figures = ZEROS
    stage.queues[MAIN].meanwhile = lambda: setattr(stage, "working", 0)
    stage.pass_time(65)
    assert stage.watch.figures() == {MAIN: ZEROS}


def test_the_stop_ends_it_at_its_next_look() -> None:
    """No request follows."""
    stage = Stage()
    stage.stopping.set()
    stage.sampler.run()
    assert stage.times == (0, 0)


def test_it_looks_until_the_stop() -> None:
    """The loop passes the time between looks with the pause that a stop interrupts."""
    stage = Stage(dead_letters=False)
    stage.queues[MAIN].meanwhile = stage.stopping.set
    stage.sampler.run()
    assert stage.times == (1,)
    assert stage.clock.now >= 1_600


def test_an_error_that_nobody_planned_ends_the_thread() -> None:
    """A crash is the supervisor's business, not something to be swallowed here."""
    stage = Stage(dead_letters=False)

    def crash() -> None:
        raise MemoryError

    stage.queues[MAIN].meanwhile = crash
    with pytest.raises(MemoryError):
        stage.sampler.run()


def test_what_was_given_up_before_is_seen_at_once() -> None:
    """The attributes are known from the start; the messages are looked at first, without a receive."""
    stage = Stage()
    stage.queues[DEAD].letters = some_letters(3)
    stage.sampler.look_at_letters()
    assert [(look.queue, len(look.letters or ()), look.complete) for look in stage.looks] == [(DEAD, 3, False)]
    assert stage.times == (0, 0)
    assert not stage.queues[DEAD].open


@pytest.mark.parametrize(
    ("at_start", "letters", "complete"),
    [
        (Figures(3, 0, 0), 3, True),
        (ZEROS, 0, True),
        (Figures(), 3, True),
        (Figures(16, 0, 0), 16, False),
        (Figures(3, 1, 0), 3, False),
        (Figures(3, 0, 1), 3, False),
        (Figures(3, 1, 1), 3, False),
    ],
)
def test_a_look_is_complete_only_if_nothing_else_can_be_there(at_start: Figures, letters: int, complete: bool) -> None:
    """Sixteen may be the first of more, and what somebody has received does not show."""
    stage = Stage(at_start=at_start)
    stage.queues[DEAD].letters = some_letters(letters)
    stage.sampler.look_at_letters()
    assert [look.complete for look in stage.looks] == [complete]


def test_letters_that_lie_there_are_looked_at_every_minute() -> None:
    """So that it is known soon that a person has settled them; without letters once in the idle interval."""
    stage = Stage()
    stage.queues[DEAD].letters = some_letters(1)
    stage.sampler.look_at_letters()
    stage.pass_time(600)
    assert 9 <= stage.queues[DEAD].peeks <= 11
    stage.queues[DEAD].letters, stage.queues[DEAD].peeks = [], 0
    stage.pass_time(1_200)
    assert stage.queues[DEAD].peeks <= 3


def test_letters_that_may_not_be_seen_are_unknown() -> None:
    """None, which is not the same as no letters; and it is asked no more often for that."""
    stage = Stage()
    stage.queues[DEAD].peek_errors.extend(service_error(PermissionMissing, "AccessDenied") for _ in range(20))
    stage.sampler.look_at_letters()
    stage.pass_time(1_200)
    looks = [look for look in stage.looks if look.dead_letters]
    assert {look.letters for look in looks} == {None}
    assert {look.complete for look in looks} == {False}
    assert len(looks) <= 4


def test_a_look_says_all_that_it_has_seen_and_when_it_began() -> None:
    """Of letters that came while it peeked nobody knows whether they are among those."""
    stage = Stage()
    stage.queues[DEAD].letters = some_letters(20)
    stage.queues[DEAD].during_a_peek = lambda: stage.clock.advance(3.0)
    began = stage.clock.now
    stage.sampler.look_at_letters()
    first = DepthSample(
        DEAD,
        dead_letters=True,
        figures=SOME,
        quiet=True,
        letters=tuple(some_letters(16)),
        complete=False,
        started_at=began,
        retention_seconds=0,
    )
    assert stage.looks == [first]
    stage.pass_time(700)
    of_main = next(look for look in stage.looks if look.queue == MAIN)
    assert of_main == DepthSample(
        MAIN, dead_letters=False, figures=SOME, quiet=True, started_at=of_main.started_at, retention_seconds=345_600
    )


def test_figures_that_prove_nothing_are_none_in_a_look_either() -> None:
    """Zeros that the service may answer to everybody."""
    stage = Stage(at_start=ZEROS)
    stage.sampler.look_at_letters()
    assert [look.figures for look in stage.looks] == [Figures()]


@pytest.mark.parametrize(("refusal", "looks"), [(Throttled, (9, 11)), (PermissionMissing, (1, 1))])
def test_letters_that_were_seen_are_looked_for_again_soon_unless_that_is_refused(
    refusal: type[ServiceError], looks: tuple[int, int]
) -> None:
    """An outage says nothing about who may look; a refusal costs no more requests than a queue without letters."""
    stage = Stage()
    stage.queues[DEAD].letters = some_letters(1)
    stage.sampler.look_at_letters()
    stage.queues[DEAD].peek_errors.extend(service_error(refusal) for _ in range(20))
    stage.sampler.look_at_letters()
    stage.queues[DEAD].peeks = 0
    stage.pass_time(600)
    assert looks[0] <= stage.queues[DEAD].peeks <= looks[1]


def test_a_sampler_that_falls_silent_is_named_with_the_queue_that_it_waits_for() -> None:
    """And with what it wants of it."""
    stage = Stage()
    doing: list[str] = []

    def hang() -> None:
        stage.clock.advance(60.5)
        doing.append(stage.heartbeat.overdue())

    stage.queues[DEAD].during_a_peek = hang
    stage.sampler.look_at_letters()
    stage.queues[DEAD].during_a_peek = lambda: None
    stage.queues[MAIN].meanwhile = hang
    stage.pass_time(700)
    assert doing == [f"looking at {DEAD}", f"reading the attributes of {MAIN}"]


def test_a_look_says_whether_anything_moved_meanwhile() -> None:
    """What was received or settled during the request cannot be told from what the queue held."""
    stage = Stage()
    stage.pass_time(700)
    assert [look.quiet for look in stage.looks if look.queue == MAIN] == [True]
    stage.queues[MAIN].meanwhile = stage.work
    stage.pass_time(700)
    assert not all(look.quiet for look in stage.looks if look.queue == MAIN)


def test_no_queue_keeps_another_one_waiting() -> None:
    """Intervals below the time between two looks: each is asked in its turn."""
    stage = Stage(policy=SamplingPolicy(busy_seconds=1, idle_seconds=1))
    stage.pass_time(100)
    assert min(stage.times) >= 9


def test_parking_learns_what_the_main_queue_says_of_itself_and_that_it_says_nothing_any_more() -> None:
    """At every sample, for somebody may shorten the retention; an outage says nothing about it, a refusal does."""
    stage = Stage()
    stage.queues[MAIN].errors.extend([service_error(Throttled), service_error(PermissionMissing)])
    stage.pass_time(250, stage.work)
    known = QueueAttributes(30, 345_600, 65_536)
    assert stage.learned == [None]
    stage.pass_time(1_300, stage.work)
    assert stage.learned[1] == known
    assert stage.queues[DEAD].times > 0
    assert len(stage.learned) == stage.queues[MAIN].times - 1
