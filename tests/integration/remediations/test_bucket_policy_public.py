"""Policies that let everyone in: only those grants go, and what is refused stays explained."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from consumer.core.errors import PublicAccessBlocked
from consumer.core.outcome import Outcome
from tests.integration.remediations.cases import DENY_STATEMENT, PARTNER_STATEMENT, POLICY, PUBLIC_STATEMENT, policy
from tests.integration.remediations.workbench import BUCKET, Workbench, repaired_and_undone

RESTRICTED_STATEMENT = {**PUBLIC_STATEMENT, "Condition": {"IpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}}}


def statements(bench: Workbench) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(bench.settings()["policy"])["Statement"]
    return found


def test_only_the_grant_to_everyone_goes(bench: Workbench) -> None:
    """The partner keeps its grant, Deny statements to everyone stay, and undo brings back the whole policy."""
    ending = repaired_and_undone(bench, POLICY)

    assert json.loads(ending.after)["Statement"] == [PARTNER_STATEMENT, DENY_STATEMENT]
    assert ending.reason == ""


def test_a_policy_of_nothing_else_is_deleted(bench: Workbench) -> None:
    """The service takes no policy without statements, so the policy goes; undo puts it back."""
    case = replace(POLICY, broken={"policy": policy(PUBLIC_STATEMENT)})

    ending = repaired_and_undone(bench, case)

    assert ending.after == "null"


def test_a_public_acl_beside_the_policy_is_reported_to_be_open(bench: Workbench) -> None:
    """The ACL is another repair's matter, but the bucket is not called closed."""
    case = replace(POLICY, broken={"acl": "public-read", "policy": policy(PUBLIC_STATEMENT)})

    ending = repaired_and_undone(bench, case)

    assert ending.reason == "still_public"
    assert "by its ACL" in ending.detail


def test_a_decent_policy_beside_a_public_acl_is_reported_to_be_open(bench: Workbench) -> None:
    """Compliant with the rule about policies, and open all the same."""
    bench.emulator.create_buckets([BUCKET], acl="public-read", policy=policy(PARTNER_STATEMENT))

    ending = bench.repair(POLICY)

    assert (ending.outcome, ending.reason) == (Outcome.ALREADY_COMPLIANT, "still_public")


def test_a_restricted_grant_can_be_kept(bench: Workbench) -> None:
    """With `keep_restricted` a grant to one network stays, and the bucket does not count as public."""
    case = replace(POLICY, broken={"policy": policy(RESTRICTED_STATEMENT)}, options={"keep_restricted": True})
    bench.create(case)

    assert bench.repair(case).outcome is Outcome.ALREADY_COMPLIANT
    assert statements(bench) == [RESTRICTED_STATEMENT]


def test_everyone_can_be_narrowed_to_somebody(bench: Workbench) -> None:
    """With `narrow_to` the statement stays and names an account instead."""
    case = replace(POLICY, broken={"policy": policy(PUBLIC_STATEMENT)}, options={"narrow_to": ["1111111111111111"]})

    repaired_and_undone(bench, case)

    assert bench.repair(case).outcome is Outcome.FIXED
    assert statements(bench) == [{**PUBLIC_STATEMENT, "Principal": ["1111111111111111"]}]


def test_statements_added_meanwhile_are_not_lost(bench: Workbench) -> None:
    """A policy that somebody changes between the look and the write stays as they made it, for the next delivery."""
    bench.create(POLICY)
    theirs = policy(PUBLIC_STATEMENT, {**PARTNER_STATEMENT, "Principal": ["3333333333333333"]})

    ending = bench.repair(POLICY, meanwhile=lambda: bench.emulator.change_bucket(BUCKET, policy=theirs))

    assert (ending.outcome, ending.reason) == (Outcome.FAILED, "changed_meanwhile")
    assert bench.settings()["policy"] == theirs
    assert bench.repair(POLICY).outcome is Outcome.FIXED
    assert [statement["Principal"] for statement in statements(bench)] == [["3333333333333333"]]


def test_undo_is_refused_while_public_access_is_blocked(bench: Workbench) -> None:
    """Putting a public policy back under Block Public Access is refused as such, not as a missing permission."""
    bench.create(POLICY)
    ending = bench.repair(POLICY)
    bench.emulator.change_bucket(BUCKET, public_access_block=True)

    with pytest.raises(PublicAccessBlocked):
        bench.undo(POLICY, ending)


def test_a_damaged_policy_is_not_taken_for_one(bench: Workbench) -> None:
    """Half a policy is read again; nothing is ever planned on it."""
    bench.create(POLICY)
    fault = bench.emulator.faults.add("damaged_xml", "GetBucketPolicy", count=1)

    assert bench.repair(POLICY).outcome is Outcome.FIXED
    assert bench.emulator.faults.struck()[fault] == 1
