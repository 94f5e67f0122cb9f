"""Whole workers: from Cloud Config's event to the deleted message, and what bad input comes to."""

from __future__ import annotations

import base64
from itertools import product

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.conftest import Run
from tests.integration.queues import dead_letters, is_empty, messages, parked

READ = "oss-bucket-public-read-prohibited"


@pytest.mark.parametrize("content_format", ["XML", "JSON", "SIMPLIFIED"])
def test_every_form_of_the_event_leads_to_the_repair(channel: Emulator, run: Run, content_format: str) -> None:
    """Whatever envelope, encoding and year an event comes in, its bucket ends private and the queue empty."""
    _resubscribe(channel, content_format)
    channel.config.set_channel(non_compliance=False)
    forms = list(product(("current", "2021", "oldest", "log-service", "event-bridge"), ("base64", "plain")))
    names = [f"{variant}-{encoding}" for variant, encoding in forms]
    channel.create_buckets(names, acl="public-read")
    for (variant, encoding), name in zip(forms, names, strict=True):
        channel.config.publish(bucket=name, rule=READ, variant=variant, encoding=encoding)
    with run():
        eventually(lambda: is_empty(channel))
    assert channel.acls() == dict.fromkeys(names, "private")


def _resubscribe(emulator: Emulator, content_format: str) -> None:
    """The format of a subscription cannot be changed, so it is made anew."""
    from mns.subscription import SubscriptionMeta

    from emulator.provisioning import account

    endpoint = f"acs:mns:{emulator.endpoints.region}:{emulator.endpoints.account_id}:queues/config-events"
    with account(emulator) as owner:
        subscription = owner.get_topic("config-topic").get_subscription("config-events-subscription")
        subscription.unsubscribe()
        subscription.subscribe(SubscriptionMeta(endpoint, "BACKOFF_RETRY", content_format))


def test_many_buckets_are_repaired_and_every_message_settled(channel: Emulator, run: Run) -> None:
    """Cloud Config reports a hundred buckets; all become private and nothing stays in the queue."""
    names = channel.create_buckets([f"bucket-{number:03}" for number in range(100)], acl="public-read-write")
    with run():
        eventually(lambda: is_empty(channel))
    assert channel.acls() == dict.fromkeys(names, "private")
    assert channel.non_compliant() == []


def test_one_poison_body_never_harms_the_other_fifteen_of_its_batch(channel: Emulator, run: Run) -> None:
    """A body that is no event goes to the dead-letter queue as it came; the fifteen around it are repaired."""
    for number in range(15):
        channel.create_buckets([f"bucket-{number:02}"], acl="public-read")
        if number == 7:
            channel.config.publish_raw("poison \N{BIOHAZARD SIGN}")
    with run():
        eventually(lambda: is_empty(channel))
    assert set(channel.acls().values()) == {"private"}
    (letter,) = dead_letters(channel)
    assert (letter["outcome"], letter["body"]) == ("invalid", "poison \N{BIOHAZARD SIGN}")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("!!!", "not_base64"),
        ("e30", "not_base64"),
        (base64.b64encode(b"\xff\xfe\xfd").decode(), "not_utf8"),
        ("{" * 5000, "nested_too_deep"),
        ('{"a":1,"a":2}', "duplicate_key"),
        ("[1]", "not_an_object"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><Notification><Message>&a;</Message></Notification>', "xml_doctype"),
        ("x" * 65_536, "not_utf8"),
        ("{}", None),
        ('{"eventType":"ResourceCompliance"}', "missing_field"),
    ],
)
def test_a_body_that_is_no_event_is_kept_as_it_came(channel: Emulator, run: Run, body: str, reason: str | None) -> None:
    """A hostile or broken body is dead-lettered with its reason and its original text, and changes nothing."""
    channel.config.publish_raw(body)
    with run():
        eventually(lambda: is_empty(channel))
    (letter,) = dead_letters(channel)
    assert letter["outcome"] == "invalid"
    assert reason is None or letter["reason"] == reason
    assert letter["message_id"]


