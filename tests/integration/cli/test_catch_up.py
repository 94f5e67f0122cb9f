"""`catch-up`: what the evaluator lists and no event came for, through the command line, against the emulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.catching_up import LIST, broken, decisions, emptied, sent, settings
from tests.integration.cli.conftest import ENFORCE, RULES, Cli
from tests.integration.conftest import QUEUE
from tests.integration.queues import dead_letters, is_empty, messages
from tests.patience import PATIENCE_SECONDS

pytest.importorskip("alibabacloud_config20200907")

AGGREGATOR, MEMBER = "ca-emulated000000000000", "2222222222222222"


def test_it_lists_what_no_event_came_for_and_sends_nothing(missed: Cli, emulator: Emulator) -> None:
    """Without --apply the queue stays as it is."""
    found = missed.json("catch-up")
    assert decisions(found) == {"lost-a": "send", "lost-b": "send", "lost-c": "send"}
    assert (found["complete"], found["applied"], found["listed"], found["to_send"], found["sent"]) == (
        True,
        False,
        3,
        3,
        0,
    )
    first = found["resources"][0]
    assert (first["rule"], first["mode"], first["config_rule_id"], first["event"]) == (
        "public-read",
        "enforce",
        "cr-read",
        "unknown",
    )
    assert is_empty(emulator)


def test_what_it_sends_is_the_evaluators_own_event(missed: Cli, emulator: Emulator) -> None:
    """All that the notification would have said, from the first evaluation on, and who brought it."""
    emulator.config.publish(bucket="lost-a", rule="cr-read")
    (notified,) = sent(emulator)
    result = missed.json("catch-up", "--apply", "--rule", "public-read")
    assert result["sent"] == 2, "lost-a is seen waiting"
    brought = next(each for each in sent(emulator) if each.resource_id == "lost-b")
    same = ("config_rule_id", "config_rule_name", "resource_type", "region", "account_id", "risk_level")
    assert [getattr(brought, name) for name in same] == [getattr(notified, name) for name in same]
    assert (brought.caught_up, notified.caught_up) == (True, False)
    listed = next(each for each in result["resources"] if each["resource"] == "lost-b")
    assert brought.evaluated_at_ms == listed["since_ms"]
    assert brought.request_id.startswith("catch-up-")
    assert brought.source_identifier == "oss-bucket-public-read-prohibited"


def test_exposure_counts_from_the_first_evaluation(missed: Cli, emulator: Emulator) -> None:
    """A later evaluation that finds the same does not make a violation younger."""
    began = {each["resource"]: each["since_ms"] for each in missed.json("catch-up")["resources"]}
    emulator.config.set_channel(topic=None)
    emulator.advance(7200)
    emulator.config.evaluate()
    emulator.reset("clock")
    later = missed.json("catch-up")["resources"]
    assert {each["resource"]: each["since_ms"] for each in later} == began
    assert all(each["evaluated_at_ms"] - each["since_ms"] >= 7_000_000 for each in later)


def test_the_worker_repairs_what_was_sent(missed: Cli, emulator: Emulator) -> None:
    """Through its own guards; a second run finds nothing more, and nothing is repaired twice."""
    assert missed.json("catch-up", "--apply")["sent"] == 3
    worker = missed.start("run")
    try:
        eventually(lambda: set(emulator.acls().values()) == {"private"} and is_empty(emulator))
        assert missed.json("catch-up", "--apply")["resources"] == []
        eventually(lambda: is_empty(emulator))
    finally:
        worker.terminate()
        out, err = worker.communicate(timeout=PATIENCE_SECONDS)
    assert len(emulator.journal(operation="PutBucketAcl")) == 3
    assert dead_letters(emulator) == []
    assert "Traceback" not in out + err


def test_what_was_sent_is_not_sent_again(missed: Cli, emulator: Emulator, tmp_path: Path) -> None:
    """The state file names it, until the violation is over and another one begins."""
    state = ("--state", str(tmp_path / "sent"))
    assert missed.json("catch-up", "--apply", *state)["sent"] == 3
    emptied(emulator)
    again = missed.json("catch-up", "--apply", *state)
    assert set(decisions(again).values()) == {"sent_before"}
    assert {each["event"] for each in again["resources"]} == {"sent"}
    emulator.config.set_channel(topic=None)
    emulator.change_bucket("lost-a", acl="private")
    eventually(lambda: "lost-a" not in decisions(missed.json("catch-up")))
    emulator.change_bucket("lost-a", acl="public-read")
    eventually(lambda: "lost-a" in decisions(missed.json("catch-up")))
    assert decisions(missed.json("catch-up", *state))["lost-a"] == "send"


def test_what_was_sent_to_an_observing_rule_is_sent_again_once_it_enforces(
    cli: Cli, emulator: Emulator, tmp_path: Path
) -> None:
    """The first was settled without a repair, so remembering it must not keep the second back."""
    state = ("--state", str(tmp_path / "sent"))
    emulator.config.set_channel(topic=None)
    broken(emulator, "old")
    observing = ENFORCE.replace('mode = "enforce"', 'mode = "observe"\nobserved = "delete"')
    cli.configure(rules=observing, more=settings(emulator))
    assert cli.json("catch-up", "--apply", *state)["sent"] == 1
    emptied(emulator)
    assert decisions(cli.json("catch-up", *state)) == {"old": "sent_before"}

    cli.configure(rules=ENFORCE, more=settings(emulator))
    assert cli.json("catch-up", "--apply", *state)["sent"] == 1
    emptied(emulator)
    assert decisions(cli.json("catch-up", *state)) == {"old": "sent_before"}


def test_what_waits_or_was_given_up_is_not_sent(missed: Cli, emulator: Emulator) -> None:
    """As far as sixteen visible messages tell."""
    emulator.config.publish(bucket="lost-a", rule="cr-read")
    found = missed.json("catch-up")
    assert decisions(found) == {"lost-a": "waiting", "lost-b": "send", "lost-c": "send"}
    assert found["resources"][0]["event"] == "waiting"


def test_young_ones_are_left_to_their_own_event(missed: Cli, emulator: Emulator) -> None:
    """For so long their notification may still come."""
    missed.configure(rules=ENFORCE, more=settings(emulator, min_age_seconds=900))
    assert set(decisions(missed.json("catch-up")).values()) == {"too_young"}


def test_a_rule_that_keeps_what_it_observes_gets_no_copies(cli: Cli, emulator: Emulator) -> None:
    """Unless a person asks for it, or the rule settles what it reports."""
    emulator.config.set_channel(topic=None)
    broken(emulator, "watched", acl="public-read-write")
    observing = RULES.replace('mode = "enforce"', 'mode = "observe"')
    cli.configure(rules=observing, more=settings(emulator))
    assert set(decisions(cli.json("catch-up")).values()) == {"observed"}
    assert cli.json("catch-up", "--include-observing")["to_send"] == 2
    cli.configure(rules=observing.replace("[[rules]]", '[[rules]]\nobserved = "delete"'), more=settings(emulator))
    assert cli.json("catch-up")["to_send"] == 2


def test_limit_and_filters(missed: Cli, emulator: Emulator) -> None:
    """The longest-standing come first; a filter leaves the rest to another run."""
    found = missed.json("catch-up", "--limit", "1", "--apply")
    assert sorted(decisions(found).values()) == ["over_limit", "over_limit", "send"]
    assert len(messages(emulator, QUEUE)) == 1, "and no word of a complete run"
    assert set(decisions(missed.json("catch-up", "--region", "cn-beijing")).values()) == {"filtered"}
    assert set(decisions(missed.json("catch-up", "--account", MEMBER)).values()) == {"filtered"}
    refused = missed.run("catch-up", "--rule", "no-such")
    assert (refused.status, "there are public-read, public-write" in refused.err) == (2, True)


def test_more_than_a_thousand(cli: Cli, emulator: Emulator) -> None:
    """Page by page, every one once, through a service that asks for fewer requests now and then."""
    emulator.config.set_channel(topic=None)
    emulator.create_buckets(count=1_050, acl="public-read")
    eventually(lambda: len(emulator.non_compliant()) == 1_050)
    emulator.faults.add("error", LIST, status=400, code="Throttling.User", count=3)
    cli.configure(rules=ENFORCE, more=settings(emulator))
    emulator.journal_reads(True)
    try:
        found = cli.json("catch-up")
    finally:
        emulator.journal_reads(False)
    assert (found["complete"], found["to_send"]) == (True, 1_050)
    assert len(decisions(found)) == 1_050
    assert len(emulator.journal(operation=LIST)) == 11 + 1


def test_rules_by_name_and_identifier(missed: Cli, emulator: Emulator) -> None:
    """Which of the evaluator's rules are meant is found in its list of rules."""
    by_name = ENFORCE.replace('config_rule_ids = ["cr-read"]', 'rule_names = ["OSS*公共读"]')
    by_both = by_name.replace('config_rule_ids = ["cr-write"]', 'source_identifiers = ["oss-bucket-public-write-*"]')
    missed.configure(rules=by_both, more=settings(emulator))
    result = missed.run("catch-up", "-o", "json")
    found = result.document
    assert [each["config_rule_id"] for each in found["rules"]] == ["cr-read"]
    assert found["to_send"] == 3
    assert (result.status, found["unmatched_rules"]) == (3, ["public-write"]), "an identifier is no pattern"
    by_identifier = ENFORCE.replace(
        'config_rule_ids = ["cr-read"]', 'source_identifiers = ["oss-bucket-public-read-prohibited"]'
    )
    missed.configure(rules=by_identifier, more=settings(emulator))
    assert missed.json("catch-up", "--apply")["sent"] == 3
    assert {each.source_identifier for each in sent(emulator)} == {"oss-bucket-public-read-prohibited"}


