"""`simulate`: the worker's decisions over captured bodies, with no network at all."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from consumer.operator.simulate.offline import NetworkForbidden, offline
from emulator.client import Emulator
from tests.integration.cli.conftest import RULES, Cli
from tests.integration.queues import messages

READ, WRITE = "oss-bucket-public-read-prohibited", "oss-bucket-public-write-prohibited"


@pytest.fixture
def captured(channel: Emulator, tmp_path: Path) -> Path:
    """Bodies as Cloud Config published them: two events of one bucket, one of another, and poison."""
    channel.config.set_channel(non_compliance=False)
    channel.config.publish(bucket="photos", rule=READ, count=2)
    channel.config.publish(bucket="videos", rule=WRITE)
    channel.config.publish(kind="resource-change")
    channel.config.publish_raw("poison")
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(json.dumps({"body": each["body"]}) for each in messages(channel, "config-events")))
    return path


def outcomes(document: dict[str, Any]) -> dict[tuple[str, str], int]:
    """The summary by rule and outcome."""
    return {(each["rule"], each["outcome"]): each["messages"] for each in document["summary"]}


def test_every_body_is_decided_as_the_worker_would(cli: Cli, captured: Path) -> None:
    """Fixed, then compliant because the first event's change is known; observed, not ours and invalid."""
    found = cli.json("simulate", str(captured))
    assert outcomes(found) == {
        ("public-read", "fixed"): 1,
        ("public-read", "already_compliant"): 1,
        ("public-write", "would_fix"): 1,
        ("no rule", "not_ours"): 1,
        ("no rule", "invalid"): 1,
    }
    assert found["messages"][0]["after"] == "private"


def test_a_parked_copy_is_decided_as_the_message_that_it_stands_for(cli: Cli, captured: Path, tmp_path: Path) -> None:
    """Its body is the first one's, and what is written beside it, believed or forged, decides nothing."""
    beside = {"remediator-origin-id": "FIRST", "remediator-attempts": "999999", "remediator-reason": "held:paused"}
    lines = captured.read_text(encoding="utf-8").splitlines()
    copies = tmp_path / "copies.jsonl"
    copies.write_text("\n".join(json.dumps({**json.loads(line), "user_properties": beside}) for line in lines))
    assert outcomes(cli.json("simulate", str(copies))) == outcomes(cli.json("simulate", str(captured)))


def test_no_service_is_contacted(cli: Cli, channel: Emulator, captured: Path) -> None:
    """Without credentials, and with every request journaled, there is none."""
    channel.journal_reads(True)
    channel.clear_journal()
    result = cli.run("simulate", str(captured), ALIBABA_CLOUD_ACCESS_KEY_ID="")
    assert result.status == 0
    assert channel.journal() == []


def test_a_socket_inside_a_simulation_is_refused() -> None:
    """Connecting and looking a name up are refused inside, and work outside."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        with offline():
            with pytest.raises(NetworkForbidden):
                socket.create_connection(server.getsockname(), timeout=1)
            with pytest.raises(NetworkForbidden):
                socket.getaddrinfo("localhost", 80)
        socket.create_connection(server.getsockname(), timeout=1).close()


@pytest.mark.parametrize(
    ("assume", "outcome"), [("broken", "fixed"), ("compliant", "already_compliant"), ("gone", "gone")]
)
def test_states_that_nobody_recorded_are_assumed(cli: Cli, captured: Path, assume: str, outcome: str) -> None:
    """What is assumed decides how the first event ends."""
    assert cli.json("simulate", str(captured), "--assume", assume)["messages"][0]["outcome"] == outcome


def test_recorded_states_are_taken(cli: Cli, captured: Path, tmp_path: Path) -> None:
    """A bucket recorded as private is compliant, one recorded as null is gone."""
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"photos": {"acl": "private"}, "videos": None}))
    found = cli.json("simulate", str(captured), "--state", str(state))
    assert outcomes(found)["public-read", "already_compliant"] == 2
    assert outcomes(found)["public-write", "gone"] == 1


def test_a_state_with_an_unknown_setting_is_refused_by_name(cli: Cli, captured: Path, tmp_path: Path) -> None:
    """Status 2, the file and the setting, with the nearest one that there is, or all of them."""
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"photos": {"alc": "private"}}))
    result = cli.run("simulate", str(captured), "--state", str(state))
    assert result.status == 2
    assert "state.json: photos.alc: unknown setting; did you mean acl?" in result.err

    state.write_text(json.dumps({"photos": {"xyz": "private"}}))
    result = cli.run("simulate", str(captured), "--state", str(state))
    assert "state.json: photos.xyz: unknown setting; known here: acl, owner_id, region, " in result.err


def test_another_configuration_is_compared_message_by_message(cli: Cli, captured: Path, tmp_path: Path) -> None:
    """Switching a rule to enforce alters that rule's message and no other; status 1 says that something differs."""
    other = tmp_path / "other.toml"
    other.write_text(cli.path.read_text().replace('mode = "observe"', 'mode = "enforce"'))
    result = cli.run("simulate", str(captured), "--against", str(other), "-o", "json")
    assert result.status == 1
    (difference,) = result.document["differences"]
    assert difference["resource"] == "videos"
    assert (difference["from"]["outcome"], difference["to"]["outcome"]) == ("would_fix", "fixed")
    table = cli.run("simulate", str(captured), "--against", str(other)).out
    assert "public-write: would_fix" in table
    assert cli.run("simulate", str(captured), "--against", str(cli.path)).status == 0


def test_an_exemption_and_a_limit_decide_too(cli: Cli, channel: Emulator, tmp_path: Path) -> None:
    """One change a day: the second bucket is held, and the exempt one never counts."""
    channel.config.set_channel(non_compliance=False)
    for bucket in ("site", "one", "two"):
        channel.config.publish(bucket=bucket, rule=READ)
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(each["body"] for each in messages(channel, "config-events")))
    exemption = '\n[[exemptions]]\nname = "site"\nowner = "web"\nreason = "public"\nexpires = 2100-01-01\n'
    limit = "\n[limits]\nmax_changes = 1\nwindow_seconds = 86400\n"
    cli.configure(RULES, more=f'{limit}{exemption}resources = ["site"]\n')
    found = cli.json("simulate", str(path))
    assert [each["outcome"] for each in found["messages"]] == ["exempt", "fixed", "held"]
    assert found["messages"][2]["reason"] == "over_limit"


def test_dead_letters_and_raw_files_are_read_as_they_are(cli: Cli, channel: Emulator, tmp_path: Path) -> None:
    """A dead letter's original body, and a file that is one body."""
    channel.config.set_channel(non_compliance=False)
    channel.config.publish(bucket="photos", rule=READ)
    (message,) = messages(channel, "config-events")
    letter = {"schema": "config-remediator/dead-letter/1", "body_encoding": "plain", "body": message["body"]}
    lines, raw = tmp_path / "letters.jsonl", tmp_path / "body.txt"
    lines.write_text(json.dumps(letter) + "\n\n")
    raw.write_text(message["body"])
    found = cli.json("simulate", str(lines), str(raw))
    assert [(each["place"], each["outcome"]) for each in found["messages"]] == [
        ("letters.jsonl:1", "fixed"),
        ("body.txt", "already_compliant"),
    ]
