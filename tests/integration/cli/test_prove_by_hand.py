"""`check --prove` that was killed: the line it printed puts the canary back, typed as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import oss2
import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.integration.cli.proving import (
    ENCRYPTION,
    canary,
    changes_of,
    configured,
    journaled,
    proof,
    proofs,
    prove,
    proving,
    state_of,
)
from tests.measured import ROOT

_NO_VARIABLE = {"REMEDIATOR_CONFIG": ""}
_ACL = """
[[rules]]
name = "acl"
remediation = "oss.bucket-acl"
mode = "enforce"
config_rule_ids = ["cr-acl"]
"""


def _typed(text: str) -> list[str]:
    """The words of the command, as a shell takes them."""
    (line,) = re.findall(r"put it back with: (.*)$", text, re.MULTILINE)
    words = shlex.split(line)
    assert words[0] == "config-remediator", line
    return words[1:]


@pytest.mark.parametrize("journal", ["none", "configured", "out of reach"])
@pytest.mark.parametrize("by", ["option", "variable"])
def test_the_line_works_as_it_was_printed(
    by: str, journal: str, cli: Cli, channel: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without REMEDIATOR_CONFIG, without a journal, and where the configured one is on another machine."""
    monkeypatch.chdir(tmp_path)  # where the line has its journal written
    cli.environment |= {"PYTHONPATH": str(ROOT)}
    folder = tmp_path / "it's mine"
    folder.mkdir()
    cli.path = folder / "config.toml"
    canary(channel)
    configured(cli)
    if journal != "none":
        journaled(cli, tmp_path if journal == "configured" else tmp_path / "not here")
    before = state_of(channel)
    option = ("--config", str(cli.path)) if by == "option" else ()
    variables = _NO_VARIABLE if by == "option" else {}
    with proving(cli, *option, **variables) as process:
        eventually(lambda: len(channel.journal(operation="PublishMessage")) == 1)
        process.kill()
        _, err = process.communicate()
    assert state_of(channel) != before
    words = _typed(err)
    found = proof(cli.run("check", "--prove", "-o", "json", *option, **variables))
    assert found["remedy"].endswith(shlex.join(["config-remediator", *words]))
    assert ("--config" in words, "--journal" in words) == (by == "option", journal != "configured")
    made = cli.run(*words, **variables)
    assert made.status == 0, made
    assert state_of(channel) == before


def test_another_configuration_than_the_environments_is_named(cli: Cli, channel: Emulator, tmp_path: Path) -> None:
    """The line would mean another canary otherwise."""
    canary(channel, encryption=None)
    configured(cli)
    found = proof(
        cli.run("check", "--prove", "-o", "json", "-c", str(cli.path), REMEDIATOR_CONFIG=str(tmp_path / "other.toml"))
    )
    assert f"--config {shlex.quote(str(cli.path))}" in found["remedy"]


def test_a_canary_of_another_region_is_named_with_it(cli: Cli, channel: Emulator) -> None:
    """As `canary.region` says."""
    canary(channel, encryption=None)
    configured(cli, more='region = "cn-hangzhou"\n')
    assert "--region cn-hangzhou" in proof(prove(cli))["remedy"]


def test_block_public_access_is_seen_beforehand(cli: Cli, channel: Emulator) -> None:
    """OSS refuses a public ACL under it, so there is nothing to be broken, and nothing is tried."""
    canary(channel, public_access_block=True)
    configured(cli, _ACL, more="public = true\n")
    result = prove(cli)
    found = proofs(result)[0]
    assert found["status"] == "skipped"
    assert "Block Public Access is on" in found["message"]
    assert changes_of(channel) == []
    assert channel.journal(operation="PublishMessage") == []


def _block_for_the_account(emulator: Emulator) -> None:
    """As its owner does, with the vendor's SDK."""
    endpoints = emulator.endpoints
    key = oss2.Auth(endpoints.access_key_id, endpoints.access_key_secret)
    oss2.Service(key, endpoints.oss, region=endpoints.region).put_public_access_block(True)


def test_block_public_access_of_the_account_shows_in_the_refusal(cli: Cli, channel: Emulator) -> None:
    """Its switch is not looked at, which takes a right on the account. What is refused is neither broken nor failed."""
    canary(channel)
    _block_for_the_account(channel)
    before = state_of(channel)
    channel.clear_journal()
    configured(cli, _ACL + ENCRYPTION, more="public = true\n", wait_seconds=1)
    result = prove(cli)
    found = proofs(result)[0]
    assert (found["rule"], found["status"], found["result"], found["restored"]) == ("acl", "skipped", "not_begun", True)
    assert "Block Public Access is on, of the bucket or its account" in found["message"]
    assert "it is not shown whether a worker may repair this" in found["message"]
    assert "The canary is as it was found" in found["message"]
    assert "leave it on" in found["remedy"]
    assert found["broken_as"] == ""
    assert state_of(channel) == before
    assert "PutBucketAcl" not in changes_of(channel)
    assert len(channel.journal(operation="PublishMessage")) == 1  # of the rule that can be proved


def test_what_block_public_access_leaves_unproved_fails_where_it_was_demanded(cli: Cli, channel: Emulator) -> None:
    """By the rule's name, or because there is no other one: not knowing is no success."""
    canary(channel)
    _block_for_the_account(channel)
    configured(cli, _ACL, more="public = true\n")
    alone, named = prove(cli), prove(cli, "--rule", "acl")
    assert (alone.status, named.status) == (1, 1)
    assert [each["status"] for each in proofs(alone)] == ["skipped", "failed"]
    assert proofs(named)[0]["status"] == "failed"
