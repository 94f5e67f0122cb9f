"""Rules: which event belongs to which entry of the configuration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.event import Event, decode
from consumer.guards.rule import Mode, Rule, Selector, kinds_of, match
from consumer.remediations.base import Options
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions
from consumer.resources.oss.kind import BUCKETS
from tests.unit.bodies import ACCOUNT, VARIANTS, text_of
from tests.unit.lamps import LAMP, LAMPS, SwitchOff

_decoded = decode(text_of(VARIANTS["sls"]))
assert isinstance(_decoded, Event)
EVENT = replace(_decoded, config_rule_name="oss-bucket-公开")


def rule(selector: Selector, name: str = "rule") -> Rule:
    """A rule with this selector."""
    return Rule(name, selector, BucketAcl(BucketAclOptions()), Mode.ENFORCE, 60.0)


@pytest.mark.parametrize(
    "selector",
    [
        Selector(),
        Selector(config_rule_ids=frozenset({EVENT.config_rule_id})),
        Selector(source_identifiers=frozenset({"oss-bucket-public-read-prohibited"})),
        Selector(rule_names=("nothing", "oss-bucket-*")),
        Selector(rule_names=("*公开",)),
        Selector(config_rule_ids=frozenset({"cr-other"}), rule_names=("oss-*",)),
        Selector(config_rule_ids=frozenset({"cr-other"}), source_identifiers=frozenset({EVENT.source_identifier})),
        Selector(resource_types=frozenset({"ACS::OSS::Bucket"})),
        Selector(
            resource_types=frozenset({"ACS::OSS::Bucket"}),
            accounts=frozenset({ACCOUNT}),
            regions=frozenset({"cn-beijing"}),
            risk_levels=frozenset({"warning"}),
        ),
        Selector(resources=("nothing", f"{EVENT.resource_id[:3]}*")),
    ],
)
def test_any_mark_identifies_and_every_bound_admits(selector: Selector) -> None:
    """Marks are alternatives; bounds narrow down; nothing given means no objection."""
    assert selector.takes(EVENT)


@pytest.mark.parametrize(
    "selector",
    [
        Selector(config_rule_ids=frozenset({"cr-other"})),
        Selector(source_identifiers=frozenset({"oss-bucket-public-write-prohibited"})),
        Selector(rule_names=("OSS-*",)),
        Selector(rule_names=("oss-bucket",)),
        Selector(resource_types=frozenset({"ACS::ECS::Instance"})),
        Selector(rule_names=("*",), resource_types=frozenset({"ACS::ECS::Instance"})),
        Selector(rule_names=("*",), accounts=frozenset({"1"})),
        Selector(rule_names=("*",), regions=frozenset({"cn-hangzhou"})),
        Selector(rule_names=("*",), risk_levels=frozenset({"critical"})),
        Selector(rule_names=("*",), resources=("nothing", EVENT.resource_id[:-1])),
    ],
)
def test_one_unmet_bound_or_no_mark_at_all_refuses(selector: Selector) -> None:
    """An event is not taken when no mark fits or any bound does not."""
    assert not selector.takes(EVENT)


def test_an_empty_identifier_is_no_mark() -> None:
    """Most deliveries carry no source identifier; that must not make them everybody's."""
    selector = Selector(source_identifiers=frozenset({"oss-bucket-public-read-prohibited"}))
    assert not selector.takes(replace(EVENT, source_identifier=""))


def test_the_first_rule_in_the_configurations_order_wins() -> None:
    """Order decides between two rules that both take an event."""
    rules = [rule(Selector(rule_names=("x",)), "no"), rule(Selector(), "first"), rule(Selector(), "second")]
    found = match(EVENT, rules)
    assert found is rules[1]
    assert match(EVENT, rules[:1]) is None
    assert match(EVENT, []) is None


LAMPS_OFF = Rule("lamps", Selector(rule_names=("*",)), SwitchOff(Options()), Mode.ENFORCE, 60.0)
BROAD = rule(Selector(rule_names=("*",)), "broad")


@pytest.mark.parametrize("rules", [[LAMPS_OFF, BROAD], [BROAD, LAMPS_OFF]])
def test_a_rule_takes_no_event_from_a_rule_for_its_kind(rules: list[Rule]) -> None:
    """However broad the first rule is: what it cannot repair is left to the one that can."""
    assert match(EVENT, rules) is BROAD
    assert match(replace(EVENT, resource_type=LAMP), rules) is LAMPS_OFF


def test_an_event_that_only_rules_of_other_kinds_take_is_the_first_ones() -> None:
    """Somebody meant it to be taken: it is refused in that rule's name and not deleted as nobody's."""
    assert match(replace(EVENT, resource_type="ACS::ECS::Instance"), [LAMPS_OFF, BROAD]) is LAMPS_OFF


def test_tags_are_read_once_and_only_where_they_decide() -> None:
    """Reading them costs a request; before the look they are taken to fit."""
    read: list[str] = []

    def tags() -> dict[str, str]:
        read.append("tags")
        return {"team": "web"}

    other, web = (rule(Selector(tags=(("team", team),)), team) for team in ("other", "web"))
    assert match(EVENT, [BROAD, other, web], tags) is BROAD
    assert read == []
    assert match(EVENT, [other, web, BROAD], tags) is web
    assert read == ["tags"]
    assert match(EVENT, [other, web, BROAD]) is other


def test_the_kinds_of_rules_are_counted_once_in_their_order() -> None:
    """What is looked at needs one client each."""
    assert kinds_of([BROAD, LAMPS_OFF, BROAD]) == (BUCKETS, LAMPS)
    assert kinds_of([LAMPS_OFF, BROAD]) == (LAMPS, BUCKETS)
    assert kinds_of([]) == ()


def test_after_the_look_no_rule_of_another_kind_takes_it() -> None:
    """The tags leave it out of the only rule for its kind: it is nobody's, and no other rule's to refuse."""
    tagged = rule(Selector(rule_names=("*",), tags=(("team", "web"),)), "tagged")
    assert match(EVENT, [LAMPS_OFF, tagged], lambda: {"team": "web"}) is tagged
    assert match(EVENT, [LAMPS_OFF, tagged], dict) is None
