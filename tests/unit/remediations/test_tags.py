"""How tags are merged."""

from __future__ import annotations

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


def test_values_are_replaced_only_when_told_to() -> None:
    """With `replace_values` the configured value wins."""
    repair = remediation("oss.tags", tags=WANTED, replace_values=True)

    assert planned(repair, {"team": "ops"}) == WANTED


def test_a_bucket_with_all_tags_is_compliant() -> None:
    """Whatever the values."""
    assert planned(remediation("oss.tags", tags=WANTED), {"cost-center": "1", "team": "2"}) is None
