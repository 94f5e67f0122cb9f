"""`explain`: which requests were sent and how each was answered, on record and by the look, against what was served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.integration.cli.journaling import READ, lines
from tests.integration.queues import dead_letters
from tests.integration.remediations.cases import PARTNER_STATEMENT, PUBLIC_STATEMENT, policy
from tests.unit.operator.report.journals import ACCOUNT, Book

NO_PORT = "http://127.0.0.1:9"


def settled(path: Path) -> int:
    """How many deliveries are settled."""
    return sum(line["step"] == "settled" for line in lines(path))


def ended(cli: Cli, path: Path, *, deliveries: int = 1) -> None:
    """Let a worker settle so many deliveries more."""
    wanted = settled(path) + deliveries
    with cli.working():
        eventually(lambda: settled(path) >= wanted)


def soon(cli: Cli) -> None:
    """What has failed is received again after a second."""
    cli.replace("[retry]\n", "[retry]\nbackoff_base_seconds = 1\nbackoff_cap_seconds = 1\n")


def answers(requests: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Operations, and how they were answered."""
    return [(each["operation"], each["code"]) for each in requests]


@pytest.fixture
def bucket(cli: Cli, channel: Emulator, journal: Path) -> Emulator:
    """An open bucket, and an event about it."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos"], acl="public-read")
    channel.config.publish(bucket="photos", rule=READ)
    channel.journal_reads(wanted=True)
    return channel


def deliveries(cli: Cli, *arguments: str) -> list[dict[str, Any]]:
    """Those of the one message about `photos`."""
    (message,) = cli.json("explain", "photos", *arguments)["messages"]
    found: list[dict[str, Any]] = message["deliveries"]
    return found


def test_the_requests_on_record_are_those_that_were_served(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """Each one in its order, by its own id; with what was written, and the journal is whole."""
    start = bucket.journal()[-1].sequence
    ended(cli, journal)
    served = [entry for entry in bucket.journal(start) if entry.service == "oss"]
    (delivery,) = deliveries(cli, "--no-look")
    assert [(each["operation"], each["request_id"]) for each in delivery["requests"]] == [
        (entry.operation, entry.request_id) for entry in served
    ]
    assert [each["operation"] for each in delivery["requests"] if each["writes"]] == ["PutBucketAcl"]
    received, *_, last = [step["at_ms"] for step in delivery["steps"]]
    assert all(received <= each["at_ms"] <= last for each in delivery["requests"])
    out = cli.run("explain", "photos", "--no-look").out
    assert "change  public-read → private, by PutBucketAcl: ok" in out
    assert all(each["request_id"] in out for each in delivery["requests"])
    assert cli.json("journal", "verify")["whole"] is True


def test_the_look_shows_what_it_sends_now(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """The same operations with the same ids as the service has served, none of which changes anything."""
    journal.touch()
    start = bucket.journal()[-1].sequence
    first, second = cli.json("explain", "photos")["now"]
    served = [(entry.operation, entry.request_id) for entry in bucket.journal(start) if entry.service == "oss"]
    assert served == [(each["operation"], each["request_id"]) for now in (first, second) for each in now["requests"]]
    assert served
    assert not any(each["writes"] for now in (first, second) for each in now["requests"])
    assert "Requests and answers of the look" in cli.run("explain", "photos").out


def test_each_receipt_has_its_own_requests(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """Two tries that the service failed, and the one of the next receipt that worked."""
    soon(cli)
    bucket.faults.add("error", "PutBucketAcl", service="oss", status=503, code="ServiceUnavailable", count=2)
    ended(cli, journal, deliveries=2)
    first, second = deliveries(cli, "--no-look")
    failed = [code for operation, code in answers(first["requests"]) if operation == "PutBucketAcl"]
    assert failed == ["ServiceUnavailable", "ServiceUnavailable"]
    assert (first["outcome"], second["outcome"]) == ("failed", "fixed")
    assert ("PutBucketAcl", "ok") in answers(second["requests"])
    out = cli.run("explain", "photos", "--no-look").out
    of_the_first, of_the_second = out.split("received the 1st time")[1].split("received the 2nd time")
    assert (of_the_first.count("oss PutBucketAcl"), of_the_second.count("oss PutBucketAcl")) == (2, 1)
    tried = "requested  public-read → private, by PutBucketAcl: ServiceUnavailable, PutBucketAcl: ServiceUnavailable\n"
    assert tried in of_the_first
    assert "change  public-read → private, by PutBucketAcl: ok\n" in of_the_second


def test_a_throttled_request_and_its_second_try_are_both_there(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """One receipt, repaired in spite of it; and the same of a look."""
    bucket.faults.add("error", "PutBucketAcl", service="oss", status=503, code="QpsLimitExceeded", count=1)
    ended(cli, journal)
    (delivery,) = deliveries(cli, "--no-look")
    assert delivery["outcome"] == "fixed"
    tries = [each for each in answers(delivery["requests"]) if each[0] == "PutBucketAcl"]
    assert tries == [("PutBucketAcl", "QpsLimitExceeded"), ("PutBucketAcl", "ok")]
    bucket.faults.add("error", "GetBucketInfo", service="oss", status=503, code="QpsLimitExceeded", count=1)
    (now,) = cli.json("explain", "photos")["now"]
    assert answers(now["requests"])[:2] == [("GetBucketInfo", "QpsLimitExceeded"), ("GetBucketInfo", "ok")]


def test_a_missing_permission_is_seen_on_record_and_now(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """The refusal with its id, which the vendor's support asks for; a look that is refused itself is status 3."""
    bucket.faults.add("error", "PutBucketAcl", service="oss", status=403, code="AccessDenied")
    ended(cli, journal)
    (delivery,) = deliveries(cli, "--no-look")
    refused = delivery["requests"][-1]
    assert (delivery["outcome"], refused["operation"], refused["code"]) == ("held", "PutBucketAcl", "AccessDenied")
    assert refused["request_id"] == delivery["request_ids"][-1]
    out = cli.run("explain", "photos").out
    assert "requested  public-read → private, by PutBucketAcl: AccessDenied\n" in out
    assert "about to be made: public-read → private" in out
    bucket.faults.add("error", "GetBucketInfo", service="oss", status=403, code="AccessDenied")
    result = cli.run("explain", "photos", "-o", "json")
    (now,) = result.document["now"]
    assert (result.status, answers(now["requests"])) == (3, [("GetBucketInfo", "AccessDenied")])
    shown = cli.run("explain", "photos")
    assert shown.status == 3
    assert "oss GetBucketInfo   AccessDenied, " in shown.out


