"""Policies the service does not take again, and policies nobody can read: a person hears exactly what to do."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from consumer.core.outcome import Outcome
from consumer.resources.oss.errors import SourceIpNeedsVpc
from tests.integration.remediations.cases import (
    ACL,
    DENY_STATEMENT,
    HTTPS,
    PARTNER_STATEMENT,
    POLICY,
    PUBLIC_STATEMENT,
    policy,
)
from tests.integration.remediations.workbench import BUCKET, Workbench

ADDRESSES = {"IpAddress": {"acs:SourceIp": ["203.0.113.0/24"]}}
PARTNER_BY_ADDRESS = {**PARTNER_STATEMENT, "Condition": ADDRESSES}
PUBLIC_BY_ADDRESS = {**PUBLIC_STATEMENT, "Condition": {"IpAddress": {"acs:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}}
statuses = pytest.mark.parametrize("status", [400, 403])


def advice(where: str, until_then: str = "") -> str:
    """What a person is told to change, but for the request id at its end."""
    return (
        "oss PutBucketPolicy: source_ip_without_vpc: OSS takes no policy that has acs:SourceIp without acs:SourceVpc in"
        " a statement, also where only another statement is changed. Add acs:SourceVpc to the condition in"
        f" {where} (StringNotLike 'vpc-*' for public addresses, StringEquals with the id of the VPC for private ones),"
        f" or take acs:SourceIp or the statement out{until_then}"
    )


def without_request(detail: str) -> str:
    """The sentence without the request id, which is another one each time."""
    return detail.rpartition(" (request ")[0]


@statuses
def test_the_offending_statement_goes_without_being_sent_again(bench: Workbench, status: int) -> None:
    """EC 0030-00000008 is about what is written: a public statement with addresses is not part of that any more."""
    bench.emulator.set_options(oss_source_ip_refusal=status)
    bench.create(replace(POLICY, broken={"policy": policy(PUBLIC_BY_ADDRESS, PARTNER_STATEMENT, DENY_STATEMENT)}))

    ending = bench.repair(POLICY)

    assert (ending.outcome, ending.reason) == (Outcome.FIXED, "")
    assert json.loads(bench.settings()["policy"])["Statement"] == [PARTNER_STATEMENT, DENY_STATEMENT]


@statuses
def test_a_policy_of_nothing_else_is_deleted_and_not_written(bench: Workbench, status: int) -> None:
    """DeleteBucketPolicy is never refused for it; also where somebody was to take everyone's place."""
    bench.emulator.set_options(oss_source_ip_refusal=status)
    case = replace(POLICY, broken={"policy": policy(PUBLIC_BY_ADDRESS)}, options={"narrow_to": ["1111111111111111"]})
    bench.create(case)

    assert bench.repair(case).outcome is Outcome.FIXED
    assert bench.settings()["policy"] is None


@statuses
def test_a_statement_that_has_to_stay_is_named_for_a_person(bench: Workbench, status: int) -> None:
    """A partner's grant is not taken away to close another one, and a Deny is not weakened: the ending says how."""
    bench.emulator.set_options(oss_source_ip_refusal=status)
    found = policy(PUBLIC_STATEMENT, PARTNER_BY_ADDRESS, DENY_STATEMENT)
    bench.create(replace(POLICY, broken={"policy": found}))

    ending = bench.repair(POLICY)

    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "source_ip_without_vpc")
    assert ending.error_class == "SourceIpNeedsVpc"
    until_then = ". Until then statement 1 lets everyone in"
    assert without_request(ending.detail) == advice("statement 2 of the policy", until_then)
    assert bench.settings()["policy"] == found


def test_every_statement_that_has_to_be_changed_is_named(bench: Workbench) -> None:
    """By its number in the policy as it is, and so is every one that lets everyone in meanwhile."""
    bench.emulator.set_options(oss_source_ip_refusal=403)
    other = {**PARTNER_BY_ADDRESS, "Principal": ["3333333333333333"]}
    found = policy(PUBLIC_STATEMENT, PARTNER_BY_ADDRESS, {**PUBLIC_STATEMENT, "Principal": "*"}, DENY_STATEMENT, other)
    bench.create(replace(POLICY, broken={"policy": found}))

    ending = bench.repair(POLICY)

    until_then = ". Until then statement 1, 3 lets everyone in"
    assert without_request(ending.detail) == advice("statement 2, 5 of the policy", until_then)


def test_a_refusal_that_no_statement_explains_is_passed_on_as_well(bench: Workbench) -> None:
    """Nothing in what is written has the condition as we read it: the advice names no number that is not there."""
    bench.create(replace(HTTPS, broken={}))
    message = "A condition on acs:SourceIp needs one on acs:SourceVpc as well."
    bench.emulator.faults.add("error", "PutBucketPolicy", status=400, code="InvalidPolicyDocument", message=message)

    ending = bench.repair(HTTPS)

    assert without_request(ending.detail) == advice("the statement that has it")


@statuses
def test_after_what_the_ending_says_the_repair_goes_through(bench: Workbench, status: int) -> None:
    """The service's own advice, followed by a person, is enough."""
    bench.emulator.set_options(oss_source_ip_refusal=status)
    bench.create(replace(POLICY, broken={"policy": policy(PUBLIC_STATEMENT, PARTNER_BY_ADDRESS)}))
    assert bench.repair(POLICY).outcome is Outcome.REJECTED
    advised = {**PARTNER_STATEMENT, "Condition": {**ADDRESSES, "StringNotLike": {"acs:SourceVpc": "vpc-*"}}}

    bench.emulator.change_bucket(BUCKET, policy=policy(PUBLIC_STATEMENT, advised))

    assert bench.repair(POLICY).outcome is Outcome.FIXED
    assert json.loads(bench.settings()["policy"])["Statement"] == [advised]


