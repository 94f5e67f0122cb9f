"""A change that takes several requests, of which one is refused: what was made is known, counted, and can be undone."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.core.errors import PermanentError
from consumer.core.outcome import Attempt, Outcome
from consumer.guards.chain import Guards
from consumer.guards.limits import Limit, LocalLimits
from consumer.guards.memory import GuardMemory
from consumer.remediations.base import Change
from consumer.resources.base import Written
from tests.integration.ecs.bench import GROUP, OFFICE, SSH, Bench, remediation

AT_ONCE = 100
"""https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-revokesecuritygroup"""
OPEN = [{**SSH, "id": f"sgr-{n}", "dest_cidr_ip": f"10.0.{n // 250}.{n % 250 + 1}"} for n in range(250)]
ROOM = 150
"""Open rules of a group in which an undo has room for all of them again; they take two requests."""
REFUSALS = [
    (400, "InvalidParameter.Injected", Outcome.REJECTED, "InvalidParameter.Injected"),
    (403, "Forbidden.RAM", Outcome.HELD, "permission_missing"),
    (400, "InvalidParam.SecurityGroupRuleId", Outcome.FAILED, "changed_meanwhile"),
    (400, "NobodyKnowsThis", Outcome.FAILED, "NobodyKnowsThis"),
    (503, "ServiceUnavailable", Outcome.FAILED, "ServiceUnavailable"),
]
refusals = pytest.mark.parametrize(("status", "code", "outcome", "reason"), REFUSALS)


@pytest.fixture
def group(bench: Bench) -> Bench:
    """A group that takes three requests to close."""
    bench.emulator.create_security_groups([GROUP], permissions=[*OPEN, OFFICE])
    return bench


def refuse(bench: Bench, operation: str, number: int, **answer: Any) -> int:
    """From the request of that number on, the service refuses an operation."""
    return bench.emulator.faults.add("error", operation, service="ecs", skip=number - 1, **answer)


@refusals
@pytest.mark.parametrize("number", [2, 3])
def test_a_later_request_is_refused(
    group: Bench, number: int, status: int, code: str, outcome: Outcome, reason: str
) -> None:
    """What was revoked before counts as a change and is undone by itself; the rest is repaired by a later delivery."""
    guards = Guards(GuardMemory(limits=LocalLimits(Limit(1, 3_600))))
    fault = refuse(group, "RevokeSecurityGroup", number, status=status, code=code)

    part = group.repair(guards=guards)

    left = remediation().notation.state(part.after)
    assert (part.outcome, part.reason) == (outcome, reason)
    assert part.detail.startswith("changed in part, then: ")
    assert part.attempt == Attempt(part.before, "[]", part.after, begun=True, in_part=True)
    assert len(remediation().notation.state(part.before)) == len(OPEN)
    assert len(left) == len(OPEN) - AT_ONCE * (number - 1) == len(group.ids()) - 1
    assert group.repair(guards=guards).reason == "over_limit", "the limit counts it"

    group.emulator.faults.remove(fault)
    rest = group.repair()
    assert (rest.outcome, rest.before) == (Outcome.FIXED, part.after)
    assert group.ids() == {OFFICE["id"]}


@refusals
def test_the_first_request_is_refused(group: Bench, status: int, code: str, outcome: Outcome, reason: str) -> None:
    """Where the service says so, nothing was changed; nothing can be undone either way."""
    guards, found = Guards(GuardMemory(limits=LocalLimits(Limit(1, 3_600)))), group.ids()
    refuse(group, "RevokeSecurityGroup", 1, status=status, code=code)

    ending = group.repair(guards=guards)

    assert (ending.outcome, ending.reason, ending.before, ending.after) == (outcome, reason, "", "")
    assert ending.attempt is not None
    certain = code not in ("NobodyKnowsThis", "ServiceUnavailable")
    assert (ending.attempt.begun, ending.attempt.now) == ((False, ending.attempt.before) if certain else (True, ""))
    assert (group.repair(guards=guards).reason == "over_limit") is not certain
    assert group.ids() == found


@refusals
def test_what_stands_cannot_be_read(group: Bench, status: int, code: str, outcome: Outcome, reason: str) -> None:
    """The refusal is the ending's reason; what stands is not known, and nothing is called undoable."""
    refuse(group, "RevokeSecurityGroup", 2, status=status, code=code)
    # Page by page of three: the look, the look before the change, and after a rule that is gone one more.
    pages = 9 if reason == "changed_meanwhile" else 6
    refuse(group, "DescribeSecurityGroupAttribute", pages + 1, status=403, code="Forbidden.RAM")

    ending = group.repair()

    assert (ending.outcome, ending.reason, ending.before, ending.after) == (outcome, reason, "", "")
    assert ending.attempt is not None
    assert (ending.attempt.begun, ending.attempt.now, ending.attempt.in_part) == (True, "", False)


def test_a_refusal_after_the_effect_is_a_repair(group: Bench) -> None:
    """The read-back decides: the group is compliant, so it is repaired, and there is nobody to be called."""
    answer = {"status": 400, "code": "InvalidParameter.Injected"}
    group.emulator.faults.add("error_after", "RevokeSecurityGroup", service="ecs", skip=2, **answer)
    ending = group.repair()
    assert (ending.outcome, ending.after) == (Outcome.FIXED, "[]")
    assert group.ids() == {OFFICE["id"]}


@refusals
def test_what_was_made_in_part_is_undone(bench: Bench, status: int, code: str, outcome: Outcome, reason: str) -> None:
    """First the rest, then the part, each to what was there before."""
    bench.emulator.create_security_groups([GROUP], permissions=[*OPEN[:ROOM], OFFICE])
    found = bench.rules()
    fault = refuse(bench, "RevokeSecurityGroup", 2, status=status, code=code)
    part = bench.repair()
    assert (part.outcome, part.reason) == (outcome, reason)
    bench.emulator.faults.remove(fault)
    bench.undo(bench.repair())
    bench.undo(part)
    assert bench.rules() == found


@pytest.mark.parametrize("number", [1, 2])
def test_a_request_of_an_undo_is_refused(bench: Bench, number: int) -> None:
    """The target knows whether an earlier one was accepted, so no command says that nothing was undone."""
    bench.emulator.create_security_groups([GROUP], permissions=[*OPEN[:ROOM], OFFICE])
    ending = bench.repair()
    refuse(bench, "AuthorizeSecurityGroup", number, status=403, code="Forbidden.RAM")
    target = bench.group()

    with pytest.raises(PermanentError):
        remediation().revert(target, Change(ending.before, ending.after))

    assert target.written is (Written.NO if number == 1 else Written.YES)
    assert len(bench.ids()) == 1 + AT_ONCE * (number - 1)
