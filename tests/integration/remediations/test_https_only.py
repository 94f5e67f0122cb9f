"""Plain HTTP: one Deny statement more, and the service's refusals when it may not be put."""

from __future__ import annotations

import json
from dataclasses import replace

from consumer.core.outcome import Outcome
from tests.integration.remediations.cases import HTTPS, PARTNER_STATEMENT, PUBLIC_STATEMENT, policy
from tests.integration.remediations.workbench import BUCKET, Workbench, repaired_and_undone


def test_one_statement_is_added_to_the_policy_there_is(bench: Workbench) -> None:
    """Grants stay, the new statement covers the bucket and everything in it, and undo takes it out again."""
    ending = repaired_and_undone(bench, HTTPS)

    kept, added = json.loads(ending.after)["Statement"]
    account = bench.emulator.endpoints.account_id
    assert kept == PARTNER_STATEMENT
    assert added["Resource"] == [f"acs:oss:*:{account}:{BUCKET}", f"acs:oss:*:{account}:{BUCKET}/*"]


def test_a_bucket_without_a_policy_gets_one_and_loses_it_again(bench: Workbench) -> None:
    """No policy is answered as an error by the service, and undo has to end there again."""
    ending = repaired_and_undone(bench, replace(HTTPS, broken={}))

    assert ending.before == "null"


def test_a_public_policy_cannot_be_completed_while_public_access_is_blocked(bench: Workbench) -> None:
    """The service refuses the whole policy for what is public in it; a person has to see that."""
    case = replace(HTTPS, broken={"policy": policy(PUBLIC_STATEMENT), "public_access_block": True})
    bench.create(case)

    ending = bench.repair(case)

    assert (ending.outcome, ending.error_class) == (Outcome.REJECTED, "PublicAccessBlocked")
    assert "Put public bucket policy is not allowed" in ending.detail


def test_a_policy_that_grows_too_large_is_rejected(bench: Workbench) -> None:
    """16 KB is all a policy may have; trying again would not help."""
    empty = len(policy({**PARTNER_STATEMENT, "Resource": ["acs:oss:*:*:photos/"]}))
    large = policy({**PARTNER_STATEMENT, "Resource": [f"acs:oss:*:*:photos/{'x' * (16 * 1024 - empty)}"]})
    case = replace(HTTPS, broken={"policy": large})
    bench.create(case)

    ending = bench.repair(case)

    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "InvalidPolicyDocument")
    assert bench.settings()["policy"] == large
