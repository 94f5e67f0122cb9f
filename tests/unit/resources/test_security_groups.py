"""Security groups as a kind of resource: which ids are possible, and which event says where one is."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.errors import Refused
from consumer.resources.ecs.kind import SECURITY_GROUPS
from consumer.resources.ecs.openness import OpenCriteria, Openness, described
from consumer.resources.ecs.security_group import IngressRule
from tests.unit.telemetry.records import event

_EVENT = replace(
    event(), resource_type="ACS::ECS::SecurityGroup", resource_id="sg-bp1gxw6bznjjvhu3abcd", region="cn-beijing"
)
_SSH = IngressRule("Accept", "TCP", "22/22", source="0.0.0.0/0")


def test_a_group_is_looked_for_where_its_event_says() -> None:
    """In that region and nowhere else."""
    found = SECURITY_GROUPS.parse(_EVENT, "cn-hangzhou")
    assert (found.resource_id, found.region) == ("sg-bp1gxw6bznjjvhu3abcd", "cn-beijing")
    assert SECURITY_GROUPS.arn(found.resource_id) == "acs:ecs:*:*:securitygroup/sg-bp1gxw6bznjjvhu3abcd"


def test_an_event_without_a_region_names_no_group() -> None:
    """Not found in some other region would look as if it had been deleted, and the message would be."""
    with pytest.raises(Refused) as caught:
        SECURITY_GROUPS.parse(replace(_EVENT, region=""), "cn-hangzhou")
    assert caught.value.reason == "no_region"


@pytest.mark.parametrize(
    "name", ["", "sg-", "sg--a", "web", "sg-a/b", "sg-a b", "sg-" + "a" * 61, "sg-\u00e4", "sg-a\n"]
)
def test_what_is_no_id(name: str) -> None:
    """It goes into a request and a log line."""
    with pytest.raises(Refused):
        SECURITY_GROUPS.parse(replace(_EVENT, resource_id=name), "cn-hangzhou")


@given(st.integers(0, 32), st.integers(0, 2**32 - 1), st.integers(1, 65_535), st.integers(1, 65_535))
def test_a_rule_is_open_exactly_when_its_block_is_wide_and_its_range_holds_the_port(
    prefix: int, address: int, first: int, port: int
) -> None:
    """For every block, range and port."""
    block = ip_network((address, prefix), strict=False)
    rule = replace(_SSH, source=str(block), ports=f"{min(first, port)}/{max(first, port)}")
    wanted = Openness.OPEN if prefix < 8 else Openness.CLOSED
    assert OpenCriteria(frozenset({port})).of(rule) is wanted
    assert OpenCriteria(frozenset({port}), kept=(block,)).of(rule) is Openness.CLOSED
    assert OpenCriteria(frozenset()).of(rule) is Openness.CLOSED


@given(
    st.builds(
        IngressRule,
        policy=st.sampled_from(["Accept", "accept", "ACCEPT", "", "Allow"]),
        protocol=st.text(max_size=4) | st.sampled_from(["TCP", "ALL", "6", "-1", "06", "256"]),
        ports=st.text("0123456789/-", max_size=6) | st.sampled_from(["-1/-1", "22/22", "022/22", "0/65535"]),
        source=st.text("0123456789./:", max_size=9) | st.just("0.0.0.0/0"),
        ipv6_source=st.just("") | st.text("0123456789abcdef:/.", max_size=9),
    )
)
def test_whatever_a_rule_says_it_is_judged(rule: IngressRule) -> None:
    """No text of the service ends in a traceback, and a rule that is closed is one that is understood."""
    verdict = OpenCriteria(frozenset({22})).of(rule)
    if verdict is Openness.CLOSED:
        understood = rule.policy.lower() == "accept" or rule.policy == "Drop"
        assert understood or rule.source or rule.ipv6_source or rule.ports


@pytest.mark.parametrize(
    "source", ["10.0.0.0/255.0.0.0", "10.0.0.1-10.0.0.9", "everyone", "010.0.0.0/8", "fe80::1%eth0", "10.0.0.0/33"]
)
def test_a_source_in_no_known_form_is_neither_open_nor_closed(source: str) -> None:
    """Nothing is revoked, and nothing called closed, because of what nobody here can read; what is open stays open."""
    exposure = OpenCriteria(frozenset({22}))
    assert exposure.of(replace(_SSH, source=source)) is Openness.UNKNOWN
    assert exposure.of(replace(_SSH, source=source, ports="443/443")) is Openness.CLOSED
    assert exposure.of(replace(_SSH, source=source, ipv6_source="::/0")) is Openness.OPEN
    listed = replace(_SSH, source="", source_prefix_list="pl-1")
    assert exposure.of_sources(listed, ["10.0.0.0/8", source]) is Openness.UNKNOWN
    assert exposure.of_sources(listed, ["0.0.0.0/0", source]) is Openness.OPEN


@pytest.mark.parametrize(
    ("protocol", "whole_range", "wanted"),
    [
        ("ICMP", False, Openness.CLOSED),
        ("1", False, Openness.CLOSED),
        ("255", False, Openness.CLOSED),
        ("ICMP", True, Openness.OPEN),
        ("256", False, Openness.UNKNOWN),
        ("999", False, Openness.UNKNOWN),
        ("SCTP", False, Openness.UNKNOWN),
        ("06", False, Openness.UNKNOWN),
        ("", False, Openness.UNKNOWN),
        ("6", False, Openness.OPEN),
        ("ALL", False, Openness.OPEN),
    ],
)
def test_the_range_of_all_ports_opens_what_its_protocol_has(protocol: str, whole_range: bool, wanted: Openness) -> None:
    """Protocol numbers end with 255 (RFC 791: one octet); of another form nobody knows whether it means TCP as well."""
    criteria = OpenCriteria(frozenset({22}), whole_range)
    assert criteria.of(replace(_SSH, protocol=protocol, ports="-1/-1")) is wanted


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"policy": "Drop", "ports": "1/65535"}, Openness.CLOSED),
        ({"policy": "drop"}, Openness.CLOSED),
        ({"policy": "Forbid"}, Openness.UNKNOWN),
        ({"protocol": "ICMP", "ports": "443/443"}, Openness.CLOSED),
        ({"protocol": "ICMP", "ports": "22/22"}, Openness.UNKNOWN),
        ({"protocol": "SCTP", "ports": "443/443"}, Openness.UNKNOWN),
        ({"source": "", "source_group": "sg-1"}, Openness.CLOSED),
        ({"source": "", "source_group": "sg-1", "source_prefix_list": "pl-1"}, Openness.UNKNOWN),
        ({"source": ""}, Openness.UNKNOWN),
    ],
)
def test_a_rule_is_closed_only_if_it_is_understood(changed: dict[str, str], wanted: Openness) -> None:
    """It drops, it reaches no port, or only members of a group pass; of any other form nothing is said."""
    assert OpenCriteria(frozenset({22})).of(replace(_SSH, **changed)) is wanted  # type: ignore[arg-type]


def test_what_is_kept_is_kept_in_its_own_address_family() -> None:
    """A part of a kept IPv6 block may stay; a kept IPv4 block says nothing about IPv6, nor the other way round."""
    kept = (ip_network("2400::/12"), ip_network("0.0.0.0/0"))
    v6 = replace(_SSH, source="", ipv6_source="2408::/16")
    assert OpenCriteria(frozenset({22}), kept=kept).of(v6) is Openness.CLOSED
    assert OpenCriteria(frozenset({22}), kept=kept[1:]).of(v6) is Openness.OPEN
    assert OpenCriteria(frozenset({22}), kept=kept).of(_SSH) is Openness.CLOSED
    assert OpenCriteria(frozenset({22}), kept=kept[:1]).of(_SSH) is Openness.OPEN


def test_a_few_rules_are_described_and_the_rest_is_counted() -> None:
    """A sentence, not a page."""
    rules = [replace(_SSH, ports=f"{port}/{port}") for port in range(1, 6)]
    assert described(rules) == "TCP 1/1 from 0.0.0.0/0, TCP 2/2 from 0.0.0.0/0, TCP 3/3 from 0.0.0.0/0, 2 more"
    assert described(rules[:3]) == "TCP 1/1 from 0.0.0.0/0, TCP 2/2 from 0.0.0.0/0, TCP 3/3 from 0.0.0.0/0"
    listed = IngressRule("Accept", "UDP", port_list="prl-1", source_prefix_list="pl-1")
    assert described([listed, IngressRule("Accept", "TCP")]) == (
        "UDP the ports of prl-1 from the prefix list pl-1, TCP no port range from no source"
    )
