"""The event that stands for a person's wish is one that the named rule takes, whatever the rule selects by."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.errors import ConfigurationError
from consumer.core.event import Event, decode
from consumer.guards.rule import Mode, Rule, Selector
from consumer.operator.repair.event import BY_HAND, body
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions

ACCOUNT, REGION, NOW = "1234567890123456", "cn-hangzhou", 1_795_000_000_000
IDS = st.frozensets(st.text(string.ascii_lowercase + "-", min_size=1, max_size=12), max_size=3)
PIECES = st.sampled_from(["*", "?", "[abc]", "[!x]", "[!xyz0]", "[]a]", "[a-f]", "公共读", "public", " ", "\\", "x"])
SELECTORS = st.builds(
    Selector,
    config_rule_ids=IDS,
    source_identifiers=IDS,
    rule_names=st.lists(st.lists(PIECES, min_size=1, max_size=4).map("".join), max_size=2).map(tuple),
    risk_levels=st.frozensets(st.sampled_from(["critical", "warning", "info"])),
    resource_types=st.sampled_from([frozenset(), frozenset({"ACS::OSS::Bucket"})]),
)


def rule(selector: Selector) -> Rule:
    """A rule for buckets."""
    return Rule("public-read", selector, BucketAcl(BucketAclOptions()), Mode.ENFORCE, 900)


def event(selector: Selector) -> Event:
    """The event for one bucket, as the worker decodes it."""
    text = body(rule(selector), resource_id="photos", account_id=ACCOUNT, region=REGION, at_ms=NOW)
    found = decode(text)
    assert isinstance(found, Event)
    return found


@given(SELECTORS)
def test_the_rule_takes_it(selector: Selector) -> None:
    """By ids, by identifiers or by display names, with any risk level."""
    try:
        found = event(selector)
    except ConfigurationError as error:
        assert "give it config_rule_ids" in str(error)  # noqa: PT017 - either this or a fitting event
        return
    assert selector.takes(found)
    assert (found.resource_id, found.account_id, found.region) == ("photos", ACCOUNT, REGION)
    assert found.evaluated_at_ms == found.notified_at_ms == NOW


@pytest.mark.parametrize(
    "pattern", ["*", "*公共读*", "oss-?-public", "[Pp]ublic*", "[!a]x", "a[*]b", "a[?]b", "plain name", "a[]]b", "a["]
)
def test_a_name_is_found_for_usual_patterns(pattern: str) -> None:
    """None of these asks the person for more."""
    selector = Selector(rule_names=(pattern,))
    assert selector.takes(event(selector))


def test_a_rule_that_selects_by_type_alone_gets_an_id_of_no_rule() -> None:
    """It cannot be taken for a rule of the service."""
    found = event(Selector())
    assert found.config_rule_id == BY_HAND
    assert not BY_HAND.startswith("cr-")


@pytest.mark.parametrize(
    "other", [{"resources": ("site-*",)}, {"accounts": frozenset({"9"})}, {"regions": frozenset({"x"})}]
)
def test_what_narrows_a_rule_down_is_not_made_up(other: dict[str, Any]) -> None:
    """Resources, accounts and regions are what the person says, and the rule may refuse them."""
    selector = Selector(config_rule_ids=frozenset({"cr-read"}), **other)
    assert not selector.takes(event(selector))
