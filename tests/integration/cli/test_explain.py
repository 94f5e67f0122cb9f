"""`explain`, over what a real worker has written and the live bucket."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import RULES, Cli
from tests.integration.cli.granting import granted, needed
from tests.integration.cli.journaling import READ
from tests.patience import PATIENCE_SECONDS
from tests.unit.operator.report.journals import ACCOUNT, Book

EXEMPTION = """
[[exemptions]]
name = "static-sites"
owner = "web-team@example.com"
reason = "Serves the public web site"
expires = 2100-06-30
resources = ["site-*"]
"""


def test_nothing_named_is_nothing_explained(cli: Cli, journal: Path) -> None:
    """As where a variable of a script is not set."""
    refused = cli.run("explain", "")
    assert (refused.status, "is empty" in refused.err) == (2, True)


def lines(path: Path) -> list[dict[str, object]]:
    """The journal's lines."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def worked(cli: Cli, channel: Emulator, journal: Path, *buckets: str) -> None:
    """Let a worker settle one event for each bucket, however it ends."""
    for bucket in buckets:
        channel.config.publish(bucket=bucket, rule=READ)
    process = cli.start("run")
    try:
        eventually(lambda: sum(line["step"] == "settled" for line in lines(journal)) >= len(buckets))
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


@pytest.fixture
def estate(cli: Cli, channel: Emulator, journal: Path) -> Emulator:
    """An open bucket, an exempt one, and room for one change an hour."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos", "backup", "site-eu"], acl="public-read")
    cli.configure(more=f'\n[journal]\npath = "{journal}"\n\n[limits]\nmax_changes = 1\n' + EXEMPTION)
    return channel


def test_a_fix_is_explained_from_its_receipt_to_its_deletion(cli: Cli, estate: Emulator, journal: Path) -> None:
    """Every step, the rule and why the other did not take it, guards, requests; and that nothing is left to do now."""
    worked(cli, estate, journal, "photos")
    result = cli.run("explain", "photos")
    assert result.status == 0, result
    for text in ("public-read → private", "message deleted", "takes it", "config_rule_ids (cr-write)", "let it pass"):
        assert text in result.out
    document = cli.json("explain", "photos")
    (message,) = document["messages"]
    (delivery,) = message["deliveries"]
    assert [step["step"] for step in delivery["steps"]] == ["received", "before", "changed", "verified", "settled"]
    assert {one["answer"] for one in delivery["guards"]} == {"let it pass"}
    served = {entry.request_id for entry in estate.journal()}
    assert set(delivery["request_ids"]) & served
    assert [now["outcome"] for now in document["now"]] == ["already_compliant"]
    by_message = cli.json("explain", message["message_id"][-12:])
    assert by_message["messages"] == document["messages"]


def test_a_hold_names_the_guard_that_objected(cli: Cli, estate: Emulator, journal: Path) -> None:
    """The limit was used up: the guards before it let it pass, the journal was not asked; now only workers know."""
    worked(cli, estate, journal, "photos", "backup")
    (held,) = [line for line in lines(journal) if line.get("reason") == "over_limit"]
    document = cli.json("explain", str(held["message_id"]))
    guards = {one["guard"]: one for one in document["messages"][0]["deliveries"][0]["guards"]}
    assert (guards["limits"]["answer"], guards["pause"]["answer"], guards["journal"]["answer"]) == (
        "objected",
        "let it pass",
        "was not asked",
    )
    assert "is used up" in guards["limits"]["because"]
    (now,) = document["now"]
    assert now["outcome"] == "fixed"
    answers = {one["guard"]: one["answer"] for one in now["guards"]}
    assert (answers["exemptions"], answers["limits"]) == ("let it pass", "unknown")


def test_an_exemption_is_explained_by_its_own_words(cli: Cli, estate: Emulator, journal: Path) -> None:
    """Before any look at the bucket."""
    worked(cli, estate, journal, "site-eu")
    out = cli.run("explain", "site-eu").out
    assert "exemption static-sites: Serves the public web site (owner: web-team@example.com)" in out
    assert "objected" in out


def test_a_body_that_is_no_event_is_explained_too(cli: Cli, estate: Emulator, journal: Path) -> None:
    """By its message; there is nothing to rehearse."""
    estate.config.publish_raw("not an event")
    worked(cli, estate, journal)
    process = cli.start("run")
    eventually(lambda: any(line.get("outcome") == "invalid" and line["step"] == "settled" for line in lines(journal)))
    process.terminate()
    process.communicate(timeout=PATIENCE_SECONDS)
    (ended,) = [line for line in lines(journal) if line["step"] == "decided"]
    document = cli.json("explain", str(ended["message_id"]))
    assert (document["now"], document["rules"]) == ([], [])
    assert "not_base64" in cli.run("explain", str(ended["message_id"])).out


def test_a_resource_that_is_not_on_record_is_rehearsed_by_every_rule(cli: Cli, estate: Emulator, journal: Path) -> None:
    """What would happen if an event came."""
    journal.touch()
    document = cli.json("explain", "photos")
    assert document["messages"] == []
    assert [(now["rule"], now["outcome"]) for now in document["now"]] == [
        ("public-read", "fixed"),
        ("public-write", "would_fix"),
    ]
    assert "no event about 'photos'" in cli.run("explain", "photos").out
    unknown = cli.run("explain", "Neither_A_Bucket_Nor_A_Message")
    assert unknown.status == 2
    assert "the journal has nothing about" in unknown.err


def test_nothing_is_changed_or_taken_by_an_explanation(cli: Cli, estate: Emulator, journal: Path) -> None:
    """Only reads, all of them granted by `ram-policy --for explain`; and without a look, nothing at all."""
    worked(cli, estate, journal, "photos")
    estate.journal_reads(wanted=True)
    start = estate.journal()[-1].sequence
    cli.json("explain", "backup")
    cli.json("explain", "photos")
    asked = estate.journal(start)
    assert asked
    assert not any(entry.changed for entry in asked)
    policy = cli.run("ram-policy", "--for", "explain").document
    assert needed({(entry.service, entry.operation) for entry in asked}) <= granted(policy)
    seen = estate.journal()[-1].sequence
    blind = cli.json(
        "explain", "photos", "--no-look", ALIBABA_CLOUD_ACCESS_KEY_ID="", ALIBABA_CLOUD_ACCESS_KEY_SECRET=""
    )
    assert blind["now"] == []
    assert blind["messages"]
    assert estate.journal()[-1].sequence == seen


def test_a_journal_that_cannot_be_believed_is_status_one(cli: Cli, estate: Emulator, journal: Path) -> None:
    """Said before everything else."""
    worked(cli, estate, journal, "photos")
    journal.write_text(journal.read_text().replace('"before":"public-read"', '"before":"Public-read"', 1))
    result = cli.run("explain", "photos", "--no-look")
    assert result.status == 1
    assert result.out.startswith("journal.jsonl is NOT whole, from line")


def test_a_rule_that_is_gone_is_no_reason_to_fail(cli: Cli, estate: Emulator, journal: Path) -> None:
    """The rules of today are compared, and rehearsed."""
    worked(cli, estate, journal, "photos")
    cli.configure(RULES.replace('"public-read"', '"renamed"'), more=f'\n[journal]\npath = "{journal}"\n')
    document = cli.json("explain", "photos")
    assert [each["rule"] for each in document["rules"]] == ["renamed", "public-write"]
    assert document["rules"][0]["takes"] is True


def recorded(path: Path, rule: str, config_rule_id: str) -> None:
    """A journal of one event about `photos`, as the rule of that name has taken it, or none."""
    outcome, reason = ("held", "paused") if rule else ("not_ours", "no_rule")
    event = {"resource": "photos", "account": ACCOUNT, "region": "cn-hangzhou", "config_rule_id": config_rule_id}
    line = {"message_id": "A" * 32, "dequeue_count": 1, "rule": rule, **event, "resource_type": "ACS::OSS::Bucket"}
    Book(path).line("decided", **line, outcome=outcome, reason=reason)


@pytest.mark.parametrize(
    ("rule", "config_rule_id", "selects", "outcome"),
    [
        ("", "cr-other", 'config_rule_ids = ["cr-read"]', "not_ours"),
        ("public-read", "cr-old", 'config_rule_ids = ["cr-read"]', "not_ours"),
        ("public-read", "cr-read", 'config_rule_ids = ["cr-read", "cr-a"]', "fixed"),
        ("public-read", "cr-other", 'rule_names = ["*公共读*"]', "fixed"),
        ("public-read", "cr-other", 'source_identifiers = ["oss-x"]\nrisk_levels = ["critical"]', "fixed"),
        ("", "cr-other", 'rule_names = ["*公共读*"]', None),
    ],
    ids=["of no rule", "of an id that it had", "of an id", "of a name", "of an identifier", "nobody knows"],
)
def test_an_event_is_rehearsed_with_its_own_id(
    cli: Cli,
    channel: Emulator,
    tmp_path: Path,
    rule: str,
    config_rule_id: str,
    selects: str,
    outcome: str | None,
) -> None:
    """Never with one that would make a rule take it; what the journal lacks is as the rule that took it knows it."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos"], acl="public-read")
    cli.configure(RULES.replace('config_rule_ids = ["cr-read"]', selects))
    path = tmp_path / "journal.jsonl"
    recorded(path, rule, config_rule_id)
    (now,) = cli.json("explain", "photos", "-f", str(path))["now"]
    assert (now["outcome"], now["guards"] == []) == (outcome, outcome is None)
    if outcome is None:
        assert now["detail"].startswith("whether public-read takes it is not known")
