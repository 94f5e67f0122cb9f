"""`explain`, over what a real worker has written and the live bucket."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import RULES, Cli
from tests.integration.cli.granting import granted, needed
from tests.integration.cli.journaling import READ, lines
from tests.patience import PATIENCE_SECONDS
from tests.unit.operator.report.journals import ACCOUNT, Book

WRITE = "oss-bucket-public-write-prohibited"
ENDINGS = ("decided", "verified")
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
    """The limit was used up: the guards before it let it pass, the journal was not reached; now only workers know."""
    worked(cli, estate, journal, "photos", "backup")
    (held,) = [line for line in lines(journal) if line.get("reason") == "over_limit"]
    document = cli.json("explain", str(held["message_id"]))
    guards = {one["guard"]: one for one in document["messages"][0]["deliveries"][0]["guards"]}
    assert (guards["limits"]["answer"], guards["pause"]["answer"], guards["journal"]["answer"]) == (
        "objected",
        "let it pass",
        "not reached",
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


def test_events_of_two_rules_are_explained_each(cli: Cli, estate: Emulator, journal: Path) -> None:
    """By the worker's own journal, whichever of them it settled last: the rule, the message and the look of each."""
    estate.config.publish(bucket="photos", rule=READ)
    estate.config.publish(bucket="photos", rule=WRITE)
    with cli.working():
        eventually(lambda: len({line["rule"] for line in lines(journal) if line["step"] == "settled"}) == 2)
    document = cli.json("explain", "photos")
    ended = {str(line["rule"]): line["message_id"] for line in lines(journal) if line["step"] in ENDINGS}
    assert {each["rule"]: each["message_id"] for each in document["events"]} == ended
    for each in document["events"]:
        assert each["now"]["rule"] == each["rule"]
        assert [match["rule"] for match in each["rules"] if match["takes"]] == [each["rule"]]
    newest = document["events"][-1]
    assert (document["rules"], document["now"]) == (newest["rules"], [newest["now"]])
    assert document["messages"][-1]["message_id"] == newest["message_id"]


def event(number: int, rule: str, config_rule_id: str) -> dict[str, object]:
    """What a line about an event says of `photos`."""
    known = {"resource": "photos", "account": ACCOUNT, "region": "cn-hangzhou", "resource_type": "ACS::OSS::Bucket"}
    return {"message_id": f"{number:032X}", "dequeue_count": 1, "rule": rule, "config_rule_id": config_rule_id, **known}


@pytest.mark.parametrize("order", [("public-read", "public-write"), ("public-write", "public-read")])
def test_each_rule_is_labelled_whichever_line_is_the_last(
    cli: Cli, estate: Emulator, tmp_path: Path, order: tuple[str, str]
) -> None:
    """Of each rule the newest message, in the order of the messages; without a look the rules alone."""
    book = Book(tmp_path / "journal.jsonl")
    ids = {"public-read": "cr-read", "public-write": "cr-write"}
    for number, rule in enumerate((order[0], *order), start=10):
        book.line("decided", **event(number, rule, ids[rule]), outcome="held", reason="paused")
    file = ("-f", str(book.path))
    out = cli.run("explain", "photos", *file).out
    first, second = out.split("Which rule\n")[1:]
    for section, number, rule in ((first, 11, order[0]), (second, 12, order[1])):
        table, look = section.split("How it would end now\n")
        for label in ("message", f"{number:032X}"), ("config rule", ids[rule]), ("was taken by", rule):
            assert list(label) in [line.split("  ", 1) for line in re.sub(" {2,}", "  ", table).splitlines()]
        assert look.startswith(f"message  {number:032X}\nrule     {rule}, which ")
    blind = cli.json("explain", "photos", "--no-look", *file)
    assert [(each["message_id"], each["rule"], each["now"]) for each in blind["events"]] == [
        (f"{11:032X}", order[0], None),
        (f"{12:032X}", order[1], None),
    ]
    assert cli.run("explain", "photos", "--no-look", *file).out.count("Which rule\n") == 2
    assert (blind["now"], blind["rules"]) == ([], blind["events"][-1]["rules"])


def test_an_event_that_no_rule_took_is_explained_beside_one_that_was(
    cli: Cli, estate: Emulator, tmp_path: Path
) -> None:
    """By the evaluator's rule; and one look only where a rule has had it since."""
    book = Book(tmp_path / "journal.jsonl")
    for number, rule, identity in ((1, "", "cr-read"), (2, "", "cr-other"), (3, "public-read", "cr-read")):
        book.line("decided", **event(number, rule, identity), outcome="held" if rule else "not_ours", reason="x")
    document = cli.json("explain", "photos", "-f", str(book.path))
    assert [(each["config_rule_id"], each["now"]["outcome"]) for each in document["events"]] == [
        ("cr-other", "not_ours"),
        ("cr-read", "fixed"),
    ]
    assert "was taken by  no rule\n" in cli.run("explain", "photos", "-f", str(book.path)).out


def test_more_rules_than_are_explained_are_counted(cli: Cli, estate: Emulator, tmp_path: Path) -> None:
    """The newest eight; and which others there are is said."""
    book = Book(tmp_path / "journal.jsonl")
    for number in range(1, 12):
        book.line("decided", **event(number, "", f"cr-{number}"), outcome="not_ours", reason="no_rule")
    arguments = ("explain", "photos", "--limit", "100", "-f", str(book.path))
    document = cli.json(*arguments)
    assert [each["config_rule_id"] for each in document["events"]] == [f"cr-{number}" for number in range(4, 12)]
    assert document["events_left_out"] == 3
    assert "3 older events of other rules are not compared here" in cli.run(*arguments).out


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
