"""Somebody changes a setting between the look and the write: their work is never lost."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.core.outcome import Attempt, Outcome
from consumer.guards.rule import Mode
from tests.integration.remediations import cases
from tests.integration.remediations.workbench import BUCKET, Case, Workbench

_THEIRS: list[tuple[Case, dict[str, Any]]] = [
    (cases.POLICY, {"policy": cases.policy(cases.PUBLIC_STATEMENT, cases.DENY_STATEMENT)}),
    (cases.HTTPS, {"policy": cases.policy(cases.PARTNER_STATEMENT, cases.DENY_STATEMENT)}),
    (cases.TLS, {"https_config": {"tls_enabled": True, "tls_versions": ["TLSv1.1", "TLSv1.3"]}}),
    (cases.ENCRYPTION, {"encryption": {"algorithm": "KMS", "kms_key_id": "key-of-theirs"}}),
    (cases.LOGGING, {"logging": {"target_bucket": "theirs", "target_prefix": "logs/"}}),
    (cases.REFERER, {"referer": {"allowed": ["http://theirs.example"], "denied": ["http://bad.example"]}}),
    (cases.TAGS, {"tagging": {"owner": "web", "stage": "live"}}),
]


@pytest.mark.parametrize(("case", "theirs"), _THEIRS, ids=[case.remediation for case, _ in _THEIRS])
def test_a_change_in_between_is_kept_and_the_next_delivery_plans_on_it(
    bench: Workbench, case: Case, theirs: dict[str, Any]
) -> None:
    """The write is given up, the message comes again, and what they made is merged or already enough."""
    bench.emulator.create_buckets([f"access-logs-{bench.emulator.endpoints.region}"])
    bench.create(case)
    found = bench.repair(case, mode=Mode.OBSERVE)

    ending = bench.repair(case, meanwhile=lambda: bench.emulator.change_bucket(BUCKET, **theirs))

    assert (ending.outcome, ending.reason) == (Outcome.FAILED, "changed_meanwhile")
    assert bench.changes() == []
    now = bench.repair(case, mode=Mode.OBSERVE).before
    assert ending.attempt == Attempt(found.before, found.after, found.before)
    what = "the policy" if "policy" in theirs else "it"
    text = f"planned on {found.before}, but {what} is {now} now"
    assert ending.detail == f"oss {case.remediation}: changed_meanwhile: {text}"
    assert bench.repair(case).outcome in (Outcome.FIXED, Outcome.ALREADY_COMPLIANT)
    assert bench.verdict(case) == "COMPLIANT"


@pytest.mark.parametrize("case", [cases.TAGS, cases.POLICY], ids=["setting", "policy"])
def test_the_same_repair_by_somebody_else_is_as_good(bench: Workbench, case: Case) -> None:
    """Another replica, or a person, was faster with just this change: nothing is written, and it counts as done."""
    bench.create(case)

    def repaired_by_another() -> None:
        assert bench.repair(case).outcome is Outcome.FIXED

    ending = bench.repair(case, meanwhile=repaired_by_another)

    assert ending.outcome is Outcome.FIXED
    assert len(bench.changes()) == 1
