"""`repair`: one resource that a person names, by the worker's own pipeline, and never past a guard."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.integration.cli.conftest import RULES, Cli, Result
from tests.integration.cli.granting import REEVALUATE, granted, needed
from tests.integration.test_windows import closed
from tests.redis_server import RedisServer, redis_server

NAMED = ("--rule", "public-read")
EXEMPTION = """
[[exemptions]]
name = "static-sites"
owner = "web-team@example.com"
reason = "Serves the public web site"
expires = 2100-06-30
resources = ["photos"]
"""


@pytest.fixture
def bucket(channel: Emulator) -> Emulator:
    """A bucket that is open to everyone, with no event about it."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos"], acl="public-read")
    return channel


def entries(path: Path) -> list[dict[str, object]]:
    """The journal's lines."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_without_apply_it_only_shows(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """State, finding and change; status 1 as of a plan with steps; no request that changes anything, no journal."""
    start = bucket.journal()[-1].sequence
    result = cli.run("repair", "photos", *NAMED)
    assert result.status == 1, result
    assert "public-read → private" in result.out
    assert "--apply makes the change" in result.out
    assert [entry for entry in bucket.journal(start) if entry.changed] == []
    assert not journal.exists()
    bucket.journal_reads(wanted=True)
    seen = bucket.journal()[-1].sequence
    shown = cli.run("repair", "photos", *NAMED, "-o", "json").document
    assert shown["request_ids"] == [entry.request_id for entry in bucket.journal(seen) if entry.service == "oss"] != []
    assert (shown["before"], shown["after"], shown["would_change"], shown["applied"]) == (
        "public-read",
        "private",
        True,
        False,
    )


def test_apply_repairs_and_leaves_who_did_it(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """The steps of a worker's repair with the person's name, in a chain that is whole; and undo takes it back."""
    result = cli.run("repair", "photos", *NAMED, "--apply", "--as", "anna@example.com", "-o", "json")
    assert result.status == 0, result
    assert bucket.acls()["photos"] == "private"
    lines = entries(journal)
    assert [line["step"] for line in lines] == ["opened", "received", "before", "changed", "verified"]
    assert all(str(line["who"]).startswith("anna@example.com@") for line in lines)
    assert {line["message_id"] for line in lines[1:]} == {lines[1]["message_id"]}
    assert cli.json("journal", "verify")["whole"]
    document = result.document
    assert document["change"] == str(lines[-1]["hash"])[:12]
    assert document["request_ids"]
    assert document["who"] == lines[0]["who"]
    assert cli.run("undo", document["change"], "--yes", "--weaken").status == 0
    assert bucket.acls()["photos"] == "public-read"


def test_without_a_name_it_is_the_user_of_this_machine(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """As `undo` has it."""
    assert cli.run("repair", "photos", *NAMED, "--apply", LOGNAME="berta").status == 0
    assert str(entries(journal)[0]["who"]).startswith("berta@")


@pytest.mark.parametrize("fault", ["reset_after", "error_after"])
def test_a_change_whose_answer_was_lost_is_not_called_unmade(
    cli: Cli, bucket: Emulator, journal: Path, fault: str
) -> None:
    """Nobody knows whether it was made, and that is what it says."""
    more = {"status": 500, "code": "InternalError"} if fault == "error_after" else {}
    bucket.faults.add(fault, "PutBucketAcl", service="oss", **more)
    result = cli.run("repair", "photos", *NAMED, "--apply")
    assert result.status != 0
    assert "not known whether it was repaired" in " ".join(result.out.split())
    assert "Not repaired" not in result.out


def test_twice_is_once(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """The second finds nothing to repair, with status 0, and changes nothing."""
    assert cli.run("repair", "photos", *NAMED, "--apply").status == 0
    start = bucket.journal()[-1].sequence
    again = cli.run("repair", "photos", *NAMED, "--apply")
    assert (again.status, "There is nothing to repair." in again.out) == (0, True)
    assert cli.run("repair", "photos", *NAMED).status == 0
    assert [entry for entry in bucket.journal(start) if entry.changed] == []


def refused(cli: Cli, bucket: Emulator, *options: str) -> Result:
    """A repair that is not made, with and without --apply."""
    start = bucket.journal()[-1].sequence
    shown = cli.run("repair", "photos", *NAMED, *options)
    result = cli.run("repair", "photos", *NAMED, "--apply", *options)
    assert (shown.status, result.status) == (4, 4), (shown, result)
    assert [entry for entry in bucket.journal(start) if entry.changed] == []
    return result


def test_an_exempt_resource_is_left_alone(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """With the exemption's name, owner and reason."""
    cli.configure(more=f'\n[journal]\npath = "{journal}"\n' + EXEMPTION)
    out = refused(cli, bucket).out
    assert "exemption static-sites: Serves the public web site (owner: web-team@example.com)" in out
    assert [line["step"] for line in entries(journal)] == ["opened", "received", "decided"]


