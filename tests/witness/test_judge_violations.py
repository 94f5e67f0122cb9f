"""One journal for each way in which a promise can be broken."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.witness.journals import STRANGER, WORKER, Journal


def broken(journal: Journal, **expected: object) -> tuple[int, str, str]:
    """The one violation: promise, subject, sentence."""
    found = journal.judge(**expected).violations
    assert len(found) == 1, "\n".join(map(str, found))
    return found[0].promise, found[0].subject, found[0].sentence


def one_event() -> Journal:
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    journal.receive("m1")
    return journal


def test_deleting_an_event_of_a_broken_bucket() -> None:
    """It complied at no moment, and nothing newer stands for it."""
    journal = one_event()
    journal.delete("m1")
    assert broken(journal, held={"one"}) == (
        1, "m1", "deleted, but one complied at no moment that the worker could have seen",
    )  # fmt: skip


def test_deleting_before_the_repair() -> None:
    """The repair came, but the message was gone by then: had it failed, nobody would have known."""
    journal = one_event()
    journal.delete("m1")
    journal.acl("one")
    assert broken(journal)[:2] == (1, "m1")


def test_compliance_before_the_last_receipt_does_not_count() -> None:
    """The bucket complied once, was broken again, and only then was the message received for the last time."""
    journal = one_event()
    journal.by_hand("one", "private")
    journal.by_hand("one", "public-read")
    journal.receive("m1")
    journal.delete("m1")
    assert broken(journal, held={"one"})[:2] == (1, "m1")


def test_deleting_without_reading_back() -> None:
    """Where reads are journaled, the change alone is not enough."""
    journal = one_event()
    journal.read("one")
    journal.acl("one")
    journal.delete("m1")
    assert broken(journal, reads_journaled=True)[:2] == (1, "m1")


def test_an_older_event_is_no_reason_to_delete_a_newer_one() -> None:
    """Superseding goes one way only."""
    journal = one_event()
    journal.event("m2", "one")
    journal.receive("m2")
    journal.delete("m2")
    assert broken(journal, converged=False)[:2] == (1, "m2")


def test_two_events_cannot_excuse_each_other() -> None:
    """Deleted together, neither is left to stand for the other."""
    journal = one_event()
    journal.event("m2", "one")
    journal.receive("m2")
    journal.delete("m1", "m2")
    assert {found.subject for found in journal.judge(held={"one"}).violations} == {"m1", "m2"}


def test_a_newer_event_that_was_never_received_excuses_nothing() -> None:
    """The worker could not know of it."""
    journal = one_event()
    journal.event("m2", "one")
    journal.delete("m1")
    assert broken(journal, converged=False)[:2] == (1, "m1")


@pytest.mark.parametrize("body", ["poison", "{}", '{"evaluationResultIdentifier": []}', "<a/>", "e30=", "[1]"])
def test_deleting_poison_without_a_dead_letter(body: str) -> None:
    """What nobody understands is kept or copied."""
    journal = Journal()
    journal.push("m1", body)
    journal.receive("m1")
    journal.delete("m1")
    assert broken(journal)[:2] == (1, "m1")


@pytest.mark.parametrize(
    "change",
    [
        {"resourceId": "evil.example/x#"},
        {"regionId": "cn@evil.example"},
        {"resourceOwnerId": int(STRANGER)},
        {"resourceType": "ACS::ECS::Instance"},
    ],
    ids=["bucket", "region", "account", "type"],
)
def test_deleting_what_nobody_may_act_on_without_a_dead_letter(change: dict[str, object]) -> None:
    """An event of our rule that cannot be acted on is not the same as an event of somebody else's rule."""
    journal = Journal()
    journal.event("m1", "one", **change)
    journal.receive("m1")
    journal.delete("m1")
    assert broken(journal)[:2] == (1, "m1")


