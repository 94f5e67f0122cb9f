"""When versioning is switched on."""

from __future__ import annotations

import pytest

from consumer.remediations.base import Change, Compliant
from tests.unit.remediations.findings import remediation


@pytest.mark.parametrize("status", ["", "Suspended"])
def test_whatever_is_not_enabled_becomes_enabled(status: str) -> None:
    """Suspended is not on."""
    assert remediation("oss.versioning").plan(status) == Change(f'"{status}"', '"Enabled"')


def test_enabled_is_compliant() -> None:
    """Nothing is planned where nothing is wrong."""
    assert remediation("oss.versioning").plan("Enabled") == Compliant('"Enabled"')
