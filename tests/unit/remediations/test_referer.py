"""How lists of referers are merged."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

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


def test_what_stands_twice_is_no_difference() -> None:
    """Neither in a bucket's list, for which alone nothing is written, nor in the configuration."""
    repair = remediation("oss.referer", referers=[*OURS, OURS[0]])

    assert planned(repair, Referer(allow_empty=True, allowed=(OURS[0], *OURS))) is None
    assert planned(repair, Referer(allow_empty=True, allowed=()))["allowed"] == OURS


def test_an_empty_referer_is_forbidden_only_when_configured() -> None:
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


@pytest.mark.parametrize("referer", ["*", "?*", "http*", "https", "http://*", "https://?*", "http://?", "*://*", "h"])
def test_what_every_page_fits_protects_nothing(referer: str) -> None:
    """It goes from a bucket's list, and no configuration has it."""
    found = Referer(allow_empty=True, allowed=(referer, *OURS))

    assert planned(remediation("oss.referer", referers=OURS), found)["allowed"] == OURS
    with pytest.raises(ValidationError, match="protect nothing"):
        remediation("oss.referer", referers=[*OURS, referer])


@pytest.mark.parametrize(
    "referer", ["https://*.example.com", "*.example.com", "http://?.example", "ftp://*", "https://a"]
)
def test_what_some_pages_do_not_fit_is_left(referer: str) -> None:
    """A list that lets in more than ours is its owner's."""
    found = Referer(allow_empty=True, allowed=(referer, *OURS))

    assert planned(remediation("oss.referer", referers=OURS), found) is None
