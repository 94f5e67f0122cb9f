"""What every repair has to withstand: no permission, throttling, damage, lost answers, a bucket that goes away."""

from __future__ import annotations

import pytest

from consumer.core.outcome import Outcome
from consumer.guards.rule import Mode
from tests.integration.remediations import cases
from tests.integration.remediations.workbench import BUCKET, Case, Workbench

_PUT = {
    "oss.bucket-acl": "PutBucketAcl",
    "oss.block-public-access": "PutBucketPublicAccessBlock",
    "oss.bucket-policy-public": "PutBucketPolicy",
    "oss.https-only": "PutBucketPolicy",
    "oss.tls-version": "PutBucketHttpsConfig",
    "oss.encryption": "PutBucketEncryption",
    "oss.versioning": "PutBucketVersioning",
    "oss.logging": "PutBucketLogging",
    "oss.referer": "PutBucketReferer",
    "oss.tags": "PutBucketTags",
}
every_repair = pytest.mark.parametrize("case", cases.ALL, ids=lambda case: case.remediation)


@pytest.fixture(autouse=True)
def _log_target(bench: Workbench) -> None:
    """Where `oss.logging` sends logs."""
    bench.emulator.create_buckets([f"access-logs-{bench.emulator.endpoints.region}"])


@every_repair
def test_only_what_is_declared_is_requested_and_all_of_it_is_needed(bench: Workbench, case: Case) -> None:
    """The RAM actions that operators grant are exactly those that a repair uses."""
    bench.create(case)

    bench.repair(case)

    unused = set(case.build().actions) - bench.actions
    assert unused <= {"oss:DeleteBucketPolicy"}, "which is for a policy of nothing else"


@every_repair
def test_a_missing_permission_holds_and_is_named(bench: Workbench, case: Case) -> None:
    """RAM says no until a person has granted the action that the ending names; the message is kept for that."""
    bench.create(case)
    found = bench.settings()
    bench.emulator.faults.add("error", _PUT[case.remediation], status=403, code="AccessDenied")

    ending = bench.repair(case)

    assert (ending.outcome, ending.reason) == (Outcome.HELD, "permission_missing")
    assert ending.missing_action == f"oss:{_PUT[case.remediation]}"
    assert bench.settings() == found


@every_repair
@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (400, "InvalidArgument")])
def test_a_refusal_after_a_try_without_an_answer_proves_nothing(
    bench: Workbench, case: Case, status: int, code: str
) -> None:
    """The first try was carried out and not answered, the second is refused: the change is there, and called begun."""
    bench.create(case)
    found = bench.settings()
    bench.emulator.faults.add("lost_reply", _PUT[case.remediation], count=1)
    bench.emulator.faults.add("error", _PUT[case.remediation], skip=1, status=status, code=code)

    ending = bench.repair(case)

    assert ending.outcome in (Outcome.HELD, Outcome.REJECTED)
    assert ending.attempt is not None
    assert (ending.attempt.begun, ending.attempt.now, ending.attempt.in_part) == (True, "", False)
    assert bench.settings() != found


@every_repair
def test_a_throttled_try_before_a_refusal_changes_nothing(bench: Workbench, case: Case) -> None:
    """Throttling is a refusal, too: the first request was not carried out."""
    bench.create(case)
    fault = {"status": 503, "code": "MetaOperationQpsLimitExceeded"}
    bench.emulator.faults.add("error", _PUT[case.remediation], count=1, **fault)
    bench.emulator.faults.add("error", _PUT[case.remediation], status=403, code="AccessDenied")

    ending = bench.repair(case)

    assert ending.attempt is not None
    assert (ending.attempt.begun, ending.attempt.now) == (False, ending.attempt.before)


@every_repair
def test_a_repair_and_an_undo_are_one_request_each(bench: Workbench, case: Case) -> None:
    """No change of a bucket can be made in part; those of security groups can, and have tests of their own."""
    bench.create(case)
    ending = bench.repair(case)
    assert len(bench.changes()) == 1
    bench.undo(case, ending)
    assert len(bench.changes()) == 2