def test_a_dead_letter_that_comes_after_the_deletion() -> None:
    """Copied too late: between the two the message was nowhere."""
    journal = Journal()
    journal.push("m1", "poison")
    journal.receive("m1")
    journal.delete("m1")
    journal.copy("m1")
    assert broken(journal)[:2] == (1, "m1")


def test_a_dead_letter_with_another_body() -> None:
    """A cut body cannot be redriven, so the message counts as deleted without a copy."""
    journal = Journal()
    journal.push("m1", "poison")
    journal.receive("m1")
    journal.copy("m1", "pois")
    journal.delete("m1")
    sentences = {(found.promise, found.subject) for found in journal.judge().violations}
    assert sentences == {(1, "m1")}
    assert len(journal.judge().violations) == 2


def test_a_dead_letter_of_no_message() -> None:
    """Nothing may be made up."""
    journal = Journal()
    journal.add("mns", "SendMessage", "queues/dead", WORKER, message_id="copy", body="not even JSON")
    assert broken(journal) == (1, "", "it names no message of the queue")


def test_a_message_that_retention_dropped() -> None:
    """Kept too long is lost."""
    journal = one_event()
    journal.add("mns", "MessageExpired", "queues/main", message_id="m1", dequeue_count=1)
    assert broken(journal, held={"one"})[:2] == (3, "m1")


def test_a_deleted_bucket_that_is_there_again() -> None:
    """The late event re-created it."""
    journal = one_event()
    journal.delete_bucket("one")
    journal.bucket("one", "private", key=WORKER)
    journal.delete("m1")
    assert broken(journal)[:2] == (2, "one")


def test_deleting_a_bucket_that_the_worker_did_not_create() -> None:
    """Taking back is for accidents only."""
    journal = one_event()
    journal.delete_bucket("one", key=WORKER)
    journal.delete("m1")
    assert broken(journal)[:2] == (2, "one")


def test_a_bucket_that_is_still_broken_at_the_end() -> None:
    """Its message is gone rightly, by a moment of compliance, but no event followed the next break."""
    journal = one_event()
    journal.acl("one")
    journal.delete("m1")
    journal.by_hand("one", "public-read")
    assert broken(journal) == (3, "one", "still breaks oss-bucket-public-read-prohibited")


def test_a_message_that_is_still_in_the_queue_at_the_end() -> None:
    """The bucket complies, but nobody settled the message."""
    journal = one_event()
    journal.acl("one")
    assert broken(journal) == (3, "m1", "still in the queue after 1 receipts")


Act = Callable[[Journal], None]


@pytest.mark.parametrize(
    ("act", "subject"),
    [
        (lambda journal: journal.acl("unasked"), "unasked"),
        (lambda journal: journal.acl("theirs"), "theirs"),
        (lambda journal: journal.acl("exempt"), "exempt"),
        (lambda journal: journal.add("oss", "PutBucketTags", "one", WORKER, before={}, after={}), "one"),
        (lambda journal: journal.acl("one", "public-read-write"), "one"),
        (lambda journal: journal.add("oss", "PutPublicAccessBlock", "", WORKER, before=False, after=True), "account"),
        (lambda journal: journal.add("mns", "DeleteQueue", "queues/dead", WORKER), "queues/dead"),
        (lambda journal: journal.add("mns", "SetQueueAttributes", "queues/main", WORKER), "queues/main"),
    ],
    ids=["no event", "not ours", "exempt", "other setting", "made worse", "account", "other queue", "queue settings"],
)
def test_changing_what_nobody_asked_to_change(act: Act, subject: str) -> None:
    """The worker's key changed something outside the rules."""
    journal = Journal()
    journal.bucket("unasked")
    journal.bucket("theirs", owner=STRANGER)
    for name in ("one", "exempt"):
        journal.bucket(name)
        journal.event(f"message-{name}", name)
    journal.event("message-theirs", "theirs")
    journal.receive("message-one", "message-exempt", "message-theirs")
    act(journal)
    assert broken(journal, converged=False, exempt={"exempt"})[:2] == (4, subject)