@statuses
def test_adding_a_denial_is_refused_in_the_same_way(bench: Workbench, status: int) -> None:
    """The added statement is fine; an old one beside it is not."""
    bench.emulator.set_options(oss_source_ip_refusal=status)
    bench.create(replace(HTTPS, broken={"policy": policy(PARTNER_BY_ADDRESS)}))

    ending = bench.repair(HTTPS)

    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "source_ip_without_vpc")
    assert without_request(ending.detail) == advice("statement 1 of the policy")


@statuses
@pytest.mark.parametrize("left", [[PARTNER_STATEMENT], []], ids=["some", "none"])
def test_undo_is_refused_with_the_same_words(bench: Workbench, status: int, left: list[object]) -> None:
    """What the service took once it may not take again; the policy that is there now is not what has to be changed."""
    bench.create(replace(POLICY, broken={"policy": policy(PUBLIC_BY_ADDRESS, *left)}))
    ending = bench.repair(POLICY)
    bench.emulator.set_options(oss_source_ip_refusal=status)

    with pytest.raises(SourceIpNeedsVpc) as refused:
        bench.undo(POLICY, ending)
    assert without_request(str(refused.value)) == advice("the policy that is to be put back")


def test_an_undo_names_the_statement_that_is_still_there(bench: Workbench) -> None:
    """The service took it once beside the new one, and may not take it again without."""
    case = replace(HTTPS, broken={"policy": policy(PARTNER_STATEMENT, PARTNER_BY_ADDRESS)})
    bench.create(case)
    ending = bench.repair(case)
    bench.emulator.set_options(oss_source_ip_refusal=403)

    with pytest.raises(SourceIpNeedsVpc) as refused:
        bench.undo(case, ending)
    assert without_request(str(refused.value)) == advice("statement 2 of the policy")


@pytest.mark.parametrize("principal", [[], None, [""], {}, ["**"], ["1234*"], ["arn:sts::*:assumed-role/*/*"], [1]])
def test_everyone_in_any_form_is_taken_out(bench: Workbench, principal: object) -> None:
    """None of them ends as already compliant."""
    bench.create(replace(POLICY, broken={"policy": policy({**PUBLIC_STATEMENT, "Principal": principal})}))

    assert bench.repair(POLICY).outcome is Outcome.FIXED
    assert bench.settings()["policy"] is None


not_understood = pytest.mark.parametrize(
    "found",
    [
        policy({**PARTNER_STATEMENT, "Effect": "allow"}),
        policy({**PUBLIC_STATEMENT, "Effect": "allow"}),
        json.dumps({"Version": "1", "Statement": PARTNER_STATEMENT}),
        json.dumps({"version": "1", "statement": [PUBLIC_STATEMENT]}),
        policy({**PARTNER_STATEMENT, "principal": ["*"]}),
        '{"Version":"1","Statement":[{"Effect":"Deny","Effect":"Allow","Principal":["*"],"Action":"*","Resource":"*"}]}',
        '{"Version":"1","Statement":[],"Statement":[]}',
        "\ufeff" + policy(PUBLIC_STATEMENT),
        '{"Version":"1","Statement":[' + "[" * 500 + "]" * 500 + "]}",
        '{"Version":"1","Statement":[' + "[" * 100_000 + "]" * 100_000 + "]}",
        policy(PUBLIC_STATEMENT).replace('"1"', "9" * 5000),
        "{}",
    ],
    ids=lambda found: found[:60],
)


@not_understood
def test_what_is_not_understood_goes_to_a_person_untouched(bench: Workbench, found: str) -> None:
    """It is not rewritten from a guess, and never called compliant."""
    bench.create(replace(POLICY, broken={"policy": found}))

    ending = bench.repair(POLICY)

    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "policy_not_understood")
    assert bench.settings()["policy"] == found


def test_what_is_public_goes_and_the_rest_is_left_to_a_person(bench: Workbench) -> None:
    """Closed as far as it can be told, never called compliant, and undone exactly if a person wants it back."""
    unknown = {**PARTNER_STATEMENT, "Principal": ["alice"]}
    found = policy(PUBLIC_STATEMENT, unknown)
    bench.create(replace(POLICY, broken={"policy": found}))

    ending = bench.repair(POLICY)

    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "policy_not_understood")
    assert (ending.before, ending.after) == (found, policy(unknown))
    assert ending.detail == (
        "the bucket policy is not understood, so a person has to look: statement 1: Principal 'alice' is neither an id"
        " nor the ARN of a user or role"
    )
    assert bench.settings()["policy"] == policy(unknown)
    changed = bench.changes()
    assert bench.repair(POLICY).outcome is Outcome.REJECTED
    assert bench.changes() == changed, "a second delivery changes nothing"
    bench.undo(POLICY, ending)
    assert bench.settings()["policy"] == found


@not_understood
def test_another_repair_does_not_call_it_closed(bench: Workbench, found: str) -> None:
    """After the ACL was made private it is said that the policy may still let anyone in."""
    bench.emulator.create_buckets([BUCKET], acl="public-read", policy=found)

    ending = bench.repair(ACL)

    assert (ending.outcome, ending.reason) == (Outcome.FIXED, "exposure_unknown")
    assert "not understood" in ending.detail


def test_no_policy_is_recognised_by_its_own_code_only(bench: Workbench) -> None:
    """Another "NoSuch…" is not the absence of a policy: nothing is known, and that is no compliance."""
    bench.create(POLICY)
    bench.emulator.faults.add("error", "GetBucketPolicy", status=404, code="NoSuchKey")

    assert bench.repair(POLICY).outcome is Outcome.REJECTED