@pytest.mark.parametrize("region", ["evil.example/x#", "cn-hangzhou@evil.example", "..", "cn\N{EN DASH}hangzhou"])
def test_a_region_can_never_choose_a_host(channel: Emulator, run: Run, region: str) -> None:
    """An event whose region is no region id is kept and nothing is asked of any host."""
    channel.journal_reads(True)
    channel.create_buckets(["photos"], acl="private")
    channel.config.publish(bucket="photos", rule=READ, region=region)
    with run():
        eventually(lambda: is_empty(channel))
    assert [letter["reason"] for letter in dead_letters(channel)] == ["invalid_region"]
    assert channel.journal(service="oss", operation="GetBucketInfo") == []


@pytest.mark.parametrize(
    "name", ["../photos", "photos/../x", "user@evil.example", "Photos", "ph\N{CYRILLIC SMALL LETTER O}tos"]
)
def test_a_bucket_name_can_never_leave_its_place(channel: Emulator, run: Run, name: str) -> None:
    """An event whose resource id cannot be a bucket's name is rejected and kept."""
    channel.config.publish(bucket=name, rule=READ)
    with run():
        eventually(lambda: is_empty(channel))
    assert [letter["outcome"] for letter in dead_letters(channel)] == ["rejected"]
    assert channel.acls() == {}


def test_a_bucket_of_another_account_is_never_touched(channel: Emulator, run: Run) -> None:
    """Reported as another account's it is rejected; reported as ours the service refuses a look, and it is kept."""
    channel.create_buckets(["theirs"], acl="public-read", owner_id="9999888877776666")
    channel.config.publish(bucket="theirs", rule=READ, owner_id="9999888877776666")
    channel.config.publish(bucket="theirs", rule=READ, owner_id=channel.endpoints.account_id)
    with run():
        eventually(lambda: len(parked(channel)) == 1)
    assert channel.acls() == {"theirs": "public-read"}
    assert {letter["reason"] for letter in dead_letters(channel)} == {"account_not_allowed"}
    assert not is_empty(channel)


def test_a_late_event_never_makes_a_deleted_bucket_anew(channel: Emulator, run: Run) -> None:
    """PutBucketAcl would create the bucket; the worker looks first, and the event ends as gone."""
    channel.config.publish(bucket="deleted-long-ago", rule=READ)
    with run():
        eventually(lambda: is_empty(channel))
    assert channel.acls() == {}
    assert dead_letters(channel) == []


def test_other_kinds_of_messages_are_acknowledged(channel: Emulator, run: Run) -> None:
    """Resource changes and snapshots arrive on the same topic; they are not ours and leave the queue."""
    for kind in ("resource-change", "snapshot-success", "snapshot-failure"):
        channel.config.publish(kind=kind)
    with run():
        eventually(lambda: is_empty(channel))
    assert dead_letters(channel) == []


def test_what_fails_again_and_again_is_dead_lettered_with_its_history(channel: Emulator, run: Run) -> None:
    """After max_attempts real failures the message is copied with the reason, and only then deleted."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos"], acl="public-read")
    channel.config.publish(bucket="photos", rule=READ)
    channel.faults.add("error", "GetBucketInfo", service="oss", status=500, code="InternalError")
    with run(retry__request_attempts="1"):
        eventually(lambda: is_empty(channel))
    (letter,) = dead_letters(channel)
    assert (letter["outcome"], letter["reason"], letter["attempts"]) == ("exhausted", "InternalError", 3)
    assert channel.acls() == {"photos": "public-read"}


def test_without_a_dead_letter_queue_nothing_that_failed_is_ever_deleted(channel: Emulator, run: Run) -> None:
    """A message that cannot succeed is parked and kept when there is nowhere else to copy it."""
    channel.config.publish_raw("poison")
    with run(queue__dead_letter_queue=""):
        eventually(lambda: [message["body"] for message in parked(channel)] == ["poison"])
    assert [message["body"] for message in messages(channel, "config-events")] == ["poison"]
    assert dead_letters(channel) == []