def test_a_pause_holds_people_too(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """By the key and by the file."""
    cli.configure(more=f'\n[journal]\npath = "{journal}"\n\n[pause]\nenabled = true\n')
    assert "changes are paused by pause.enabled" in refused(cli, bucket).out
    pause = cli.path.parent / "pause"
    pause.touch()
    cli.configure(more=f'\n[journal]\npath = "{journal}"\n\n[pause]\nfile = "{pause}"\n')
    assert "changes are paused by" in refused(cli, bucket).out


@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_what_belongs_to_a_rule_further_up_is_not_repaired_by_this_one(
    mode: str, cli: Cli, bucket: Emulator, journal: Path
) -> None:
    """Whatever that one's mode is, for it was not named."""
    first = f'\n[[rules]]\nname = "first"\nremediation = "oss.bucket-acl"\nmode = "{mode}"\nresources = ["photos"]\n'
    first += 'resource_types = ["ACS::OSS::Bucket"]\n'
    cli.configure(first + RULES, more=f'\n[journal]\npath = "{journal}"\n')
    assert "rule first takes this resource before public-read does" in refused(cli, bucket).out
    assert cli.run("repair", "photos", "--rule", "first", "--apply").status == 0


def test_a_rule_that_asks_for_other_tags_does_not_take_it(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """The live resource decides."""
    tagged = RULES.replace('config_rule_ids = ["cr-read"]', 'config_rule_ids = ["cr-read"]\ntags = {stage = "prod"}')
    cli.configure(tagged, more=f'\n[journal]\npath = "{journal}"\n')
    assert "no rule takes this resource" in refused(cli, bucket).out
    bucket.change_bucket("photos", tagging={"stage": "prod"})
    assert cli.run("repair", "photos", *NAMED, "--apply").status == 0


def test_a_rule_that_observes_is_applied_by_who_names_it(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """The mode is about events; the output says what the rule is."""
    assert cli.run("repair", "photos", "--rule", "public-write").status == 1
    assert bucket.acls()["photos"] == "public-read"
    result = cli.run("repair", "photos", "--rule", "public-write", "--apply")
    assert result.status == 0, result
    assert "public-write, which observes" in result.out
    assert bucket.acls()["photos"] == "private"


@pytest.mark.parametrize(
    ("resource", "options", "says"),
    [
        ("gone", (), "no_such_bucket"),
        ("Not_A_Bucket", (), "have the form of a bucket name"),
        ("photos", ("--account", "9999888877776666"), "account_not_allowed"),
    ],
)
def test_what_is_not_ours_to_repair_is_status_four(
    resource: str, options: tuple[str, ...], says: str, cli: Cli, bucket: Emulator, journal: Path
) -> None:
    """Gone, of an impossible name, or of an account that is not configured."""
    result = cli.run("repair", resource, *NAMED, "--apply", *options)
    assert result.status == 4
    assert says in result.out
    assert bucket.acls()["photos"] == "public-read"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--rule", "public-raed"), "there is no rule 'public-raed'; there are: public-read, public-write"),
        (("--rule", "public-read", "--as", "a\nb"), "printable characters"),
        (("--rule", "public-read", "--region", "evil.example/"), "regionId does not have the form"),
        (("--rule", "public-read", "--account", "me"), "account"),
        ((), "--rule"),
        (("--rule", "public-read", "--account", "1" * 100_000), "account"),
    ],
)
def test_a_wish_that_is_none_is_status_two(options: tuple[str, ...], says: str, cli: Cli, journal: Path) -> None:
    """Before anything is asked of a service."""
    result = cli.run("repair", "photos", *options)
    assert result.status == 2
    assert says in result.err


def test_nothing_is_applied_without_a_journal(cli: Cli, bucket: Emulator, tmp_path: Path) -> None:
    """Neither where none is configured nor where it cannot be written; another one may be named."""
    missing = cli.run("repair", "photos", *NAMED, "--apply")
    assert (missing.status, "journal.path" in missing.err) == (2, True)
    unwritable = cli.run("repair", "photos", *NAMED, "--apply", "--journal", str(tmp_path / "no" / "journal.jsonl"))
    assert unwritable.status == 2
    assert bucket.acls()["photos"] == "public-read"
    own = tmp_path / "mine.jsonl"
    assert cli.run("repair", "photos", *NAMED, "--apply", "--journal", str(own)).status == 0
    assert entries(own)[-1]["outcome"] == "fixed"


def test_a_service_that_fails_is_status_three(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """And the bucket is as it was."""
    cli.replace("call_timeout_seconds = 5\n\n[oss.endpoints]", "call_timeout_seconds = 1\n\n[oss.endpoints]")
    cli.replace(bucket.endpoints.oss, "http://127.0.0.1:9")
    for options in ((), ("--apply",)):
        result = cli.run("repair", "photos", *NAMED, *options)
        assert result.status == 3, result
        assert re.search(r"^finding +failed$", result.out, re.MULTILINE)


def test_limits_are_those_of_this_command_unless_they_are_shared(
    cli: Cli, bucket: Emulator, journal: Path, tmp_path: Path
) -> None:
    """Alone, two commands after each other are both made, and say so; sharing, the second is over the limit."""
    with redis_server(tmp_path) as redis:
        redis.is_new()
        _limited(cli, bucket, journal, redis)


def _limited(cli: Cli, bucket: Emulator, journal: Path, redis: RedisServer) -> None:
    bucket.create_buckets(["site"], acl="public-read")
    limit = f'\n[journal]\npath = "{journal}"\n\n[limits]\nmax_changes = 1\n'
    cli.configure(more=f"{limit}\n{redis.section}")
    first = cli.run("repair", "photos", *NAMED, "--apply")
    assert first.status == 0, first
    assert "knew of this command alone" not in first.out
    second = cli.run("repair", "site", *NAMED, "--apply")
    assert second.status == 4
    assert "over_limit" in second.out
    cli.configure(more=limit)
    alone = cli.run("repair", "site", *NAMED, "--apply")
    assert alone.status == 0
    assert "knew of this command alone: [shared] is not configured" in alone.out


def test_it_asks_for_nothing_that_its_policy_does_not_grant(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """Every request of one repair, compared with `ram-policy --for repair`; and nothing of the queue is granted."""
    bucket.journal_reads(wanted=True)
    start = bucket.journal()[-1].sequence
    assert cli.run("repair", "photos", *NAMED, "--apply").status == 0
    asked = {(entry.service, entry.operation) for entry in bucket.journal(start)}
    policy = cli.run("ram-policy", "--for", "repair").document
    assert {("oss", "PutBucketAcl"), ("oss", "GetBucketInfo")} <= asked
    assert needed(asked) <= granted(policy)
    assert not any(action.startswith("mns:") for action in granted(policy))


def test_a_policy_for_people_covers_rules_that_observe_and_their_confirmation(cli: Cli) -> None:
    """A person may apply those; what cannot be taken back is confirmed first."""
    cli.configure(more="\n[reevaluate]\nenabled = true\n", rules=RULES.replace('"enforce"', '"observe"'))
    assert "oss:PutBucketAcl" in granted(cli.run("ram-policy", "--for", "repair").document)
    assert "oss:PutBucketAcl" not in granted(cli.run("ram-policy").document)
    versioned = '\n[[rules]]\nname = "v"\nremediation = "oss.versioning"\nmode = "observe"\nrule_names = ["*"]\n'
    cli.configure(versioned, more=REEVALUATE)
    actions = granted(cli.run("ram-policy", "--for", "repair").document)
    assert {"config:GetConfigRule", "config:ListResourceEvaluationResults"} <= actions
    assert "config:StartConfigRuleEvaluationByResource" not in actions


def held(cli: Cli, journal: Path, how: str) -> None:
    """A rule that observes, while no rule may change anything."""
    rules, more = RULES.replace('"enforce"', '"observe"'), f'\n[journal]\npath = "{journal}"\n'
    if how == "paused":
        more += "\n[pause]\nenabled = true\n"
    else:
        rules = rules.replace('mode = "observe"\n', f'mode = "observe"\nwindows = ["{closed()}"]\n')
    cli.configure(rules, more=more)


@pytest.mark.parametrize(("how", "reason"), [("paused", "paused"), ("window", "outside_window")])
def test_what_would_hold_the_change_is_shown_before_it_is_applied(
    how: str, reason: str, cli: Cli, bucket: Emulator, journal: Path
) -> None:
    """Also of a rule that observes: with --apply its mode does not matter, and the guards do."""
    held(cli, journal, how)
    shown = cli.run("repair", "photos", *NAMED, "-o", "json")
    applied = cli.run("repair", "photos", *NAMED, "--apply", "-o", "json")
    assert (shown.status, applied.status) == (4, 4), (shown, applied)
    for found in (shown.document, applied.document):
        assert (found["outcome"], found["reason"], found["would_change"]) == ("held", reason, False)
    assert "--apply makes the change" not in shown.out
    assert bucket.acls()["photos"] == "public-read"


@pytest.mark.parametrize("operation", ["GetBucketInfo", "PutBucketAcl"])
def test_a_missing_permission_is_status_three(operation: str, cli: Cli, bucket: Emulator, journal: Path) -> None:
    """As the table of every command has it; the action that has to be granted is named."""
    bucket.faults.add("error", operation, service="oss", status=403, code="AccessDenied")
    for options in ((), ("--apply",)) if operation == "GetBucketInfo" else (("--apply",),):
        result = cli.run("repair", "photos", *NAMED, *options)
        assert result.status == 3, result
        assert f"oss {operation}: AccessDenied" in " ".join(result.out.split())


def test_nothing_is_appended_to_a_file_that_is_no_journal(cli: Cli, bucket: Emulator, tmp_path: Path) -> None:
    """A configuration that is named by mistake, by the option or by the key, stays as it is."""
    before = cli.path.read_bytes()
    result = cli.run("repair", "photos", *NAMED, "--apply", "--journal", str(cli.path))
    assert result.status == 2, result
    assert f"--journal: {cli.path} cannot be written: it is no journal" in result.err
    assert cli.path.read_bytes() == before
    other = tmp_path / "notes.txt"
    other.write_text("by hand\n")
    cli.configure(more=f'\n[journal]\npath = "{other}"\n')
    for command in (("repair", "photos", *NAMED, "--apply"), ("run",)):
        assert (cli.run(*command).status, other.read_text()) == (2, "by hand\n")
    assert "it is no journal" in cli.run("check").out
    assert bucket.acls()["photos"] == "public-read"


def test_of_several_ids_the_first_that_is_the_rules_own_is_taken(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """A rule further up takes events of one of them; another one may be chosen."""
    first = (
        '\n[[rules]]\nname = "first"\nremediation = "oss.bucket-acl"\nmode = "enforce"\nconfig_rule_ids = ["cr-a"]\n'
    )
    several = RULES.replace('config_rule_ids = ["cr-read"]', 'config_rule_ids = ["cr-a", "cr-b", "cr-c"]')
    cli.configure(first + several, more=f'\n[journal]\npath = "{journal}"\n')
    shown = cli.run("repair", "photos", *NAMED)
    assert (shown.status, "cr-b, one of 3; --config-rule-id chooses another" in shown.out) == (1, True), shown
    chosen = cli.run("repair", "photos", *NAMED, "--config-rule-id", "cr-c", "-o", "json")
    assert chosen.document["config_rule_id"] == "cr-c"
    taken = cli.run("repair", "photos", *NAMED, "--config-rule-id", "cr-a")
    assert (taken.status, "rule first takes this resource" in taken.out) == (4, True)
    assert cli.run("repair", "photos", *NAMED, "--config-rule-id", "cr-z").status == 2


def test_whatever_the_user_is_called_stays_in_its_field(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """The environment says who is logged in: printable, and cut to size."""
    assert cli.run("repair", "photos", *NAMED, "--apply", LOGNAME="a\n\x1b[2J" + "b" * 100_000).status == 0
    who = str(entries(journal)[0]["who"]).partition("@")[0]
    assert who.startswith("a\\n\\u001b[2Jb")
    assert len(who) == 128


def test_nothing_named_is_nothing_repaired(cli: Cli, journal: Path) -> None:
    """As where a variable of a script is not set; however long a name is, what is said about it is not."""
    refused = cli.run("repair", "", *NAMED, "--apply")
    assert (refused.status, "RESOURCE is empty" in refused.err) == (2, True)
    long = cli.run("explain", "x" * 100_000, "--no-look", "-f", str(cli.path.with_name("none.jsonl")))
    assert long.status == 2
    assert len(long.err) < 500
    assert not journal.exists()
