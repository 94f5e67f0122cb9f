"""How tags are merged."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from consumer.core.outcome import Outcome
from consumer.remediations.base import ReportOnly
from tests.unit.remediations.findings import planned, remediation

WANTED = {"cost-center": "unknown", "team": "web"}


def test_missing_tags_are_added_and_the_others_stay() -> None:
    """A tag that is there keeps its value."""
    repair = remediation("oss.tags", tags=WANTED)

    assert planned(repair, {"owner": "me", "team": "ops"}) == {
        "cost-center": "unknown",
        "owner": "me",
        "team": "ops",
    }


def test_values_are_replaced_only_when_configured() -> None:
    """With `replace_values` the configured value wins."""
    repair = remediation("oss.tags", tags=WANTED, replace_values=True)

    assert planned(repair, {"team": "ops"}) == WANTED


def test_a_bucket_with_all_tags_is_compliant() -> None:
    """With their values, for the rule compares those too; whatever the values only where that is said."""
    assert (
        planned(remediation("oss.tags", tags=WANTED), {"cost-center": "unknown", "owner": "me", "team": "web"}) is None
    )
    assert planned(remediation("oss.tags", tags=WANTED, any_value=True), {"cost-center": "1", "team": "2"}) is None


def test_another_value_is_left_to_a_person() -> None:
    """Who is told whose value it is, and which option settles it."""
    finding = remediation("oss.tags", tags=WANTED).plan({"cost-center": "1", "team": "web"})

    detail = "tag cost-center is '1', not 'unknown': replace_values changes it, any_value takes it"
    state = '{"cost-center":"1","team":"web"}'
    assert finding == ReportOnly(state, detail, Outcome.REJECTED, "tag_value_differs")


def test_values_cannot_matter_and_not_matter() -> None:
    """One of the two options."""
    with pytest.raises(ValidationError, match="exclude each other"):
        remediation("oss.tags", tags=WANTED, replace_values=True, any_value=True)
