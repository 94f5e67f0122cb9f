"""Announcements of a whole worker: by the SDK, through the topic, and never in the way of a message."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.announced import TOPIC, announced, kinds, subscribe_queue
from tests.integration.conftest import Run, Running
from tests.integration.queues import is_empty

MORE = f'[announce]\ntopic = "{TOPIC}"\n'


@pytest.fixture
def subscribed(channel: Emulator) -> Emulator:
    """The emulator with a topic for announcements."""
    subscribe_queue(channel)
    return channel


def scraped(running: Running, name: str) -> dict[tuple[str, ...], float]:
    """The samples of one metric that are not 0, by their labels' values."""
    assert running.service.health
    with urllib.request.urlopen(f"http://127.0.0.1:{running.service.health.port}/metrics") as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    samples = [sample for family in families for sample in family.samples if sample.name == f"remediator_{name}"]
    return {tuple(sample.labels.values()): sample.value for sample in samples if sample.value}


def test_an_owner_learns_what_was_changed_and_how_to_take_it_back(
    subscribed: Emulator, run: Run, tmp_path: Path
) -> None:
    """One message with the bucket, its owner's tag, both states, the exposure, and the command that undoes it."""
    subscribed.create_buckets(["photos"], acl="public-read", tagging={"team": "web-team"})
    journal = f'[journal]\npath = "{tmp_path / "journal.jsonl"}"\n'
    with run(f'{MORE}owner_tag = "team"\nrunbook_url = "https://wiki.example.com/{{rule}}"\n{journal}') as running:
        eventually(lambda: scraped(running, "announcements_total") == {("fixed", "published"): 1})

    (document,) = announced(subscribed)
    data = document["data"]
    assert (data["kind"], data["rule"], data["before"], data["after"]) == (
        "fixed",
        "public-read",
        "public-read",
        "private",
    )
    assert data["resource"] == {
        "type": "ACS::OSS::Bucket",
        "id": "photos",
        "region": subscribed.endpoints.region,
        "account": subscribed.endpoints.account_id,
        "owner": "web-team",
    }
    assert data["exposure_seconds"] > 0
    assert data["undo"] == f"config-remediator undo {data['message_id']}"
    assert data["runbook_url"] == "https://wiki.example.com/public-read"


def test_a_stop_publishes_the_digest_that_is_due_later(subscribed: Emulator, run: Run) -> None:
    """What was collected is not lost with the process: one message for all of it."""
    subscribed.create_buckets(["one", "two", "three"], acl="public-read")
    with run(f'{MORE}digest = ["fixed"]\nevery = "1d"\n'):
        eventually(lambda: is_empty(subscribed))
        assert announced(subscribed) == []

    (document,) = announced(subscribed)
    assert document["data"]["form"] == "digest"
    assert {entry["resource"]["id"] for entry in document["data"]["entries"]} == {"one", "two", "three"}


def test_a_pause_is_announced_once_and_its_end_too(subscribed: Emulator, run: Run) -> None:
    """However many messages it holds."""
    subscribed.create_buckets(count=20, acl="public-read")
    with run(f'{MORE}endings = ["paused"]\n') as running:
        running.service.pause()
        eventually(lambda: kinds(subscribed) == ["paused"])
        running.service.resume()
        eventually(lambda: len(kinds(subscribed)) == 2)

    first, second = announced(subscribed)
    assert (first["data"]["active"], second["data"]["active"]) == (True, False)
    assert first["data"]["summary"] == "changes are paused by a signal"


def test_a_topic_that_is_not_there_costs_no_message(channel: Emulator, run: Run) -> None:
    """Everything is repaired; announcements wait, show in the metrics, and go out once somebody has made the topic."""
    channel.create_buckets(["photos"], acl="public-read")
    with run(MORE) as running:
        eventually(lambda: is_empty(channel))
        assert channel.acls()["photos"] == "private"
        assert running.service.not_ready() == ""
        eventually(lambda: scraped(running, "announcements_waiting") == {(): 1.0})
        subscribe_queue(channel)
        eventually(lambda: kinds(channel) == ["fixed"])


def test_a_subscription_can_filter_by_kind(channel: Emulator, run: Run) -> None:
    """The kind is the message's tag."""
    subscribe_queue(channel, filter_tag="dead_lettered")
    channel.create_buckets(["photos"], acl="public-read")
    channel.config.publish_raw("poison")
    with run(MORE):
        eventually(lambda: is_empty(channel))
        eventually(lambda: kinds(channel) == ["dead_lettered"])

    (document,) = announced(channel)
    assert document["data"]["resource"] is None


def test_a_lost_answer_is_published_again_under_the_same_id(subscribed: Emulator, run: Run) -> None:
    """At least once, as everything here: a receiver can tell by the id."""
    subscribed.faults.add("lost_reply", "PublishMessage", service="mns", count=1)
    subscribed.create_buckets(["photos"], acl="public-read")
    with run(MORE) as running:
        eventually(lambda: scraped(running, "announcements_total") == {("fixed", "published"): 1})

    first, second = announced(subscribed)
    assert first == second


def test_a_service_that_answers_nothing_holds_up_neither_a_message_nor_a_stop(subscribed: Emulator, run: Run) -> None:
    """Publishing hangs; twenty buckets are repaired and settled meanwhile, and the process drains."""
    subscribed.faults.add("stall", "PublishMessage", service="mns", seconds=60)
    subscribed.create_buckets(count=20, acl="public-read")
    with run(MORE) as running:
        eventually(lambda: is_empty(subscribed))
        assert running.service.fault() == ""
        assert running.service.not_ready() == ""


REFUSALS = [
    (403, "AccessDenied"),
    (404, "TopicNotExist"),
    (400, "QpsLimitExceeded"),
    (503, "ServiceUnavailable"),
    (400, "NobodyKnowsThisCode"),
]


@pytest.mark.parametrize(("status", "code"), REFUSALS)
def test_what_may_pass_is_tried_again_and_no_message_waits_for_it(
    status: int, code: str, subscribed: Emulator, run: Run
) -> None:
    """Not granted yet, not created yet, throttled, out of order, or for no reason that anybody knows."""
    number = subscribed.faults.add("error", "PublishMessage", service="mns", status=status, code=code)
    subscribed.create_buckets(["photos", "music"], acl="public-read")
    with run(MORE) as running:
        eventually(lambda: is_empty(subscribed))
        eventually(lambda: subscribed.faults.struck()[number] > 0)
        subscribed.faults.remove(number)
        eventually(lambda: scraped(running, "announcements_total") == {("fixed", "published"): 2})

    assert {document["data"]["resource"]["id"] for document in announced(subscribed)} == {"photos", "music"}


def test_nothing_is_published_without_a_topic(subscribed: Emulator, run: Run) -> None:
    """And there is no metric of it: absent beats zero."""
    subscribed.create_buckets(["photos"], acl="public-read")
    with run() as running:
        eventually(lambda: is_empty(subscribed))
        assert scraped(running, "announcements_total") == {}
    assert announced(subscribed) == []
