"""Cloud Config end to end: buckets change, events arrive in a queue read by the real SDK."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import oss2
import pytest
from mns.mns_exception import MNSClientNetworkException, MNSServerException

from emulator.client import ControlError, Emulator
from emulator.provisioning import account, setup_channel


def _bodies(emulator: Emulator) -> list[str]:
    """All bodies that are in the queue now, taken out of it."""
    found: list[str] = []
    with account(emulator) as owner, suppress(MNSServerException):
        queue = owner.get_queue("config-events")
        queue.set_encoding(False)
        while True:
            messages = queue.batch_receive_message(16)
            found += [message.message_body for message in messages]
            queue.batch_delete_message([message.receipt_handle for message in messages])
    return found


def _events(emulator: Emulator) -> list[dict[str, Any]]:
    return [json.loads(base64.b64decode(body, validate=True)) for body in _bodies(emulator)]


def _resources(events: list[dict[str, Any]]) -> list[str]:
    qualifiers = [event["evaluationResultIdentifier"]["evaluationResultQualifier"] for event in events]
    return [qualifier["resourceId"] for qualifier in qualifiers]


def _delivered(emulator: Emulator, count: int) -> None:
    """Wait until so many messages have been delivered in all."""
    after, seen = 0, 0
    while seen < count:
        entries = emulator.journal(after, operation="EventDelivered", wait_seconds=20)
        assert entries, f"{seen} of {count} were delivered"
        after, seen = entries[-1].sequence, seen + len(entries)


def test_a_bucket_that_becomes_public_is_reported_once_per_rule(emulator: Emulator) -> None:
    """Further changes that leave it non-compliant are no news."""
    setup_channel(emulator)
    emulator.create_buckets(["quiet", "loud"])
    emulator.change_bucket("loud", acl="public-read")
    _delivered(emulator, 1)
    emulator.change_bucket("loud", tagging={"a": "b"})
    emulator.change_bucket("loud", acl="public-read-write")
    _delivered(emulator, 2)
    events = _events(emulator)
    assert _resources(events) == ["loud", "loud"]
    rules = [event["evaluationResultIdentifier"]["evaluationResultQualifier"]["configRuleName"] for event in events]
    assert rules == ["OSS存储空间ACL禁止公共读", "OSS存储空间ACL禁止公共读写"]


def test_a_repaired_bucket_is_not_reported_and_a_relapse_is(emulator: Emulator) -> None:
    """There is no event for becoming compliant; becoming non-compliant again is news."""
    setup_channel(emulator)
    endpoints = emulator.endpoints
    bucket = oss2.Bucket(oss2.Auth(endpoints.access_key_id, endpoints.access_key_secret), emulator.oss, "relapsing")
    bucket.create_bucket(oss2.BUCKET_ACL_PUBLIC_READ)
    _delivered(emulator, 1)
    bucket.put_bucket_acl(oss2.BUCKET_ACL_PRIVATE)
    bucket.put_bucket_acl(oss2.BUCKET_ACL_PUBLIC_READ)
    _delivered(emulator, 2)
    assert _resources(_events(emulator)) == ["relapsing", "relapsing"]


def test_evaluation_on_request_reports_again(emulator: Emulator) -> None:
    """Every evaluation of a non-compliant bucket is an event, by hand or on schedule."""
    setup_channel(emulator)
    emulator.create_buckets(["open"], acl="public-read")
    _delivered(emulator, 1)
    _events(emulator)
    judged = emulator.config.evaluate(bucket="open")
    assert {each.identifier: each.compliance for each in judged} == {
        "oss-bucket-public-read-prohibited": "NON_COMPLIANT",
        "oss-bucket-public-write-prohibited": "COMPLIANT",
    }
    emulator.config.evaluate(rule="oss-bucket-public-write-prohibited")
    emulator.config.evaluate(trigger="ScheduledNotification")
    triggers = [event["invokingEventMessageType"] for event in _events(emulator)]
    assert triggers == ["Manual", "ScheduledNotification"]


def test_a_delay_is_emulated_time_and_changes_within_it_are_judged_together(emulator: Emulator) -> None:
    """Only the last state counts, and only after the clock has gone on."""
    setup_channel(emulator)
    emulator.config.set_channel(delay_seconds=600)
    emulator.create_buckets(["brief", "lasting"], acl="public-read")
    emulator.change_bucket("brief", acl="private")
    assert _bodies(emulator) == []
    emulator.advance(601)
    _delivered(emulator, 1)
    assert _resources(_events(emulator)) == ["lasting"]


def test_a_bucket_made_anew_is_judged_anew(emulator: Emulator) -> None:
    """A deleted bucket's verdicts are forgotten with it."""
    setup_channel(emulator)
    for deliveries in (1, 2):
        emulator.create_buckets(["again"], acl="public-read")
        _delivered(emulator, deliveries)
        emulator.delete_bucket("again")
    assert _resources(_events(emulator)) == ["again", "again"]


def test_compliance_is_what_is_true_now(emulator: Emulator) -> None:
    """It needs no evaluation, publishes nothing, and can be filtered."""
    emulator.create_buckets(["open"], acl="public-read-write")
    emulator.create_buckets(["closed"])
    assert emulator.non_compliant() == ["open"]
    answer = emulator.control.call("GET", "/config/compliance")
    assert answer["counts"] == {"COMPLIANT": 2, "NON_COMPLIANT": 2, "NOT_APPLICABLE": 0}
    assert {each.resource_id for each in emulator.compliance(bucket="closed")} == {"closed"}
    emulator.change_bucket("open", acl="private")
    assert emulator.non_compliant() == []


