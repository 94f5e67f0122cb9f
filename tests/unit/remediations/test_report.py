"""How what nobody can repair is settled."""

from __future__ import annotations

import pytest

from consumer.core.outcome import SETTLED_BY, Outcome, Settlement
from consumer.remediations.base import ReportOnly
from tests.unit.remediations.findings import remediation


@pytest.mark.parametrize("settle", ["hold", "dead_letter", "delete"])
def test_the_option_names_what_settling_does(settle: str) -> None:
    """Each word leads to an outcome that is settled in just that way."""
    finding = remediation("oss.report", settle=settle).plan("")

    assert isinstance(finding, ReportOnly)
    assert SETTLED_BY[finding.outcome] is Settlement(settle)


def test_it_is_held_by_default() -> None:
    """Nothing is lost unless somebody says so."""
    finding = remediation("oss.report").plan("a state")

    text = "no safe repair exists for this rule; a person has to look at the bucket"
    assert finding == ReportOnly("a state", text, Outcome.WOULD_FIX, "report_only")
    assert SETTLED_BY[finding.outcome] is Settlement.HOLD
