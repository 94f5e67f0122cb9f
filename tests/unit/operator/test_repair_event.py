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
from consumer.operator.repair.event import BY_HAND, EventMarks, NamedResource, body, chosen, marks
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions

ACCOUNT, REGION, NOW = "1234567890123456", "cn-hangzhou", 1_795_000_000_000
SUBJECT = NamedResource("ACS::OSS::Bucket", "photos", ACCOUNT, REGION)
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


def rule(selector: Selector, name: str = "public-read") -> Rule:
    """A rule for buckets."""
    return Rule(name, selector, BucketAcl(BucketAclOptions()), Mode.ENFORCE, 900)


def event(selector: Selector) -> Event:
    """The event for one bucket, as the worker decodes it."""
    named = rule(selector)
    return decoded(chosen(named, [named], SUBJECT, NOW))


def decoded(text: str) -> Event:
    """As the worker decodes it."""
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


@given(SELECTORS)
def test_each_kind_of_event_that_a_rule_knows_is_taken(selector: Selector) -> None:
    """Not only the one that comes first."""
    named = rule(selector)
    try:
        every = marks(named)
    except ConfigurationError:
        return
    assert all(selector.takes(decoded(body(each, SUBJECT, NOW))) for each in every)
    assert len(every) >= len(selector.config_rule_ids) + len(selector.source_identifiers)


@given(st.lists(SELECTORS, min_size=1, max_size=3), SELECTORS)
def test_it_is_one_that_no_rule_further_up_takes_if_there_is_such(above: list[Selector], selector: Selector) -> None:
    """A rule with several ids is not called another one's because of the first of them."""
    named = rule(selector)
    rules = [*(rule(each, f"above-{number}") for number, each in enumerate(above)), named]
    try:
        found = decoded(chosen(named, rules, SUBJECT, NOW))
        every = [decoded(body(each, SUBJECT, NOW)) for each in marks(named)]
    except ConfigurationError:
        return
    free = [event for event in every if not any(each.takes(event) for each in above)]
    assert found in (free or every)


def test_an_id_may_be_chosen() -> None:
    """One of the rule's own."""
    named = rule(Selector(config_rule_ids=frozenset({"cr-a", "cr-b"})))
    assert decoded(chosen(named, [named], SUBJECT, NOW, "cr-b")).config_rule_id == "cr-b"
    with pytest.raises(ConfigurationError, match="does not select by it; its ids are: cr-a, cr-b"):
        chosen(named, [named], SUBJECT, NOW, "cr-c")
    with pytest.raises(ConfigurationError, match="its ids are: none"):
        chosen(rule(Selector()), [], SUBJECT, NOW, "cr-c")
    assert marks(rule(Selector())) == (EventMarks(),)
