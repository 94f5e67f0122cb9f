"""What is left of a policy without its grants to everyone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from consumer.core.outcome import Outcome
from consumer.remediations.base import Change, Compliant, ReportOnly
from consumer.remediations.oss._policy import PolicyState
from consumer.resources.oss.policy import admits_everyone
from consumer.resources.oss.policy_document import canonical
from tests import policies
from tests.unit.remediations.findings import planned, remediation

EVERYONE = {"Effect": "Allow", "Action": "oss:GetObject", "Principal": "*", "Resource": "acs:oss:*:*:photos/*"}
NETWORK = {**EVERYONE, "Condition": {"StringEquals": {"acs:SourceVpc": ["vpc-1"]}}}
PARTNER = {**EVERYONE, "Principal": ["1111111111111111"]}
DENY = {**EVERYONE, "Effect": "Deny"}


def state(*statements: object) -> PolicyState:
    text = json.dumps({"Version": "1", "Statement": list(statements)}, sort_keys=True, separators=(",", ":"))
    return PolicyState("photos", "1234567890123456", text)


def left(repair: Any, *statements: object) -> Any:
    document = planned(repair, state(*statements))
    return None if document is None else document["Statement"]


def test_only_grants_to_everyone_go() -> None:
    """Grants to accounts and Deny statements to everyone stay, in their order."""
    repair = remediation("oss.bucket-policy-public")

    assert left(repair, PARTNER, EVERYONE, DENY, NETWORK) == [PARTNER, DENY]


@pytest.mark.parametrize("principal", ["*", ["*"], {"RAM": ["*"]}], ids=["text", "list", "object"])
def test_everyone_is_recognised_in_every_form(principal: object) -> None:
    """Whatever way a principal is written; by NotPrincipal, which names nearly everyone; and by naming nobody."""
    repair = remediation("oss.bucket-policy-public")
    others = {key: value for key, value in EVERYONE.items() if key != "Principal"}

    assert left(repair, {**EVERYONE, "Principal": principal}, DENY) == [DENY]
    assert left(repair, {**others, "NotPrincipal": ["1111111111111111"]}, DENY) == [DENY]
    assert left(repair, others, DENY) == [DENY]


def test_others_in_the_same_statement_keep_their_grant() -> None:
    """A statement is narrowed rather than dropped when somebody else is in it."""
    repair = remediation("oss.bucket-policy-public")

    assert left(repair, {**EVERYONE, "Principal": ["*", "1111111111111111"]}) == [PARTNER]


def test_a_policy_of_nothing_else_goes_as_a_whole() -> None:
    """`null` stands for no policy."""
    public = state(EVERYONE)

    assert remediation("oss.bucket-policy-public").plan(public) == Change(str(public.policy), "null")


def test_restricted_grants_can_be_kept_and_everyone_narrowed() -> None:
    """Both options leave a statement where the default takes it out."""
    assert left(remediation("oss.bucket-policy-public", keep_restricted=True), NETWORK, EVERYONE) == [NETWORK]
    narrowing = remediation("oss.bucket-policy-public", narrow_to=["1111111111111111"])
    assert left(narrowing, EVERYONE) == [PARTNER]


@pytest.mark.parametrize("policy", [None, state(PARTNER, DENY).policy])
def test_what_grants_nothing_to_everyone_is_left_alone(policy: str | None) -> None:
    """No policy, and one that names whom it lets in."""
    repair = remediation("oss.bucket-policy-public")

    assert planned(repair, PolicyState("photos", "1", policy)) is None


@pytest.mark.parametrize(
    "policy",
    [
        "{}",
        json.dumps({"Version": "1", "Statement": PARTNER}),
        json.dumps({"Statement": [PARTNER]}),
        state("odd").policy,
        state({**PARTNER, "Effect": "allow"}).policy,
        state({**PARTNER, "principal": ["1111111111111111"]}).policy,
        state({**PARTNER, "Principal": "alice"}).policy,
    ],
)
def test_what_is_not_understood_is_left_to_a_person(policy: str | None) -> None:
    """It is not known to be public and not known to be closed: neither written nor called compliant."""
    finding = remediation("oss.bucket-policy-public").plan(PolicyState("photos", "1", policy))

    assert isinstance(finding, ReportOnly)
    assert (finding.state, finding.outcome, finding.reason) == (policy, Outcome.REJECTED, "policy_not_understood")


def test_what_is_public_goes_before_a_person_looks_at_the_rest() -> None:
    """A doubt about one statement keeps no other one open."""
    odd = {**PARTNER, "Effect": "allow"}
    repair = remediation("oss.bucket-policy-public")

    assert left(repair, EVERYONE, odd) == [odd]
    after = repair.plan(state(odd))
    assert isinstance(after, ReportOnly)
    assert "statement 1" in after.detail


def test_a_single_public_statement_goes() -> None:
    """Also where it stands in the place of the list."""
    policy = json.dumps({"Version": "1", "Statement": EVERYONE}, sort_keys=True, separators=(",", ":"))

    finding = remediation("oss.bucket-policy-public").plan(PolicyState("photos", "1", policy))

    assert isinstance(finding, Change)
    assert finding.after == "null"


@given(policy=policies.odd, keep_restricted=st.booleans())
def test_compliant_means_that_nobody_gets_in(policy: str, keep_restricted: bool) -> None:
    """Whatever stands in a policy: it is called compliant only if it cannot let everyone in."""
    text = canonical(policy)
    finding = remediation("oss.bucket-policy-public", keep_restricted=keep_restricted).plan(
        PolicyState("photos", "1", text)
    )
    assert not isinstance(finding, Compliant) or not admits_everyone(text)


@pytest.mark.parametrize("principal", ["*", "1234*", "", " ", "alice", "123?"])
def test_nobody_in_particular_takes_the_place_of_everyone(principal: str) -> None:
    """Narrowed to a pattern, the statement would stay as open as it was and count as repaired."""
    with pytest.raises(ValidationError, match="without wildcards"):
        remediation("oss.bucket-policy-public", narrow_to=[principal])


def test_a_plan_carried_out_plans_nothing_more() -> None:
    """Planning is idempotent."""
    repair = remediation("oss.bucket-policy-public")
    finding = repair.plan(state(PARTNER, EVERYONE))
    assert isinstance(finding, Change)

    assert planned(repair, PolicyState("photos", "1", finding.after)) is None
