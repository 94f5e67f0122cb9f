"""Which dead letters were deserved, by the services' own account of what they refused."""

from __future__ import annotations

import pytest

from tests.witness.journals import STRANGER, Journal


def dead_lettered(*refusals: tuple[int, str], receipts: int = 1) -> Journal:
    """One public bucket whose event meets refusals and is then copied and deleted."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    for _ in range(receipts):
        journal.receive("m1")
    for status, code in refusals:
        journal.refuse("one", status, code)
    journal.copy("m1")
    journal.delete("m1")
    return journal


def sentences(journal: Journal, **expected: object) -> list[str]:
    return [found.sentence for found in journal.judge(reads_journaled=True, **expected).violations]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        # "OSS error codes" and "Common errors" of the OSS documentation.
        (503, "MetaOperationQpsLimitExceeded"),
        (500, "InternalError"),
        (429, "TooManyRequests"),
        (409, "OperationConflict"),
        (409, "BucketBusy"),
        (408, "RequestTimeout"),
        (400, "RequestTimeout"),
        (412, "PreconditionFailed"),
        (423, "Locked"),
        (403, "SecurityTokenExpired"),
        (403, "RequestTimeTooSkewed"),
        (404, "NoSuchBucket"),
    ],
)
def test_a_passing_failure_is_no_reason(status: int, code: str) -> None:
    """Asked again, the service might have said yes."""
    assert sentences(dead_lettered((status, code))) == ["dead-lettered after 1 receipts, though no refusal was final"]


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (400, "InvalidArgument")])
def test_a_final_refusal_is_one(status: int, code: str) -> None:
    """The service will say no again."""
    assert sentences(dead_lettered((status, code))) == []


def test_a_refusal_before_the_last_receipt_does_not_count() -> None:
    """What was refused an hour ago may have been granted since."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    journal.receive("m1")
    journal.refuse("one", 403, "AccessDenied")
    journal.receive("m1")
    journal.copy("m1")
    journal.delete("m1")
    assert sentences(journal) == ["dead-lettered after 2 receipts, though no refusal was final"]


def test_attempts_that_are_used_up_are_a_reason() -> None:
    """As many receipts as the configuration allows attempts; one fewer is not enough."""
    assert sentences(dead_lettered((503, "ServiceUnavailable"), receipts=3), max_attempts=3) == []
    assert len(sentences(dead_lettered((503, "ServiceUnavailable"), receipts=2), max_attempts=3)) == 1


def test_a_letter_after_a_repair_is_undeserved() -> None:
    """Whatever was refused besides: the bucket is as it should be, and nobody needs a letter."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    journal.receive("m1")
    journal.acl("one")
    journal.refuse("one", 403, "AccessDenied", "GetBucketPolicy")
    journal.copy("m1")
    journal.delete("m1")
    assert sentences(journal) == ["dead-lettered, though one had just been repaired"]


def test_a_bucket_that_only_a_person_can_repair_may_be_dead_lettered() -> None:
    """The run says which those are."""
    assert sentences(dead_lettered(), unrepairable={"one"}) == []


def test_an_event_that_nobody_may_act_on_may_be_dead_lettered() -> None:
    """Another account's bucket, or a field of a form that no service writes."""
    journal = Journal()
    journal.bucket("one", owner=STRANGER)
    journal.event("m1", "one")
    journal.event("m2", "two", regionId="../etc")
    journal.event("m3", "two", configRuleId=[7])
    journal.receive("m1", "m2", "m3")
    for message_id in ("m1", "m2", "m3"):
        journal.copy(message_id)
    journal.delete("m1", "m2", "m3")
    assert sentences(journal) == []


def test_an_event_of_no_rule_is_deleted_and_not_put_aside() -> None:
    """Nobody asked the worker to care for it."""
    journal = Journal()
    journal.bucket("one", "private")
    journal.event("m1", "one", configRuleId="cr-somebody-elses")
    journal.receive("m1")
    journal.copy("m1")
    journal.delete("m1")
    assert sentences(journal) == ["dead-lettered, though no rule takes it"]
