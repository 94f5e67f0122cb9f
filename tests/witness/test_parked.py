"""Messages that are sent again and then deleted: which copies are true, and what may be deleted because of one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.witness.journals import WORKER, Journal
from witness import Ending

OTHER_WORKER = "another-worker-key"
KEYS = frozenset({WORKER, OTHER_WORKER})
OPEN = {"held": {"one"}, "converged": False, "worker_access_keys": KEYS}


def received(count: int = 1) -> Journal:
    """One public bucket whose event, m1, is in flight."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    for _ in range(count):
        journal.receive("m1")
    return journal


def endings(journal: Journal, **expected: object) -> dict[str, Ending]:
    verdict = journal.judge(**{**OPEN, **expected})
    assert not verdict.violations, "\n".join(map(str, verdict.violations))
    return {story.message_id: story.ending for story in verdict.messages}


def broken(journal: Journal, **expected: object) -> list[tuple[int, str, str]]:
    found = journal.judge(**{**OPEN, **expected}).violations
    return [(each.promise, each.subject, each.sentence) for each in found]


# What holds.


def test_a_message_that_is_sent_again_and_then_deleted_is_parked() -> None:
    """Its copy is a message of its own, still in the queue, with the first one as its origin."""
    journal = received()
    journal.park("m1", "c1")
    journal.delete("m1")
    assert endings(journal) == {"m1": Ending.PARKED, "c1": Ending.KEPT}
    verdict = journal.judge(**OPEN)
    assert [story.origin_id for story in verdict.messages] == ["m1", "m1"]
    assert verdict.copies == 1


def test_copies_of_copies_lead_to_the_first_message() -> None:
    """However often a message is parked, the last copy ends as any message does, and the exposure is the whole one."""
    journal = received()
    journal.park("m1", "c1")
    journal.delete("m1")
    journal.receive("c1")
    journal.park("c1", "c2", attempts=1)
    journal.delete("c1")
    journal.receive("c2", key=OTHER_WORKER)
    journal.acl("one", key=OTHER_WORKER)
    journal.delete("c2", key=OTHER_WORKER)
    found = endings(journal, converged=True)
    assert found == {"m1": Ending.PARKED, "c1": Ending.PARKED, "c2": Ending.FIXED}
    assert journal.judge(**OPEN).exposure_seconds == (10.0,)


def test_duplicates_of_a_copy_are_fine() -> None:
    """A lost confirmation makes two; each has an ending."""
    journal = received()
    journal.park("m1", "c1")
    journal.park("m1", "c2")
    journal.delete("m1")
    journal.receive("c1", "c2")
    journal.acl("one")
    journal.delete("c1", "c2")
    assert endings(journal, converged=True) == {"m1": Ending.PARKED, "c1": Ending.FIXED, "c2": Ending.SUPERSEDED}


def test_a_message_whose_deletion_was_lost_comes_back_beside_its_copy() -> None:
    """Both in flight, one may go as the other's; so one is left, and nothing is lost."""
    journal = received()
    journal.park("m1", "c1")
    journal.receive("m1", "c1")
    journal.delete("m1")
    assert endings(journal) == {"m1": Ending.PARKED, "c1": Ending.KEPT}


def test_a_message_whose_deletion_was_refused_may_be_deleted_when_it_comes_back() -> None:
    """Its copy is known by then, and one more is not needed; whether it waits or has ended well meanwhile."""
    waits, ended = received(), received()
    for journal in (waits, ended):
        journal.park("m1", "c1")
    ended.receive("c1")
    ended.acl("one")
    ended.delete("c1")
    ended.by_hand("one", "public-read")
    for journal in (waits, ended):
        journal.receive("m1", key=OTHER_WORKER)
        journal.delete("m1", key=OTHER_WORKER)
    assert endings(waits) == {"m1": Ending.PARKED, "c1": Ending.KEPT}
    assert endings(ended) == {"m1": Ending.PARKED, "c1": Ending.FIXED}


def test_a_copy_whose_original_was_never_deleted_is_no_violation() -> None:
    """Killed between the two: the original comes back, and both are in the queue."""
    journal = received()
    journal.park("m1", "c1")
    assert endings(journal) == {"m1": Ending.KEPT, "c1": Ending.KEPT}


def test_a_copy_that_was_settled_before_its_original_was_deleted() -> None:
    """The deletion took long; by then the copy had been received and rightly deleted."""
    journal = received()
    journal.park("m1", "c1")
    journal.receive("c1", key=OTHER_WORKER)
    journal.park("c1", "c2", key=OTHER_WORKER)
    journal.delete("c1", key=OTHER_WORKER)
    journal.delete("m1")
    assert endings(journal) == {"m1": Ending.PARKED, "c1": Ending.PARKED, "c2": Ending.KEPT}


def test_an_older_event_may_go_though_the_newer_one_is_parked() -> None:
    """The newer one's copy stands for both."""
    journal = received()
    journal.event("m2", "one")
    journal.receive("m2")
    journal.park("m2", "c2")
    journal.delete("m2")
    journal.delete("m1")
    assert endings(journal) == {"m1": Ending.SUPERSEDED, "m2": Ending.PARKED, "c2": Ending.KEPT}