def test_an_id_that_nobody_knows_is_reported(missed: Cli, emulator: Emulator) -> None:
    """What that rule would list is unknown, so the list is not complete, and the rest is still shown."""
    missed.configure(rules=ENFORCE.replace("cr-write", "cr-nobody"), more=settings(emulator))
    result = missed.run("catch-up")
    assert result.status == 3
    assert "Cloud Config has no rule that public-write takes, so nothing is listed for it." in result.out
    assert "3 would be sent" in result.out


def test_members_through_an_account_group(cli: Cli, emulator: Emulator) -> None:
    """A member's bucket is listed by the group, and sent only if its account is allowed."""
    emulator.config.set_channel(topic=None)
    broken(emulator, "own")
    broken(emulator, "theirs", owner_id=MEMBER, region="cn-beijing")
    group = f'aggregator_id = "{AGGREGATOR}"\n'
    cli.configure(rules=ENFORCE, more=settings(emulator))
    assert decisions(cli.json("catch-up")) == {"own": "send"}
    cli.configure(rules=ENFORCE, more=settings(emulator, more=group))
    assert decisions(cli.json("catch-up")) == {"own": "send", "theirs": "not_taken"}
    allowed = f'\n[accounts]\nallowed = ["{MEMBER}"]\nrole_name = "remediator"\n'
    cli.configure(rules=ENFORCE, more=settings(emulator, more=group) + allowed)
    found = cli.json("catch-up", "--apply", "--account", MEMBER)
    assert (decisions(found), found["sent"]) == ({"theirs": "send"}, 1)
    assert [(each.account_id, each.region) for each in sent(emulator)] == [(MEMBER, "cn-beijing")]


