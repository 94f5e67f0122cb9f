"""Journals in which every promise held, and the endings that the witness reads from them."""

from __future__ import annotations

import base64
import json
import zlib

import pytest

from emulator.cloudconfig.rules import default_rule_id
from tests.witness.journals import READ, STRANGER, Journal
from witness import Ending, watch


def endings(journal: Journal, **expected: object) -> dict[str, Ending]:
    verdict = journal.judge(**expected)
    assert not verdict.violations, "\n".join(map(str, verdict.violations))
    return {story.message_id: story.ending for story in verdict.messages}


def test_a_repaired_bucket_whose_message_is_deleted_afterwards_is_fixed() -> None:
    """The ordinary way: received, changed, deleted; the exposure counts from the evaluation."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    journal.receive("m1")
    journal.acl("one")
    journal.delete("m1")
    assert endings(journal) == {"m1": Ending.FIXED}
    assert journal.judge().exposure_seconds == (4.0,)
    assert journal.judge().exposure(0.99) == 4.0


def test_a_bucket_that_complied_when_its_message_arrived_is_already_compliant() -> None:
    """Somebody was faster; nothing was changed."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    journal.by_hand("one", "private")
    journal.receive("m1")
    journal.delete("m1")
    assert endings(journal) == {"m1": Ending.ALREADY_COMPLIANT}


def test_a_bucket_broken_again_after_the_look_does_not_spoil_the_deletion() -> None:
    """A moment of compliance between receipt and deletion is what the worker can know; a newer event follows."""
    journal = Journal()
    journal.bucket("one", "private")
    journal.event("m1", "one")
    journal.receive("m1")
    journal.by_hand("one", "public-read")
    journal.delete("m1")
    journal.event("m2", "one")
    journal.receive("m2")
    journal.acl("one")
    journal.delete("m2")
    assert endings(journal) == {"m1": Ending.ALREADY_COMPLIANT, "m2": Ending.FIXED}


def test_a_deleted_bucket_is_gone() -> None:
    """Whether it was there once or never."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    journal.event("m2", "never-there")
    journal.delete_bucket("one")
    journal.receive("m1", "m2")
    journal.delete("m1", "m2")
    assert endings(journal) == {"m1": Ending.GONE, "m2": Ending.GONE}


def test_a_bucket_created_by_accident_and_taken_back_is_counted_only() -> None:
    """PutBucketAcl on a missing bucket creates it; what counts is that it is gone in the end."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    journal.receive("m1")
    journal.delete_bucket("one")
    journal.bucket("one", "private", key="worker-key")
    journal.delete_bucket("one", key="worker-key")
    journal.delete("m1")
    assert endings(journal) == {"m1": Ending.GONE}
    assert journal.judge().accidents == 1


def test_events_in_hand_at_once_are_superseded_by_the_newest() -> None:
    """The newest is fixed, and the older follow it."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    journal.event("m2", "one")
    journal.receive("m1", "m2")
    journal.acl("one")
    journal.delete("m2")
    journal.delete("m1")
    assert endings(journal) == {"m1": Ending.SUPERSEDED, "m2": Ending.FIXED}


def test_an_older_event_may_go_while_the_newer_one_is_kept() -> None:
    """The bucket is still broken, but the newer message stands for both."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    journal.event("m2", "one")
    journal.receive("m1", "m2")
    journal.delete("m1")
    assert endings(journal, converged=False) == {"m1": Ending.SUPERSEDED, "m2": Ending.KEPT}


@pytest.mark.parametrize("encoding", ["plain", "zlib+base85"])
def test_a_poison_message_with_a_true_copy_is_dead_lettered(encoding: str) -> None:
    """The copy holds the message's id and its whole body, packed or not."""
    journal = Journal()
    journal.push("m1", "poison")
    journal.receive("m1")
    packed = base64.b85encode(zlib.compress(b"poison")).decode()
    body = "poison" if encoding == "plain" else packed
    document = json.dumps({"message_id": "m1", "body_encoding": encoding, "body": body})
    journal.add("mns", "SendMessage", "queues/dead", "worker-key", message_id="copy", body=document)
    journal.delete("m1")
    assert endings(journal) == {"m1": Ending.DEAD_LETTERED}


