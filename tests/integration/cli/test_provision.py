"""`provision`: a plan first, changes only when told, nothing twice and nothing deleted."""

from __future__ import annotations

import re
from typing import Any

from emulator.client import Emulator
from emulator.provisioning import account
from tests.integration.cli.conftest import Cli

NOTHING = ("DeleteQueue", "DeleteTopic", "Unsubscribe", "DeleteMessage")


def acts(document: dict[str, Any]) -> dict[str, str]:
    """What each step does, by kind of resource."""
    return {step["what"].split()[0]: step["act"] for step in document["steps"]}


def test_the_plan_alone_changes_nothing(cli: Cli, emulator: Emulator) -> None:
    """Without --apply the steps are shown, the status says that there are some, and the service is as before."""
    cli.replace('queue = "config-events-dead"', 'queue = "new-queue"')
    before, state = emulator.journal(), emulator.state()["mns"]
    result = cli.run("provision", "-o", "json")
    assert result.status == 1
    assert acts(result.document)["dead-letter"] == "create"
    assert emulator.journal() == before
    assert emulator.state()["mns"] == state


def test_without_a_network_the_host_is_named(cli: Cli) -> None:
    """A name that leads nowhere and a port at which nobody listens: which one it was, without a traceback's words."""
    text = cli.path.read_text("utf-8")
    for endpoint, why in (("http://127.0.0.1:1", "Connection refused"), ("http://mns.invalid:80", "mns.invalid")):
        cli.path.write_text(re.sub(r'(?m)^endpoint = ".*"', f'endpoint = "{endpoint}"', text), "utf-8")
        result = cli.run("provision")
        assert (result.status, result.out) == (3, "")
        assert result.err.startswith("config-remediator provision: mns ")
        assert f"no answer from {endpoint.removeprefix('http://')}: " in result.err
        assert why in result.err
        assert "Error(" not in result.err
        assert len(result.err.splitlines()) == 1


def test_everything_is_made_once_and_then_found_right(cli: Cli, emulator: Emulator) -> None:
    """From nothing to a channel that passes the strict check; the second run has nothing to do."""
    emulator.reset("mns")
    assert cli.run("provision", "--apply").status == 0
    assert {step["act"] for step in cli.json("provision")["steps"]} == {"keep"}
    assert cli.run("check", "--strict").status == 0
    queues = emulator.state()["mns"]["queues"]
    assert set(queues) == {"config-events", "config-events-dead"}
    assert queues["config-events"]["attributes"]["message_retention_period_seconds"] == 604_800


def test_what_is_provisioned_brings_an_event_to_the_queue(cli: Cli, emulator: Emulator) -> None:
    """Cloud Config's message passes topic and subscription and lies in the queue as it was published."""
    emulator.reset("mns")
    cli.run("provision", "--apply")
    emulator.config.set_channel(topic="config-topic")
    emulator.config.publish_raw("an event")
    (message,) = emulator.state()["mns"]["queues"]["config-events"]["messages"]
    assert message["body"] == "an event"


def test_only_what_does_not_fit_is_adjusted(cli: Cli, channel: Emulator) -> None:
    """A queue with too short a retention keeps its visibility, and its messages."""
    from mns.queue import QueueMeta

    with account(channel) as owner:
        owner.get_queue("config-events").set_attributes(QueueMeta(vis_timeout=33, msg_ttl=600))
    channel.config.publish_raw("kept")
    result = cli.run("provision", "--apply")
    assert result.status == 0
    assert "retention 600 s → 86400 s" in result.out
    queue = channel.state()["mns"]["queues"]["config-events"]
    assert queue["attributes"]["visibility_timeout_seconds"] == 33
    assert [message["body"] for message in queue["messages"]] == ["kept"]


def test_a_subscription_that_leads_elsewhere_is_a_conflict(cli: Cli, channel: Emulator) -> None:
    """It is named and left alone, with status 4, because mending it would take a deletion."""
    cli.replace('name = "config-events"', 'name = "new-queue"')
    result = cli.run("provision", "--apply")
    assert result.status == 4
    assert "A person has to end the conflict" in result.out
    assert "Done" not in result.out
    assert not [entry for entry in channel.journal() if entry.operation in NOTHING]


def test_topic_and_subscription_are_left_alone_without_a_name(cli: Cli, channel: Emulator) -> None:
    """Without topic.name only the queues are looked at."""
    cli.replace('name = "config-topic"', 'name = ""')
    assert set(acts(cli.json("provision"))) == {"queue", "dead-letter"}


def test_without_a_topic_it_says_what_is_missing(cli: Cli, emulator: Emulator) -> None:
    """Rather than to name a topic without a name: the key, and which queue events have to be brought to."""
    emulator.reset("mns")
    cli.replace('name = "config-topic"', 'name = ""')
    for arguments in (("--apply",), ("--apply",), ()):
        result = cli.run("provision", *arguments)
        assert result.status == 0
        said = " ".join(result.out.split())
        assert "topic.name is empty" in said
        assert f":{emulator.endpoints.account_id}:queues/config-events." in said
        assert "Done" not in said
        assert "/topics/" not in said


def test_a_refusal_names_the_operation(cli: Cli, channel: Emulator) -> None:
    """Status 3 and one line with the service's code and the operation."""
    channel.faults.add("error", "GetTopicAttributes", service="mns", status=403, code="AccessDenied")
    result = cli.run("provision")
    assert result.status == 3
    assert "mns GetTopicAttributes: AccessDenied" in result.err
