"""How lists of referers are merged."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.resources.oss.settings import Referer
from tests.unit.remediations.findings import planned, remediation

OURS = ["https://a.example", "https://b.example"]


@pytest.mark.parametrize(
    ("options", "allowed", "expected"),
    [
        ({}, (), OURS),
        ({}, ("https://a.example",), OURS),
        ({}, ("http://theirs.example",), ["http://theirs.example", *OURS]),
        ({"exclusive": True}, ("http://theirs.example",), OURS),
        ({"exclusive": True}, ("https://b.example", "http://theirs.example"), [OURS[1], OURS[0]]),
    ],
    ids=["empty", "part", "others", "exclusive", "exclusive-part"],
)
def test_lists_are_merged(options: dict[str, Any], allowed: tuple[str, ...], expected: list[str]) -> None:
    """Added to what is there; in its place only when the list is exclusive."""
    repair = remediation("oss.referer", referers=OURS, **options)

    assert planned(repair, Referer(allow_empty=True, allowed=allowed))["allowed"] == expected


def test_another_order_is_no_difference() -> None:
    """Nothing is written for the sake of order."""
    repair = remediation("oss.referer", referers=OURS)

    assert planned(repair, Referer(allow_empty=True, allowed=tuple(reversed(OURS)))) is None


def test_an_empty_referer_is_forbidden_only_when_told_to() -> None:
    """It locks every program out that sends none."""
    found = Referer(allow_empty=True, allowed=tuple(OURS))

    assert planned(remediation("oss.referer", referers=OURS), found) is None
    assert planned(remediation("oss.referer", referers=OURS, forbid_empty_referer=True), found)["allow_empty"] is False


def test_everything_else_stays() -> None:
    """Denied referers and path options are in the same document."""
    found = Referer(True, (), ("http://bad.example",), False, True)

    after = planned(remediation("oss.referer", referers=OURS), found)

    assert after == {
        "allow_empty": True,
        "allowed": OURS,
        "denied": ["http://bad.example"],
        "allow_truncate_query_string": False,
        "truncate_path": True,
    }