def test_without_a_network_there_is_no_answer_and_no_id(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """What is on record is shown all the same; each try stands there with why nothing came back."""
    ended(cli, journal)
    cli.replace(bucket.endpoints.oss, NO_PORT)
    result = cli.run("explain", "photos", "-o", "json")
    (now,) = result.document["now"]
    assert (result.status, now["outcome"]) == (3, "failed")
    assert [(each["operation"], each["request_id"]) for each in now["requests"]] == [("GetBucketInfo", "")] * 2
    assert not any(each["code"] == "ok" for each in now["requests"])
    assert result.document["messages"][0]["deliveries"][0]["requests"]
    assert cli.run("explain", "photos").status == 3


def test_a_dead_letter_is_explained_by_the_answer_that_gave_it_up(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """By the id of its message, as `dlq list` has it as the origin."""
    bucket.faults.add("error", "PutBucketAcl", service="oss", status=400, code="InvalidArgument")
    ended(cli, journal)
    eventually(lambda: len(dead_letters(bucket)) == 1)
    (letter,) = cli.json("dlq", "list")
    document = cli.json("explain", letter["origin_id"], "--no-look")
    (delivery,) = document["messages"][0]["deliveries"]
    assert (delivery["outcome"], delivery["disposition"]) == ("rejected", "dead_lettered")
    assert ("PutBucketAcl", "InvalidArgument") in answers(delivery["requests"])


def test_what_ends_before_a_look_has_sent_nothing(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """That is on record, and is no gap in it."""
    exempt = '\n[[exemptions]]\nname = "site"\nowner = "web"\nreason = "Public"\nexpires = 2100-06-30\n'
    cli.configure(more=f'\n[journal]\npath = "{journal}"\n{exempt}resources = ["photos"]\n')
    ended(cli, journal)
    (delivery,) = deliveries(cli, "--no-look")
    assert (delivery["outcome"], delivery["requests"]) == ("exempt", [])
    out = cli.run("explain", "photos").out
    assert "None was sent about photos." in out
    assert "None was sent: it would end before a look" in out


def test_what_the_journal_lacks_is_said_and_not_made_up(cli: Cli, bucket: Emulator, tmp_path: Path) -> None:
    """Of an earlier worker there are ids alone, and of one that was killed in the middle of a change not even these."""
    path = tmp_path / "earlier.jsonl"
    book = Book(path)
    book.ended("fixed", request_ids=["4F0B3E4D59A19502B715C158"])
    message = {"message_id": "B" * 32, "dequeue_count": 1}
    event = {"resource": "photos", "account": ACCOUNT, "region": "cn-hangzhou", "config_rule_id": "cr-read"}
    book.line("received", **message)
    book.line("before", **message, rule="public-read", **event, before="public-read", after="private")
    earlier, killed = (
        each["deliveries"][0] for each in cli.json("explain", "photos", "--no-look", "-f", str(path))["messages"]
    )
    assert (earlier["requests"], earlier["request_ids"]) == (None, ["4F0B3E4D59A19502B715C158"])
    assert (killed["requests"], killed["request_ids"]) == (None, [])
    out = cli.run("explain", "photos", "--no-look", "-f", str(path)).out
    assert "answers      not in the journal\nrequest ids  4F0B3E4D59A19502B715C158" in out
    assert "request ids  not in the journal\nannounced    public-read → private" in out
    assert "It has no ending on record" in out


def test_a_journal_that_was_moved_away_is_missed(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """Unless it is named as well; then the whole story is there, whatever the order of the files."""
    bucket.faults.add("error", "PutBucketAcl", service="oss", status=503, code="ServiceUnavailable", count=2)
    moved = journal.with_name("journal-1.jsonl")
    with cli.working():
        eventually(lambda: settled(journal) == 1)
        journal.rename(moved)  # nothing is written meanwhile: what has failed comes back after half a minute
        bucket.advance(60)
        eventually(lambda: settled(journal) == 1)
    half = cli.json("explain", "photos", "--no-look")
    assert half["earlier_journals"] == ["journal.jsonl"]
    assert "goes on from an earlier file" in cli.run("explain", "photos", "--no-look").out
    for files in ((moved, journal), (journal, moved)):
        arguments = [part for each in files for part in ("-f", str(each))]
        whole = cli.json("explain", "photos", "--no-look", *arguments)
        assert whole["earlier_journals"] == []
        assert [each["outcome"] for each in whole["messages"][0]["deliveries"]] == ["failed", "fixed"]
    unknown = cli.run("explain", "0123456789ABCDEF", "--no-look")
    assert unknown.status == 2
    assert "--file names each of them" in unknown.err


def test_nothing_is_known(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """No journal, an empty one, a message that was never seen, a name that no bucket can have."""
    assert "cannot read the journal" in cli.run("explain", "photos").err
    journal.touch()
    for wanted in ("5F290C926D472878-2-14D9529A8FA-200000001", "Photos_2026", "-photos-", "a" * 64, "照片"):
        result = cli.run("explain", "--", wanted)
        assert result.status == 2, result
        assert "the journal has nothing about" in result.err


POLICY_RULE = """
[[rules]]
name = "public-policy"
remediation = "oss.bucket-policy-public"
mode = "enforce"
config_rule_ids = ["cr-read"]
"""


def test_a_policy_is_cut_for_people_and_whole_in_json(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """Wherever states are shown to people, with how long it is and how to see all of it."""
    partners = [{**PARTNER_STATEMENT, "Resource": [f"acs:oss:*:*:photos/{number}/*"]} for number in range(40)]
    bucket.change_bucket("photos", acl="private", policy=policy(*partners, PUBLIC_STATEMENT))
    cli.configure(POLICY_RULE, more=f'\n[journal]\npath = "{journal}"\n')
    for command in (("peek",), ("repair", "photos", "--rule", "public-policy")):
        assert_cut(cli, *command)
    ended(cli, journal)
    (delivery,) = deliveries(cli, "--no-look")
    assert delivery["outcome"] == "fixed"
    whole = json.loads(delivery["steps"][1]["before"])
    assert len(whole["Statement"]) == 41
    for command in (("explain", "photos"), ("journal", "show", "photos")):
        assert_cut(cli, *command)


def assert_cut(cli: Cli, *command: str) -> None:
    """No line of it is long, it says how long the policy is, and where all of it is."""
    out = cli.run(*command).out
    assert "characters; --output json has all)" in " ".join(out.split()), out
    assert "photos/20/*" not in out
    assert len(out) < 8_000, len(out)
    assert "photos/20/*" in cli.run(*command, "-o", "json").out


def test_no_secret_is_in_the_journal_or_shown(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """Requests are signed, and what signs them stays out."""
    ended(cli, journal)
    secret = cli.environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]
    for form in ("text", "json"):
        assert secret not in cli.run("explain", "photos", "-o", form).out
    assert secret not in journal.read_text(encoding="utf-8")


def test_a_hand_made_repair_leaves_its_requests_too(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """It goes the worker's way, so that its line has what was sent."""
    assert cli.run("repair", "photos", "--rule", "public-read", "--apply").status == 0
    (delivery,) = deliveries(cli, "--no-look")
    assert ("PutBucketAcl", "ok") in answers(delivery["requests"])
