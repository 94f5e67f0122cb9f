"""Which default encryption is strong enough."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from consumer.resources.oss.settings import Encryption
from tests.unit.remediations.findings import planned, remediation

AES, SM4, KMS = Encryption("AES256"), Encryption("SM4"), Encryption("KMS")
OWN = Encryption("KMS", "key-of-theirs")
BY_STRENGTH: tuple[tuple[Encryption | None, ...], ...] = ((None,), (AES, SM4), (KMS,), (OWN,))
OPTIONS = (
    {"algorithm": "AES256"},
    {"algorithm": "KMS"},
    {"algorithm": "KMS", "kms_master_key_id": "key-of-ours"},
)


@pytest.mark.parametrize("wanted", [1, 2, 3])
@pytest.mark.parametrize("found", [0, 1, 2, 3])
def test_a_default_is_strengthened_and_never_weakened(wanted: int, found: int) -> None:
    """Every pair of what is and what should be: changed only from weaker to wanted."""
    options = OPTIONS[wanted - 1]
    repair = remediation("oss.encryption", **options)

    for encryption in BY_STRENGTH[found]:
        after = planned(repair, encryption)
        if found >= wanted:
            assert after is None
        else:
            assert after["algorithm"] == options["algorithm"]
            assert after["kms_key_id"] == options.get("kms_master_key_id", "")


def test_how_kms_encrypts_the_data_is_kept() -> None:
    """An own key does not undo the choice of SM4; a change of algorithm does, for it means nothing there."""
    repair = remediation("oss.encryption", algorithm="KMS", kms_master_key_id="key-of-ours")

    assert planned(repair, Encryption("KMS", "", "SM4"))["kms_data_encryption"] == "SM4"
    assert planned(repair, AES)["kms_data_encryption"] == ""


def test_no_default_under_another_name_is_no_default() -> None:
    """`None` is how inventories spell it."""
    assert planned(remediation("oss.encryption"), Encryption("None"))["algorithm"] == "AES256"


def test_a_key_without_kms_is_refused() -> None:
    """The configuration says what to change."""
    with pytest.raises(ValidationError, match="kms_master_key_id needs algorithm"):
        remediation("oss.encryption", kms_master_key_id="key-1")