@pytest.mark.parametrize("named", ["m1", "c1"])
def test_a_copy_is_dead_lettered_under_its_own_id_or_under_the_first(named: str) -> None:
    """A letter may name the message that people know; attempts count over all copies."""
    journal = received()
    journal.park("m1", "c1", attempts=1)
    journal.delete("m1")
    journal.receive("c1")
    journal.copy("c1", named=named)
    journal.delete("c1")
    found = endings(journal, reads_journaled=True, max_attempts=2)
    assert found == {"m1": Ending.PARKED, "c1": Ending.DEAD_LETTERED}


def test_what_says_nothing_may_be_parked_too() -> None:
    """Without a dead-letter queue, or while that is away, poison waits."""
    journal = Journal()
    journal.push("m1", "poison")
    journal.receive("m1")
    journal.park("m1", "c1")
    journal.delete("m1")
    assert endings(journal) == {"m1": Ending.PARKED, "c1": Ending.KEPT}


def test_what_an_outsider_writes_beside_a_message_is_nobodys_history() -> None:
    """Believed or not, it is no violation of the worker's; its copy may name either id as the first."""
    for origin in ("m1", "forged"):
        journal = received()
        journal.entries[-3].detail["user_properties"] = {
            "remediator-origin-id": "forged",
            "remediator-attempts": "999",
            "remediator-first-enqueued-ms": "1",
        }
        journal.park("m1", "c1", origin_id=origin)
        journal.delete("m1")
        assert endings(journal) == {"m1": Ending.PARKED, "c1": Ending.KEPT}


def test_a_queue_that_somebody_deletes_takes_its_messages_with_it() -> None:
    """The administrator's doing, copies included."""
    journal = received()
    journal.park("m1", "c1")
    journal.add("mns", "DeleteQueue", "queues/main", "administrator")
    assert endings(journal) == {"m1": Ending.TAKEN, "c1": Ending.TAKEN}


# What does not.

_AT_NO_MOMENT = "deleted, but one complied at no moment that the worker could have seen"
_NO_COPY = "sent to the queue, but no copy of a message that the worker had received"


def test_deleting_before_the_copy_is_there() -> None:
    """Between the two the message was nowhere."""
    journal = received()
    journal.delete("m1")
    journal.park("m1", "c1")
    assert broken(journal) == [(1, "m1", _AT_NO_MOMENT)]


def test_deleting_though_the_copy_was_refused() -> None:
    """What the service refuses has no entry."""
    journal = received()
    journal.delete("m1")
    assert broken(journal) == [(1, "m1", _AT_NO_MOMENT)]


def test_a_copy_with_another_body_stands_for_nothing() -> None:
    """It is an invention in the queue besides."""
    journal = received()
    journal.park("m1", "c1", body="something else")
    journal.delete("m1")
    assert broken(journal) == [(1, "m1", _AT_NO_MOMENT), (4, "c1", _NO_COPY)]


def test_a_copy_of_another_message_with_the_same_body_stands_only_for_that() -> None:
    """The same event came twice: one copy, two deletions."""
    journal = Journal()
    for message_id in ("m1", "m2"):
        journal.push(message_id, "poison")
    journal.receive("m1", "m2")
    journal.park("m1", "c1")
    journal.delete("m1", "m2")
    assert [found[:2] for found in broken(journal)] == [(1, "m2")]


def test_a_copy_that_somebody_else_sent_stands_for_nothing() -> None:
    """What an outsider sends may be taken out again by the same outsider."""
    journal = received()
    journal.park("m1", "c1", key="outsider")
    journal.delete("m1")
    assert broken(journal) == [(1, "m1", _AT_NO_MOMENT)]


@pytest.mark.parametrize("together", [True, False])
def test_a_message_and_its_copy_cannot_excuse_each_other(*, together: bool) -> None:
    """One after the other, or at once: the second one had nothing left to stand for it."""
    journal = received()
    journal.park("m1", "c1")
    journal.receive("m1", "c1")
    if together:
        journal.delete("m1", "c1")
    else:
        journal.delete("m1")
        journal.delete("c1")
    assert {found[0] for found in broken(journal)} == {1}
    assert "c1" in {found[1] for found in broken(journal)}


def test_two_events_cannot_excuse_each_other_one_after_the_other() -> None:
    """Of equal age, as duplicates are: the first rests on the second, which then cannot rest on the first."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    journal.push("m2", journal.bodies["m1"])
    journal.receive("m1", "m2")
    journal.delete("m1")
    journal.delete("m2")
    assert broken(journal) == [(1, "m2", _AT_NO_MOMENT)]


def test_a_copy_that_went_before_its_message_stands_for_nothing_any_more() -> None:
    """Somebody took the copy for the message's double while the message was still there; then that went as well."""
    journal = received()
    journal.park("m1", "c1")
    journal.receive("c1", key=OTHER_WORKER)
    journal.delete("c1", key=OTHER_WORKER)
    journal.delete("m1")
    assert broken(journal) == [(1, "m1", _AT_NO_MOMENT)]


