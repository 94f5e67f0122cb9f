"""Default encryption: set, strengthened, never weakened."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.outcome import Outcome
from tests.integration.remediations.cases import ENCRYPTION
from tests.integration.remediations.workbench import Case, Workbench, repaired_and_undone

KMS = replace(ENCRYPTION, rule="oss-default-encryption-kms", options={"algorithm": "KMS"})
OWN_KEY = replace(
    ENCRYPTION, rule="oss-encryption-byok-check", options={"algorithm": "KMS", "kms_master_key_id": "key-1"}
)


@pytest.mark.parametrize("case", [ENCRYPTION, KMS, OWN_KEY], ids=["any", "kms", "own-key"])
@pytest.mark.parametrize("broken", [{}, {"encryption": {"algorithm": "AES256"}}], ids=["unset", "aes256"])
def test_each_rule_becomes_compliant_and_undo_brings_back_what_was(
    bench: Workbench, case: Case, broken: dict[str, object]
) -> None:
    """From nothing or from a weaker default, and back: no default at all is a state like any other."""
    case = replace(case, broken=broken)
    if broken and case.rule == ENCRYPTION.rule:
        bench.create(case)
        assert bench.repair(case).outcome is Outcome.ALREADY_COMPLIANT
        return

    repaired_and_undone(bench, case)


def test_how_kms_encrypts_the_data_is_kept(bench: Workbench) -> None:
    """Naming an own key must not drop what else was chosen."""
    case = replace(OWN_KEY, broken={"encryption": {"algorithm": "KMS", "kms_data_encryption": "SM4"}})

    repaired_and_undone(bench, case)
    bench.repair(case)

    assert bench.settings()["encryption"] == {
        "algorithm": "KMS",
        "kms_key_id": "key-1",
        "kms_data_encryption": "SM4",
    }


def test_a_stronger_default_is_not_weakened(bench: Workbench) -> None:
    """A rule that asks for AES256 leaves a bucket alone that uses somebody's own key."""
    own = {"algorithm": "KMS", "kms_key_id": "theirs", "kms_data_encryption": None}
    case = replace(ENCRYPTION, broken={"encryption": own})
    bench.create(case)

    assert bench.repair(case).outcome is Outcome.ALREADY_COMPLIANT
    assert bench.settings()["encryption"] == own


def test_a_key_that_the_service_refuses_is_rejected(bench: Workbench) -> None:
    """A wrong key id is refused by the service's own code and tried no further."""
    bench.create(OWN_KEY)
    bench.emulator.faults.add("error", "PutBucketEncryption", status=400, code="InvalidArgument")

    ending = bench.repair(OWN_KEY)

    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "InvalidArgument")