def test_an_evaluation_is_requested_instead(missed: Cli, emulator: Emulator) -> None:
    """The evaluator reports again by itself what it then finds."""
    found = missed.json("catch-up", "--request-evaluation")
    assert [(each["config_rule_id"], each["requested"]) for each in found["rules"]] == [
        ("cr-read", True),
        ("cr-write", True),
    ]
    eventually(lambda: {each.resource_id for each in sent(emulator)} == {"lost-a", "lost-b", "lost-c"})
    assert missed.run("catch-up", "--request-evaluation", "--apply").status == 2
    for narrowed in (("--region", "cn-hangzhou"), ("--account", MEMBER), ("--limit", "1")):
        refused = missed.run("catch-up", "--request-evaluation", *narrowed)
        assert (refused.status, "whole rules" in refused.err) == (2, True)


@pytest.mark.parametrize("rate", ["nan", "0", "1e-300", "inf"])
def test_a_rate_that_is_none_is_refused(missed: Cli, emulator: Emulator, rate: str) -> None:
    """Before anything is sent."""
    assert missed.run("catch-up", "--apply", "--rate", rate).status == 2
    assert is_empty(emulator)


def test_any_kind_of_resource(cli: Cli, emulator: Emulator) -> None:
    """What the evaluator lists by its own id is sent by that id, whatever it is."""
    emulator.config.set_channel(topic=None)
    emulator.config.add_rule("sg-risky-ports-check", rule_id="cr-groups")
    (group,) = emulator.create_security_groups(
        ["sg-open0000000000000001"],
        permissions=[{"port_range": "22/22", "source_cidr_ip": "0.0.0.0/0"}],
    )
    emulator.config.evaluate()
    assert emulator.non_compliant() == [group]
    cli.configure(rules=GROUPS, more=settings(emulator))
    found = cli.json("catch-up", "--apply")
    assert (decisions(found), found["resources"][0]["resource_type"]) == ({group: "send"}, "ACS::ECS::SecurityGroup")
    assert [(each.resource_type, each.resource_id) for each in sent(emulator)] == [("ACS::ECS::SecurityGroup", group)]


GROUPS = """
[[rules]]
name = "open-groups"
remediation = "ecs.revoke-public-ingress"
mode = "enforce"
config_rule_ids = ["cr-groups"]
"""