def test_losing_a_copy_is_losing_the_message() -> None:
    """Deleted without an ending, or expired."""
    deleted, expired = received(), received()
    for journal in (deleted, expired):
        journal.park("m1", "c1")
        journal.delete("m1")
    deleted.receive("c1")
    deleted.delete("c1")
    assert broken(deleted) == [(1, "c1", _AT_NO_MOMENT)]
    expired.add("mns", "MessageExpired", "queues/main", message_id="c1", dequeue_count=0)
    assert broken(expired) == [(3, "c1", "the queue's retention dropped it before it had an ending")]


def test_a_copy_that_was_left_in_the_queue_at_the_end() -> None:
    """Its bucket complies, and nobody came for it."""
    journal = received()
    journal.park("m1", "c1")
    journal.delete("m1")
    journal.by_hand("one", "private")
    assert broken(journal, converged=True, held=()) == [(3, "c1", "still in the queue after 0 receipts")]


Change = Callable[[Journal], None]


@pytest.mark.parametrize(
    ("park", "promise", "sentence"),
    [
        (lambda journal: journal.park("c1", "c2", attempts=1), 3, "its attempts went back to 1"),
        (lambda journal: journal.park("c1", "c2", receipts=1), 3, "its receipts went back to 1"),
        (
            lambda journal: journal.park("c1", "c2", first_enqueued_ms=journal.now_ms),
            3,
            "it says that it was enqueued later than its original was",
        ),
        (
            lambda journal: journal.park("c1", "c2", first_received_ms=journal.now_ms),
            3,
            "it says that it was received later than its original was",
        ),
        (lambda journal: journal.park("c1", "c2", attempts=None), 3, "sent again without its history"),
        (lambda journal: journal.park("c1", "c2", attempts="-1"), 3, "sent again without its history"),
        (lambda journal: journal.park("c1", "c2", first_enqueued_ms="soon"), 3, "sent again without its history"),
        (lambda journal: journal.park("c1", "c2", origin_id=None), 4, _NO_COPY),
        (lambda journal: journal.park("c1", "c2", origin_id="c1"), 4, _NO_COPY),
        (
            lambda journal: journal.park("c1", "c2", delay_seconds=604_800),
            3,
            "sent again with a delay that its retention does not outlast",
        ),
        (
            lambda journal: journal.park("c1", "c2", delay_seconds=60, retention_seconds=60),
            3,
            "sent again with a delay that its retention does not outlast",
        ),
    ],
)
def test_a_copy_that_forgets(park: Change, promise: int, sentence: str) -> None:
    """What has to travel with a message goes forwards only; each slip is named."""
    journal = received()
    journal.park("m1", "c1", attempts=2)
    journal.delete("m1")
    journal.receive("c1")
    park(journal)
    assert broken(journal) == [(promise, "c2", sentence)]


def test_a_copy_of_what_was_not_received_by_then() -> None:
    """Nobody gave the worker the body; and a copy from before the first receipt stands for nothing."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    journal.park("m1", "c1")
    journal.receive("m1")
    journal.delete("m1")
    assert broken(journal) == [(1, "m1", _AT_NO_MOMENT), (4, "c1", _NO_COPY)]


def test_a_copy_of_a_copy_that_was_repaired_needs_no_letter() -> None:
    """As for any message: a letter right after a repair is undeserved."""
    journal = received()
    journal.park("m1", "c1")
    journal.delete("m1")
    journal.receive("c1")
    journal.acl("one")
    journal.copy("c1", named="m1")
    journal.delete("c1")
    sentences = [found[2] for found in broken(journal, reads_journaled=True)]
    assert sentences == ["dead-lettered, though one had just been repaired"]


BARE = dict.fromkeys(("origin_id", "first_enqueued_ms", "first_received_ms", "attempts", "receipts"))


def test_a_copy_whose_body_leaves_no_room_for_its_history_stands_for_its_message() -> None:
    """A message has 64 KB, and an event may fill them: the copy is known by its body."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one", padding="x" * 49_000)
    journal.receive("m1")
    journal.park("m1", "c1", **BARE)
    journal.delete("m1")
    assert endings(journal) == {"m1": Ending.PARKED, "c1": Ending.KEPT}
    journal.receive("c1")
    journal.acl("one")
    journal.delete("c1")
    assert endings(journal, converged=True) == {"m1": Ending.PARKED, "c1": Ending.FIXED}


def test_a_copy_without_its_history_is_none_where_there_was_room() -> None:
    """Who forgets it makes every message young again."""
    journal = received()
    journal.park("m1", "c1", **BARE)
    journal.delete("m1")
    assert {promise for promise, _, _ in broken(journal)} == {1, 4}


def test_a_copy_without_its_history_stands_for_no_other_body() -> None:
    """However large both are."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one", padding="x" * 49_000)
    journal.receive("m1")
    journal.park("m1", "c1", body="y" * 65_000, **BARE)
    journal.delete("m1")
    assert {promise for promise, _, _ in broken(journal)} == {1, 4}
