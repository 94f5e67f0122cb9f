"""`peek`: says what the worker would do, and leaves every message as it was."""

from __future__ import annotations

import time

from mns.message_property import MessagePropertyValue
from mns.queue import Message

from emulator.client import Emulator
from emulator.provisioning import account
from tests.integration.cli.conftest import Cli
from tests.integration.queues import is_empty, messages

READ, WRITE = "oss-bucket-public-read-prohibited", "oss-bucket-public-write-prohibited"

EXEMPTION = """
[[exemptions]]
name = "site"
owner = "web"
reason = "public by intent"
expires = 2100-01-01
resources = ["site"]
"""


def _fill(channel: Emulator) -> None:
    """One message for every way a message can end."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["broken", "observed", "site"], acl="public-read-write")
    channel.create_buckets(["closed"], acl="private")
    for bucket in ("broken", "closed", "deleted", "site"):
        channel.config.publish(bucket=bucket, rule=READ)
    channel.config.publish(bucket="observed", rule=WRITE)
    channel.config.publish(bucket="theirs", rule=READ, owner_id="9999888877776666")
    channel.config.publish(kind="resource-change")
    channel.config.publish_raw("poison")


def test_every_message_is_reported_with_the_outcome_that_it_would_have(cli: Cli, channel: Emulator) -> None:
    """Enforced, observed, exempt, compliant, gone, another's, no event and not ours are told apart."""
    cli.configure(more=EXEMPTION)
    _fill(channel)
    found = cli.json("peek")
    told = {(each["resource"], each["rule"], each["outcome"]) for each in found}
    assert told == {
        ("broken", "public-read", "fixed"),
        ("closed", "public-read", "already_compliant"),
        ("deleted", "public-read", "gone"),
        ("site", "public-read", "exempt"),
        ("observed", "public-write", "would_fix"),
        ("theirs", "public-read", "rejected"),
        ("", "", "not_ours"),
        ("", "", "invalid"),
    }
    (broken,) = [each for each in found if each["resource"] == "broken"]
    assert (broken["before"], broken["after"]) == ("public-read-write", "private")


def test_nothing_in_queue_or_bucket_changes(cli: Cli, channel: Emulator) -> None:
    """State of every message and bucket, and the journal of changes, are the same before and after."""
    _fill(channel)
    before = (channel.state()["mns"], channel.state()["oss"], channel.journal())
    assert cli.run("peek").status == 0
    assert cli.run("peek", "--no-look").status == 0
    assert (channel.state()["mns"], channel.state()["oss"], channel.journal()) == before
    assert {message["dequeue_count"] for message in messages(channel, "config-events")} == {0}


def test_a_pause_holds_what_would_be_fixed(cli: Cli, channel: Emulator) -> None:
    """While changes are paused, peek says that they are."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["broken"], acl="public-read")
    channel.config.publish(bucket="broken", rule=READ)
    (found,) = cli.json("peek", REMEDIATOR__PAUSE__ENABLED="true")
    assert (found["outcome"], found["reason"]) == ("held", "paused")


def test_no_bucket_is_looked_up_when_no_look_is_wanted(cli: Cli, channel: Emulator) -> None:
    """`--no-look` leaves open what only the bucket could tell."""
    _fill(channel)
    channel.journal_reads(True)
    assert {each["outcome"] for each in cli.json("peek", "--no-look") if each["resource"] == "broken"} == {None}
    assert channel.journal(service="oss", operation="GetBucketInfo") == []


AN_HOUR_AGO_MS = time.time_ns() // 1_000_000 - 3_600_000
HISTORY = {
    "remediator-origin-id": "FIRST-OF-ALL",
    "remediator-first-enqueued-ms": str(AN_HOUR_AGO_MS),
    "remediator-first-received-ms": str(AN_HOUR_AGO_MS + 1),
    "remediator-receipts": "7",
    "remediator-attempts": "3",
    "remediator-reason": "held:over_limit",
}


def _send_parked(channel: Emulator, body: str, **changes: str) -> None:
    """What a worker sends again, as it arrives after its delay."""
    message = Message(body)
    for name, value in {**HISTORY, **changes}.items():
        message.add_user_property(name, MessagePropertyValue.create_string(value))
    with account(channel) as owner:
        queue = owner.get_queue("config-events")
        queue.set_encoding(False)
        queue.send_message(message)


def test_a_parked_copy_is_shown_with_its_history(cli: Cli, channel: Emulator) -> None:
    """Whose copy it is, since when, how often it was received and failed, and why; beside where it leads, as any."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["broken"], acl="public-read")
    channel.config.publish(bucket="broken", rule=READ)
    (first,) = messages(channel, "config-events")
    _send_parked(channel, first["body"])
    fresh, parked = cli.json("peek")
    assert fresh["parked"] is None
    assert (parked["resource"], parked["outcome"]) == ("broken", "fixed")
    assert parked["parked"] == {
        "origin_id": "FIRST-OF-ALL",
        "first_enqueued_ms": AN_HOUR_AGO_MS,
        "first_received_ms": AN_HOUR_AGO_MS + 1,
        "receipts": 7,
        "attempts": 3,
        "reason": "held:over_limit",
        "dead_letter_ms": 0,
    }
    (line,) = [each for each in cli.run("peek").out.splitlines() if "held:over_limit" in each]
    assert all(word in line for word in ("FIRST-OF-ALL", " 7 ", " 3 ")), line


def test_a_forged_history_is_no_history(cli: Cli, channel: Emulator) -> None:
    """What contradicts the service or itself shows nothing, and reaches no terminal."""
    _send_parked(channel, "poison", **{"remediator-reason": "[red]held\u202e"})
    _send_parked(channel, "poison", **{"remediator-attempts": "8"})
    assert [each["parked"] for each in cli.json("peek")] == [None, None]
    assert "parked copy of" not in cli.run("peek").out


def test_an_empty_queue_is_reported_to_be_empty(cli: Cli, channel: Emulator) -> None:
    """No message is no error."""
    assert is_empty(channel)
    result = cli.run("peek")
    assert (result.status, "No message is visible" in result.out) == (0, True)


def test_control_characters_of_a_body_never_reach_the_terminal(cli: Cli, channel: Emulator) -> None:
    """What an event names is escaped, markup included."""
    channel.config.publish(bucket="[red]a\x1b[31m", rule=READ)
    result = cli.run("peek")
    assert "\x1b" not in result.out
    assert result.status == 0


def test_a_missing_queue_is_reported_with_status_3(cli: Cli) -> None:
    """The operation and the service's code."""
    cli.replace('name = "config-events"', 'name = "other"')
    result = cli.run("peek")
    assert result.status == 3
    assert "QueueNotExist" in result.err
