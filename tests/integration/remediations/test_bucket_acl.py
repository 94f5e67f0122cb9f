"""Public ACLs: closed, read back, undone, and what is said about other ways in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.errors import PublicAccessBlocked
from consumer.core.outcome import Ending, Outcome
from tests.integration.conftest import Recorder
from tests.integration.remediations.cases import ACL, PARTNER_STATEMENT, PUBLIC_STATEMENT, policy
from tests.integration.remediations.workbench import BUCKET, Case, Workbench, repaired_and_undone

WRITE = Case(
    "oss.bucket-acl", {"acl": "public-read-write"}, "oss-bucket-public-write-prohibited", options={"drop": "write"}
)


@pytest.mark.parametrize("case", [ACL, replace(WRITE, options={})], ids=["read", "write"])
def test_a_public_bucket_becomes_private_and_public_again(bench: Workbench, case: Case) -> None:
    """Cloud Config turns to COMPLIANT, nothing more is to be said, and undo brings the ACL back."""
    ending = repaired_and_undone(bench, case)

    assert (ending.before, ending.after, ending.reason) == (case.broken["acl"], "private", "")


def test_the_rule_about_anonymous_grants_no_longer_applies_to_a_private_bucket(bench: Workbench) -> None:
    """Its page: a public ACL without a policy breaks the rule, so no repair of the policy alone satisfies it."""
    case = replace(ACL, rule="oss-bucket-anonymous-prohibited")
    bench.create(case)
    assert bench.verdict(case) == "NON_COMPLIANT"

    assert bench.repair(case).outcome is Outcome.FIXED
    assert bench.verdict(case) == "NOT_APPLICABLE"


def test_only_public_write_can_be_taken_away(bench: Workbench) -> None:
    """With `drop = "write"` a public site stays readable, and the ending says that it is still public."""
    ending = repaired_and_undone(bench, WRITE)

    assert (ending.after, ending.reason) == ("public-read", "still_public")
    assert ending.detail == "anyone can still reach the bucket by its ACL"


def test_an_open_bucket_that_the_rule_accepts_is_still_reported_to_be_open(bench: Workbench) -> None:
    """Compliant is said of the rule, never taken for closed; Block Public Access is asked before that is said."""
    case = replace(WRITE, broken={"acl": "public-read"})
    bench.emulator.create_buckets([BUCKET], **case.broken)

    ending = bench.repair(case)

    assert (ending.outcome, ending.reason) == (Outcome.ALREADY_COMPLIANT, "still_public")
    bench.emulator.change_bucket(BUCKET, public_access_block=True)
    blocked = bench.repair(case)
    assert blocked.reason == "public_but_blocked"
    assert blocked.detail == "its ACL would let anyone in if Block Public Access were switched off"


def test_a_policy_that_is_not_understood_is_not_called_open_or_closed(bench: Workbench) -> None:
    """The ending quotes what a person has to look at, and says when Block Public Access makes up for it."""
    bench.emulator.create_buckets([BUCKET], policy=policy({**PARTNER_STATEMENT, "Principal": ["alice"]}))

    unknown = bench.repair(ACL)

    assert (unknown.outcome, unknown.reason) == (Outcome.ALREADY_COMPLIANT, "exposure_unknown")
    assert unknown.detail == (
        "it cannot be known whether anyone can still reach the bucket: the bucket policy is not understood, so a person"
        " has to look: statement 1: Principal 'alice' is neither an id nor the ARN of a user or role"
    )
    bench.emulator.change_bucket(BUCKET, public_access_block=True)
    blocked = bench.repair(ACL)
    assert blocked.reason == "public_but_blocked"
    assert blocked.detail == (
        "its policy, which is not understood, may let anyone in if Block Public Access were switched off"
    )


def test_a_private_acl_that_is_found_takes_one_look_at_the_policy(bench: Workbench, recorder: Recorder) -> None:
    """Most deliveries end so: duplicates, and what somebody has repaired by hand; an option leaves the look out."""
    bench.emulator.create_buckets([BUCKET])

    for options, asked in (({}, ["GetBucketInfo", "GetBucketPolicy"]), ({"other_paths": False}, ["GetBucketInfo"])):
        recorder.calls.clear()
        ending = bench.repair(replace(ACL, options=options))
        assert (ending.outcome, ending.reason) == (Outcome.ALREADY_COMPLIANT, "")
        assert [call.operation for call in recorder.calls] == asked


@pytest.mark.parametrize("principal", ["*", [], None, ["1234*"]], ids=str)
def test_a_private_acl_that_is_found_is_not_taken_for_a_private_bucket(bench: Workbench, principal: object) -> None:
    """Whoever reads `already_compliant` takes the bucket for closed, unless the ending says by what it is open."""
    open_to_all = policy({**PUBLIC_STATEMENT, "Principal": principal})
    bench.emulator.create_buckets([BUCKET], policy=open_to_all)

    ending = bench.repair(ACL)

    assert (ending.outcome, ending.reason) == (Outcome.ALREADY_COMPLIANT, "still_public")
    assert "by its policy" in ending.detail


def test_a_policy_that_cannot_be_read_is_reported_of_a_private_acl_too(bench: Workbench) -> None:
    """The rule looks at the ACL, so it is compliant; that nobody gets in is not known."""
    bench.emulator.create_buckets([BUCKET])
    bench.emulator.faults.add("error", "GetBucketPolicy", status=403, code="AccessDenied")

    ending = bench.repair(ACL)

    assert (ending.outcome, ending.reason) == (Outcome.ALREADY_COMPLIANT, "exposure_unknown")
    could_not = "it could not be read whether anyone can still reach the bucket: oss GetBucketPolicy: AccessDenied: "
    assert ending.detail.startswith(could_not)


@pytest.mark.parametrize("principal", ["*", ["*"], [], None, [""], {}, ["**"], ["1234*"]], ids=str)
def test_a_bucket_that_stays_public_by_its_policy_is_reported_to_be_so(bench: Workbench, principal: object) -> None:
    """A private ACL is no private bucket, in whatever form the policy names everyone."""
    open_to_all = policy({**PUBLIC_STATEMENT, "Principal": principal})
    bench.create(replace(ACL, broken={"acl": "public-read", "policy": open_to_all}))

    ending = bench.repair(ACL)

    assert (ending.outcome, ending.reason) == (Outcome.FIXED, "still_public")
    assert "by its policy" in ending.detail


def test_a_public_policy_that_is_blocked_is_distinguished(bench: Workbench) -> None:
    """Block Public Access closes the other path too, and the ending names what it hides."""
    broken = {"acl": "public-read", "policy": policy(PUBLIC_STATEMENT), "public_access_block": True}
    bench.create(replace(ACL, broken=broken))

    ending = bench.repair(ACL)

    assert (ending.outcome, ending.reason) == (Outcome.FIXED, "public_but_blocked")


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({}, ["GetBucketInfo", "PutBucketAcl", "GetBucketInfo", "GetBucketPolicy"]),
        ({"other_paths": False}, ["GetBucketInfo", "PutBucketAcl", "GetBucketInfo"]),
    ],
)
def test_the_look_for_other_paths_takes_one_request_and_can_be_left_out(
    bench: Workbench, recorder: Recorder, options: dict[str, bool], asked: list[str]
) -> None:
    """Whether public access is blocked is only asked where there is something to block."""
    bench.create(ACL)
    if options:
        bench.emulator.change_bucket(BUCKET, policy=policy(PUBLIC_STATEMENT))

    ending = bench.repair(replace(ACL, options=options))

    assert (ending.outcome, ending.reason) == (Outcome.FIXED, "")
    assert [call.operation for call in recorder.calls] == asked


def test_not_being_allowed_to_look_does_not_undo_the_repair(bench: Workbench) -> None:
    """Without oss:GetBucketPolicy the bucket is repaired all the same, and the ending says what is not known."""
    bench.create(ACL)
    bench.emulator.faults.add("error", "GetBucketPolicy", status=403, code="AccessDenied")

    ending = bench.repair(ACL)

    assert (ending.outcome, ending.reason) == (Outcome.FIXED, "exposure_unknown")
    assert bench.settings()["acl"] == "private"


def test_an_acl_that_was_closed_meanwhile_is_not_opened_again(bench: Workbench) -> None:
    """Taking only write away must never turn somebody's new private ACL into public read."""
    bench.create(WRITE)

    ending = bench.repair(WRITE, meanwhile=lambda: bench.emulator.change_bucket(BUCKET, acl="private"))

    assert (ending.outcome, ending.reason) == (Outcome.FAILED, "changed_meanwhile")
    text = "planned on public-read-write, but the ACL is private now"
    assert ending.detail == f"oss oss.bucket-acl: changed_meanwhile: {text}"
    assert bench.settings()["acl"] == "private"


