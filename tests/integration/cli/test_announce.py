"""What the commands do about announcements: undo publishes, check looks, ram-policy grants."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.announced import TOPIC, announced, kinds, subscribe_queue
from tests.integration.cli.conftest import Cli
from tests.integration.queues import is_empty
from tests.patience import PATIENCE_SECONDS

ANNOUNCE = f'\n[announce]\ntopic = "{TOPIC}"\nowner_tag = "team"\n'


@pytest.fixture
def announcing(cli: Cli, channel: Emulator, tmp_path: Path) -> Cli:
    """A worker's configuration with a journal and a topic; it has repaired one bucket."""
    subscribe_queue(channel)
    cli.configure(more=f'{ANNOUNCE}\n[journal]\npath = "{tmp_path / "journal.jsonl"}"\n')
    channel.create_buckets(["photos"], acl="public-read", tagging={"team": "web-team"})
    process = cli.start("run")
    try:
        eventually(lambda: is_empty(channel))
    finally:
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, error
    return cli


def test_the_command_in_an_announcement_takes_the_change_back_and_is_announced(
    announcing: Cli, channel: Emulator
) -> None:
    """Pasted as it stands; what it says then names the person, the states and the owner."""
    (fixed,) = announced(channel)
    _, *command = fixed["data"]["undo"].split()

    result = announcing.run(*command, "--yes", "--weaken")

    assert result.status == 0, result
    assert f"It was announced on {TOPIC}." in result.out
    assert channel.acls()["photos"] == "public-read"
    undone = [document["data"] for document in announced(channel) if document["data"]["kind"] == "undone"]
    (data,) = undone
    assert (data["before"], data["after"], data["now"]) == ("private", "public-read", "public-read")
    assert (data["rule"], data["remediation"], data["mode"]) == ("public-read", "oss.bucket-acl", "enforce")
    assert data["resource"]["owner"] == "web-team"
    assert "photos" in data["exemption"]
    assert "@" in data["by"]
    assert data["undo"] is None
    _, *again = data["how_to_undo"].split()
    made = announcing.run(*again)
    assert made.status == 0, made
    assert channel.acls()["photos"] == "private", "what is said to make the change again does"


def test_an_undo_that_cannot_be_announced_is_an_undo_all_the_same(announcing: Cli, channel: Emulator) -> None:
    """It is done and journaled by then; what failed is said."""
    channel.faults.add("error", "PublishMessage", service="mns", status=403, code="AccessDenied")
    (fixed,) = announced(channel)

    result = announcing.run("undo", fixed["data"]["message_id"], "--yes", "--weaken", "-o", "json")

    assert result.status == 0, result
    assert result.document["announced"].startswith("not announced: mns PublishMessage: AccessDenied")
    assert channel.acls()["photos"] == "public-read"


@pytest.mark.parametrize("more", ['endings = ["fixed"]\n', ""], ids=["not among the endings", "not wanted by the rule"])
def test_an_undo_is_announced_only_where_that_is_wanted(more: str, announcing: Cli, channel: Emulator) -> None:
    """By the configuration, or by the rule's own list."""
    if more:
        announcing.replace(ANNOUNCE, ANNOUNCE + more)
    else:
        announcing.replace('config_rule_ids = ["cr-read"]', 'config_rule_ids = ["cr-read"]\nannounce = ["fixed"]')
    (fixed,) = announced(channel)

    result = announcing.run("undo", fixed["data"]["message_id"], "--yes", "--weaken", "-o", "json")

    assert result.document["announced"] is None
    assert kinds(channel) == ["fixed"]


def looked(cli: Cli) -> tuple[str, str]:
    """What check says about announcements: the status, and message and remedy in one text."""
    (found,) = [each for each in cli.run("check", "-o", "json").document if each["check"] == "announcements"]
    return found["status"], f"{found['message']} → {found['remedy']}"


