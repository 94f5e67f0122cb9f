"""Exemptions: who is covered, for how long, and when tags are looked at."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from consumer.guards.exemptions import Exemption, Exemptions, exemption_toml
from tests.unit.fakes import Clock
from tests.unit.guards.cases import PHOTOS, never_read

END = 2_000.0


def exemption(name: str = "exempt", **given: object) -> Exemption:
    """An exemption that ends at a known moment."""
    return Exemption(name, "owner", "reason", END, **given)  # type: ignore[arg-type]


def among(*entries: Exemption, now: float = 1_000.0) -> Exemptions:
    """These exemptions, asked at that moment."""
    return Exemptions(entries, Clock(now))


def tags(**given: str) -> Mapping[str, str]:
    """A bucket's tags."""
    return given


@pytest.mark.parametrize(
    ("given", "covered"),
    [
        ({"resources": ("photos",)}, True),
        ({"resources": ("videos", "pho*")}, True),
        ({"resources": ("PHOTOS",)}, False),
        ({"resources": ("photo",)}, False),
        ({"resource_types": frozenset({PHOTOS.resource_type})}, True),
        ({"resources": ("photos",), "resource_types": frozenset({"ACS::ECS::SecurityGroup"})}, False),
        ({"accounts": frozenset({PHOTOS.account_id})}, True),
        ({"accounts": frozenset({"9876543210987654"})}, False),
        ({"regions": frozenset({"cn-hangzhou"})}, True),
        ({"regions": frozenset({"cn-beijing"})}, False),
        ({"resources": ("photos",), "regions": frozenset({"cn-beijing"})}, False),
        ({"resources": ("photos",), "rules": frozenset({"public-read"})}, True),
        ({"resources": ("photos",), "rules": frozenset({"other"})}, False),
    ],
)
def test_everything_an_exemption_names_has_to_fit(given: dict[str, object], covered: bool) -> None:
    """Type, account, region, name and rule narrow it, all of them."""
    found = among(exemption(**given)).without_a_look("public-read", PHOTOS, "cn-hangzhou")
    assert (found is not None) is covered


def test_an_exemption_ends_with_its_moment() -> None:
    """From the very moment on, it covers nothing, by name or by tags."""
    entries = (exemption(resources=("photos",)), exemption("tagged", tags=(("public", "yes"),)))
    assert among(*entries, now=END - 0.001).without_a_look("public-read", PHOTOS, "") is not None
    assert among(*entries, now=END).without_a_look("public-read", PHOTOS, "") is None
    assert among(*entries, now=END).after_a_look("public-read", PHOTOS, "cn-hangzhou", never_read) is None


def test_a_region_that_the_event_does_not_name_is_looked_up() -> None:
    """An event of the oldest form names no region; the live bucket's decides."""
    by_region = among(exemption(regions=frozenset({"cn-beijing"})))
    assert by_region.without_a_look("public-read", PHOTOS, "") is None
    assert by_region.after_a_look("public-read", PHOTOS, "cn-beijing", never_read) is not None


def test_an_exemption_by_tags_is_one_of_a_rule_and_a_resource_too() -> None:
    """Tags are not even read where the rest does not fit."""
    entry = exemption(rules=frozenset({"public-read"}), resources=("photos",), tags=(("public", "yes"),))
    by_tags, videos = among(entry), replace(PHOTOS, resource_id="videos")
    assert by_tags.after_a_look("public-read", PHOTOS, "cn-hangzhou", lambda: tags(public="yes")) is entry
    assert by_tags.after_a_look("other", PHOTOS, "cn-hangzhou", never_read) is None
    assert by_tags.after_a_look("public-read", videos, "cn-hangzhou", never_read) is None


@pytest.mark.parametrize(
    ("carried", "covered"),
    [
        (tags(public="yes", owner="web"), True),
        (tags(public="yes"), False),
        (tags(public="no", owner="web"), False),
        (tags(public="yes", owner=""), True),
        ({}, False),
    ],
)
def test_every_tag_has_to_be_there(carried: Mapping[str, str], covered: bool) -> None:
    """Values are patterns, keys are exact."""
    by_tags = among(exemption(tags=(("owner", "*"), ("public", "y?s"))))
    found = by_tags.after_a_look("public-read", PHOTOS, "cn-hangzhou", lambda: carried)
    assert (found is not None) is covered


def test_tags_are_read_only_when_they_decide() -> None:
    """Not when another exemption covers the bucket anyway, and not when none could."""
    elsewhere = exemption(tags=(("public", "yes"),), regions=frozenset({"cn-beijing"}))
    assert among(elsewhere).after_a_look("public-read", PHOTOS, "cn-hangzhou", never_read) is None
    named = exemption("named", regions=frozenset({"cn-hangzhou"}))
    tagged = exemption("tagged", tags=(("public", "yes"),))
    found = among(tagged, named).after_a_look("public-read", PHOTOS, "cn-hangzhou", never_read)
    assert found is named


def test_an_entry_can_be_put_into_a_configuration_as_it_is() -> None:
    """Whatever an owner writes, it stays one value of one key."""
    hostile = 'web "team"\\ \x7f\n公开 = ]'
    text = exemption_toml("static", hostile, "Serves the site", date(2026, 12, 31), "123", "photos", "public-read")

    assert text == (
        '[[exemptions]]\nname = "static"\nowner = "web \\"team\\"\\\\ \\u007f\\n公开 = ]"\n'
        'reason = "Serves the site"\nexpires = 2026-12-31\naccounts = ["123"]\nresources = ["photos"]\n'
        'rules = ["public-read"]\n'
    )
    assert tomllib.loads(text)["exemptions"] == [
        {
            "name": "static",
            "owner": hostile,
            "reason": "Serves the site",
            "expires": date(2026, 12, 31),
            "accounts": ["123"],
            "resources": ["photos"],
            "rules": ["public-read"],
        }
    ]
