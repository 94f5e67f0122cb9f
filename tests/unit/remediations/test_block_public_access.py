"""When Block Public Access is switched on."""

from __future__ import annotations

from consumer.remediations.base import Change, Compliant
from tests.unit.remediations.findings import remediation


def test_off_becomes_on_and_on_stays() -> None:
    """The texts are JSON booleans."""
    repair = remediation("oss.block-public-access")

    assert repair.plan(False) == Change("false", "true")
    assert repair.plan(True) == Compliant("true")