def test_the_queues_own_dead_letter_policy_counts_as_a_copy() -> None:
    """MNS moved it; the worker had no part in that."""
    journal = Journal()
    journal.push("m1", "poison")
    journal.receive("m1")
    journal.add("mns", "MovedToDeadLetterQueue", "queues/main", message_id="m1", target_message_id="x")
    assert endings(journal) == {"m1": Ending.DEAD_LETTERED}


def test_messages_of_other_kinds_and_of_other_rules_are_not_ours() -> None:
    """They may be deleted without a look at anything."""
    journal = Journal()
    journal.push("m1", json.dumps({"eventType": "ResourceChange", "eventName": "ResourceAdd"}))
    journal.event("m2", "one", configRuleId="cr-somebody-elses")
    journal.receive("m1", "m2")
    journal.delete("m1", "m2")
    assert endings(journal) == {"m1": Ending.NOT_OURS, "m2": Ending.NOT_OURS}


def test_exempt_held_and_observed_buckets_may_stay_as_they_are() -> None:
    """Exempt: deleted and not touched. Held and observed: kept."""
    journal = Journal()
    for number, name in enumerate(("exempt", "held", "observed")):
        journal.bucket(name, "public-read-write" if name == "observed" else "public-read")
        mark = {"configRuleId": "cr-observed"} if name == "observed" else {}
        journal.event(f"m{number}", name, **mark)
    journal.receive("m0", "m1", "m2")
    journal.delete("m0")
    watched = watch("oss-bucket-public-write-prohibited", "cr-observed")
    found = endings(journal, exempt={"exempt"}, held={"held", "observed"}, observed=(watched,))
    assert found == {"m0": Ending.EXEMPT, "m1": Ending.KEPT, "m2": Ending.KEPT}


def test_a_deletion_by_somebody_else_is_not_the_workers() -> None:
    """An administrator may empty the queue."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    journal.delete("m1", key="administrator")
    assert endings(journal, held={"one"}) == {"m1": Ending.TAKEN}


def test_keys_that_are_nobody_elses_are_the_workers() -> None:
    """Temporary credentials have keys that nobody knows beforehand."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    journal.receive("m1")
    journal.acl("one", key="STS.anything")
    journal.delete("m1", key="STS.another")
    expected = {"worker_access_keys": None, "other_access_keys": frozenset({"administrator"})}
    assert endings(journal, **expected) == {"m1": Ending.FIXED}


def test_a_bucket_of_another_account_needs_a_dead_letter_and_stays() -> None:
    """It is public, but it is not ours to judge."""
    journal = Journal()
    journal.bucket("theirs", owner=STRANGER)
    journal.event("m1", "theirs", resourceOwnerId=int(STRANGER))
    journal.receive("m1")
    journal.copy("m1")
    journal.delete("m1")
    assert endings(journal) == {"m1": Ending.DEAD_LETTERED}


def test_with_journaled_reads_a_repair_that_was_read_back_is_fixed() -> None:
    """The read stands between the change and the deletion."""
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    journal.receive("m1")
    journal.read("one")
    journal.acl("one")
    journal.read("one")
    journal.delete("m1")
    assert endings(journal, reads_journaled=True) == {"m1": Ending.FIXED}


def test_other_settings_are_judged_as_cloud_config_judges_them() -> None:
    """Any managed rule can be watched: here encryption."""
    identifier = "oss-bucket-server-side-encryption-enabled"
    rule = watch(identifier, default_rule_id(identifier))
    journal = Journal()
    journal.bucket("one", "private")
    journal.event("m1", "one", configRuleId=rule.rule_id)
    journal.receive("m1")
    journal.add("oss", "PutBucketEncryption", "one", "worker-key", before=None, after={"algorithm": "AES256"})
    journal.delete("m1")
    assert endings(journal, rules=(watch(READ, default_rule_id(READ)), rule)) == {"m1": Ending.FIXED}