def test_check_looks_at_the_topic_and_publishes_nothing(cli: Cli, channel: Emulator) -> None:
    """All is well; and nobody gets a message for it."""
    subscribe_queue(channel)
    cli.configure(more=ANNOUNCE)

    assert looked(cli) == ("ok", "announcements takes what we publish, up to 65536 bytes → ")
    assert announced(channel) == []
    assert not channel.journal(operation="PublishMessage")


def test_check_says_what_is_wrong_with_the_topic(cli: Cli, channel: Emulator) -> None:
    """Missing, too small, not granted to look at, not granted to publish to; each with its remedy."""
    cli.configure(more=ANNOUNCE)
    status, text = looked(cli)
    assert (status, "does not exist" in text, "announce.topic" in text) == ("failed", True, True)

    subscribe_queue(channel, largest_bytes=8_192)
    status, text = looked(cli)
    assert (status, "takes 8192 bytes" in text, "65536" in text) == ("warning", True, True)

    for operation in ("GetTopicAttributes", "PublishMessage"):
        number = channel.faults.add("error", operation, service="mns", status=403, code="AccessDenied")
        status, text = looked(cli)
        assert (status, f"grant mns:{operation}" in text) == ("failed", True), text
        channel.faults.remove(number)

    for status, code, found in ((400, "BodyTooLargeForUs", "warning"), (503, "ServiceUnavailable", "failed")):
        number = channel.faults.add("error", "PublishMessage", service="mns", status=status, code=code)
        assert looked(cli)[0] == found, "not knowing is never fine"
        channel.faults.remove(number)


def test_without_a_topic_check_says_nothing(cli: Cli) -> None:
    """Nobody is asked about what is not configured."""
    assert not [each for each in cli.run("check", "-o", "json").document if each["check"] == "announcements"]


def test_the_policy_grants_publishing_on_that_topic_alone(cli: Cli, channel: Emulator) -> None:
    """And reading tags where owners are named; nothing of both without a topic."""
    known = channel.endpoints
    arn = f"acs:mns:{known.region}:{known.account_id}:/topics/{TOPIC}/messages"

    def granted(*arguments: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for statement in cli.run("ram-policy", *arguments).document["Statement"]:
            for resource in statement["Resource"]:
                found.setdefault(resource, set()).update(statement["Action"])
        return found

    assert arn not in granted()
    cli.configure(more=ANNOUNCE)
    for purpose in ("run", "undo", "repair", "check"):
        policy = granted("--for", purpose)
        assert policy[arn] == {"mns:PublishMessage"}, purpose
        assert [each for each, actions in policy.items() if "mns:PublishMessage" in actions] == [arn]
    for purpose in ("run", "undo", "repair"):
        assert "oss:GetBucketTagging" in granted("--for", purpose)[f"acs:oss:*:{known.account_id}:*"], purpose
    cli.configure(more=ANNOUNCE.replace("owner_tag", "# owner_tag"))
    for purpose in ("run", "undo", "repair"):
        assert "oss:GetBucketTagging" not in granted("--for", purpose)[f"acs:oss:*:{known.account_id}:*"], purpose


def test_a_repair_by_a_person_is_announced_with_their_name(announcing: Cli, channel: Emulator) -> None:
    """As a worker's, and the command in it takes the change back; what a guard holds is not announced."""
    channel.change_bucket("photos", acl="public-read")
    before = len(announced(channel))

    result = announcing.run("repair", "photos", "--rule", "public-read", "--apply", "--as", "anna", "-o", "json")

    assert result.status == 0, result
    assert result.document["announced"] == f"announced on {TOPIC}"
    (data,) = [document["data"] for document in announced(channel)[before:]]
    assert (data["kind"], data["before"], data["after"], data["rule"]) == (
        "fixed",
        "public-read",
        "private",
        "public-read",
    )
    assert (data["now"], data["mode"]) == ("private", "enforce")
    assert data["how_to_undo"].startswith(f"{data['undo']} (yes: ")
    assert data["by"].startswith("anna@")
    assert data["resource"]["owner"] == "web-team"
    _, *command = data["undo"].split()
    assert announcing.run(*command, "--yes", "--weaken").status == 0
    assert channel.acls()["photos"] == "public-read"