def test_further_rules_can_be_configured_with_parameters(emulator: Emulator) -> None:
    """Identifier, id, name, risk and parameters are the account's choice; the rest is the catalogue's."""
    emulator.create_buckets(["b-1"], tagging={"owner": "me"})
    rule = emulator.config.add_rule(
        "required-tags", rule_id="cr-tags", name="Tags", risk_level="Warning", parameters={"tag1Key": "cost"}
    )
    assert rule == "cr-tags"
    assert emulator.non_compliant() == ["b-1"]
    emulator.config.add_rule("required-tags", rule_id="cr-tags", parameters={"tag1Key": "owner"})
    assert emulator.non_compliant() == []
    emulator.config.remove_rule("cr-tags")
    assert {each.identifier for each in emulator.compliance()} == {
        "oss-bucket-public-read-prohibited",
        "oss-bucket-public-write-prohibited",
    }


def test_resource_changes_are_delivered_when_the_channel_wants_them(emulator: Emulator) -> None:
    """Discovered, modified, removed: each with the last known configuration."""
    setup_channel(emulator)
    emulator.config.set_channel(resource_changes=True)
    for step, change in enumerate(
        (
            lambda: emulator.create_buckets(["life"]),
            lambda: emulator.change_bucket("life", versioning="Enabled"),
            lambda: emulator.delete_bucket("life"),
        ),
        start=1,
    ):
        change()
        _delivered(emulator, step)
    kinds = [event["configurationItemDiff"]["changeType"] for event in _events(emulator)]
    assert kinds == ["DISCOVERED", "MODIFY", "REMOVE"]


@pytest.mark.parametrize("variant", ["current", "2021", "oldest", "log-service", "event-bridge"])
def test_any_variant_can_be_published_for_any_bucket(emulator: Emulator, variant: str) -> None:
    """True or not: a compliant or missing bucket can be reported too, as late events do."""
    setup_channel(emulator)
    emulator.config.publish(bucket="long-gone", variant=variant, region="eu-west-1", owner_id="99")
    (event,) = _events(emulator)
    assert _resources([event.get("data", event)]) == ["long-gone"]


def test_published_messages_can_be_bent(emulator: Emulator) -> None:
    """Every field can be replaced or removed; a leading dot means the qualifier."""
    setup_channel(emulator)
    emulator.config.publish(
        bucket="b",
        encoding="plain",
        overrides={".regionId": "evil.example/x#", "accountId": "text"},
        remove=[".resourceName", "requestId"],
    )
    event = json.loads(_bodies(emulator)[0])
    qualifier = event["evaluationResultIdentifier"]["evaluationResultQualifier"]
    assert (qualifier["regionId"], event["accountId"]) == ("evil.example/x#", "text")
    assert "resourceName" not in qualifier
    assert "requestId" not in event


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("resource-change", "ResourceModify"),
        ("snapshot-success", "SnapshotDeliverySuccess"),
        ("snapshot-failure", "SnapshotDeliveryFailed"),
    ],
)
def test_the_other_kinds_of_message_can_be_published(emulator: Emulator, kind: str, name: str) -> None:
    """They arrive on the same topic and have to be told apart."""
    setup_channel(emulator)
    assert len(emulator.config.publish(kind=kind, count=3)) == 3
    assert [event["eventName"] for event in _events(emulator)] == [name] * 3


def test_a_raw_body_arrives_untouched(emulator: Emulator) -> None:
    """Poison for a consumer, exactly as given."""
    setup_channel(emulator)
    emulator.config.publish_raw("not base64 \u00e4 {")
    assert _bodies(emulator) == ["not base64 \u00e4 {"]


def test_journal_and_replies_agree_on_what_xml_cannot_hold(emulator: Emulator) -> None:
    """One text, with U+FFFD for it; else a consumer's copy of what it read would look like a false one."""
    setup_channel(emulator)
    emulator.config.publish_raw("one\x01two\ud800\r\n<&>")
    (pushed,) = emulator.journal(operation="PushToQueue")
    (published,) = emulator.journal(operation="PublishMessage")
    assert _bodies(emulator) == [pushed.detail["body"]] == ["one\ufffdtwo\ufffd\r\n<&>"]
    assert published.detail["body"] == pushed.detail["body"]


def test_an_unescaped_body_damages_the_reply_that_holds_it(emulator: Emulator) -> None:
    """On request only, for consumers that have to survive it: the vendor's SDK gives the whole batch up."""
    setup_channel(emulator)
    emulator.config.publish_raw("one\x01two", unescaped=True)
    assert emulator.journal(operation="PushToQueue")[0].detail["body"] == "one\x01two"
    with account(emulator) as owner, pytest.raises(MNSClientNetworkException, match="RespDataDamaged"):
        owner.get_queue("config-events").receive_message()


def test_without_a_topic_nothing_is_delivered(emulator: Emulator) -> None:
    """On request that is said aloud; after a change it is silent, as in the service, but for the journal."""
    with pytest.raises(ControlError, match="no topic is set"):
        emulator.config.publish(bucket="b")
    emulator.config.set_channel(topic="missing")
    emulator.create_buckets(["open"], acl="public-read")
    (failed,) = emulator.journal(operation="DeliveryFailed", wait_seconds=20)
    assert (failed.resource, failed.detail["topic"]) == ("open", "missing")


def test_notifications_can_be_lost_on_their_way(emulator: Emulator) -> None:
    """So many as are to be, which only the journal tells; the next one arrives again."""
    setup_channel(emulator)
    emulator.config.set_channel(lose=2)
    emulator.create_buckets(["lost-a", "lost-b", "heard"], acl="public-read")
    _delivered(emulator, 1)
    assert _resources(_events(emulator)) == ["heard"]
    assert [entry.resource for entry in emulator.journal(operation="NotificationLost")] == ["lost-a", "lost-b"]
    assert emulator.non_compliant() == ["lost-a", "lost-b", "heard"]