@every_repair
@pytest.mark.parametrize("kind", ["throttled", "lost_reply", "reset_after", "reset_before"])
def test_passing_trouble_is_tried_again_inside_the_delivery(bench: Workbench, case: Case, kind: str) -> None:
    """Throttled or without an answer, the change is made once more, and comes out right."""
    bench.create(case)
    fault = {"kind": kind}
    if kind == "throttled":
        fault = {"kind": "error", "status": 503, "code": "MetaOperationQpsLimitExceeded"}  # type: ignore[dict-item]
    struck = bench.emulator.faults.add(operation=_PUT[case.remediation], count=1, **fault)

    assert bench.repair(case).outcome is Outcome.FIXED
    assert bench.emulator.faults.struck()[struck] == 1


@every_repair
@pytest.mark.parametrize("kind", ["damaged_xml", "truncated", "not_xml"])
def test_a_damaged_answer_is_requested_again(bench: Workbench, case: Case, kind: str) -> None:
    """Half an answer, or a page of somebody else, is never taken for the bucket's setting."""
    bench.create(case)
    faults = [bench.emulator.faults.add(kind, operation, count=1) for operation in ("GetBucketInfo", "GetBucket[!I]*")]

    assert bench.repair(case).outcome is Outcome.FIXED
    assert [bench.emulator.faults.struck()[fault] for fault in faults] == [1, 1]


@every_repair
def test_throttling_without_end_fails_for_now(bench: Workbench, case: Case) -> None:
    """The message stays, and a later delivery tries again."""
    bench.create(case)
    found = bench.settings()
    bench.emulator.faults.add("error", _PUT[case.remediation], status=503, code="MetaOperationQpsLimitExceeded")

    ending = bench.repair(case)

    assert (ending.outcome, ending.error_class) == (Outcome.FAILED, "Throttled")
    assert bench.settings() == found


@every_repair
def test_a_bucket_that_is_gone_is_not_brought_back(bench: Workbench, case: Case) -> None:
    """Gone before the look or between look and change: the ending is gone, and no bucket is left behind."""
    bench.create(case)
    bench.emulator.advance(2)  # moments of creation are whole seconds

    assert bench.repair(case, meanwhile=lambda: bench.emulator.delete_bucket(BUCKET)).outcome is Outcome.GONE
    assert BUCKET not in bench.emulator.acls()
    assert bench.repair(case).outcome is Outcome.GONE


@every_repair
def test_a_bucket_of_somebody_else_is_not_touched(bench: Workbench, case: Case) -> None:
    """The service says the same as when the permission is missing, so it is held at first."""
    bench.create(case)
    bench.emulator.change_bucket(BUCKET, owner_id="9999999999999999")

    ending = bench.repair(case)

    assert (ending.outcome, ending.missing_action) == (Outcome.HELD, "oss:GetBucketInfo")
    assert bench.changes() == []


@every_repair
def test_observing_decides_the_same_and_changes_nothing(bench: Workbench, case: Case) -> None:
    """What enforcing would reach is what observing says."""
    bench.create(case)

    observed = bench.repair(case, mode=Mode.OBSERVE)

    assert observed.outcome is Outcome.WOULD_FIX
    assert bench.changes() == []
    enforced = bench.repair(case)
    assert (enforced.before, enforced.after) == (observed.before, observed.after)


@every_repair
def test_an_account_without_any_permission_is_reported(bench: Workbench, case: Case) -> None:
    """When not even reading is allowed the ending names what is missing; nothing is assumed."""
    bench.create(case)
    bench.emulator.faults.add("error", "Get*", status=403, code="AccessDenied")

    ending = bench.repair(case)

    assert (ending.outcome, ending.reason) == (Outcome.HELD, "permission_missing")
    assert ending.missing_action.startswith("oss:Get")
    assert bench.changes() == []