def test_undo_is_refused_while_public_access_is_blocked(bench: Workbench) -> None:
    """The service does not let a bucket be opened under Block Public Access, and says so in its own words."""
    bench.create(ACL)
    ending = bench.repair(ACL)
    bench.emulator.change_bucket(BUCKET, public_access_block=True)

    with pytest.raises(PublicAccessBlocked, match="Put public bucket acl is not allowed"):
        bench.undo(ACL, ending)


def test_an_accidentally_created_bucket_is_taken_back(bench: Workbench) -> None:
    """PutBucketAcl creates a missing bucket: what was deleted meanwhile does not come back."""
    bench.create(ACL)
    bench.emulator.advance(2)  # moments of creation are whole seconds

    ending = bench.repair(ACL, meanwhile=lambda: bench.emulator.delete_bucket(BUCKET))

    text = "the bucket was deleted meanwhile; the empty new one was removed"
    assert ending == Ending(Outcome.GONE, "taken_back", text)
    assert bench.emulator.acls() == {}


def test_an_accidentally_created_bucket_that_may_not_be_deleted_is_named(bench: Workbench) -> None:
    """Without the permission for it the empty bucket stays, and a person has to know that it is there, and why."""
    bench.create(ACL)
    bench.emulator.advance(2)  # moments of creation are whole seconds
    bench.emulator.faults.add("error", "DeleteBucket", status=403, code="AccessDenied", message="Not granted.")

    ending = bench.repair(ACL, meanwhile=lambda: bench.emulator.delete_bucket(BUCKET))

    assert (ending.outcome, ending.reason) == (Outcome.GONE, "created_by_accident")
    left = "an empty bucket was left behind: oss DeleteBucket: AccessDenied: Not granted. (request "
    assert ending.detail.startswith(left)
    assert bench.emulator.acls() == {BUCKET: "private"}


def test_what_block_public_access_would_refuse_is_known_beforehand(bench: Workbench) -> None:
    """A proof makes no bucket public under it; where it may not be read, trying shows as much."""
    repair = ACL.build()
    bench.create(ACL)
    assert repair.unbreakable(bench.bucket()) == ""
    bench.emulator.change_bucket(BUCKET, public_access_block=True)
    assert repair.unbreakable(bench.bucket()) == "Block Public Access is on"
    bench.emulator.faults.add("error", "GetBucketPublicAccessBlock", status=403, code="AccessDenied")
    assert repair.unbreakable(bench.bucket()) == ""
