"""The repair never ends well on a group that one of its managed rules still reports, whatever rules the group has."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.core.outcome import SETTLED_BY, Settlement
from consumer.remediations.ecs.public_ingress import RevokePublicIngress
from tests.integration.ecs.bench import GROUP, Bench

_PORTS = st.sampled_from(["22/22", "3389/3389", "1/65535", "80/443", "-1/-1", "21/23"])
_SOURCES = st.sampled_from(
    [
        {"source_cidr_ip": "0.0.0.0/0"},
        {"source_cidr_ip": "128.0.0.0/1"},
        {"source_cidr_ip": "10.0.0.0/8"},
        {"ipv6_source_cidr_ip": "::/0"},
        {"source_group_id": "sg-other"},
        {"source_prefix_list_id": "pl-narrow"},
        {"source_prefix_list_id": "pl-wide"},
        {"source_prefix_list_id": "pl-none"},
    ]
)
_RULES = st.builds(
    lambda source, **rest: {**source, **rest},
    _SOURCES,
    port_range=_PORTS,
    policy=st.sampled_from(["Accept", "Accept", "Drop"]),
    protocol=st.sampled_from(["TCP", "UDP", "ALL", "ICMP", "GRE", "6", "132"]),
    direction=st.sampled_from(["ingress", "ingress", "egress"]),
    priority=st.integers(1, 3),
)


@pytest.mark.parametrize("identifier", RevokePublicIngress.repairs)
@given(rules=st.lists(_RULES, max_size=5), managed=st.sampled_from([False, False, True]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_message_is_deleted_only_where_the_rule_is_satisfied(
    bench: Bench, identifier: str, rules: list[dict[str, Any]], managed: bool
) -> None:
    """Fixed or already compliant: Cloud Config says so too, or that the rule does not apply."""
    bench.emulator.reset("ecs", "config")
    bench.emulator.config.add_rule(identifier)
    bench.emulator.put_prefix_list("pl-narrow", ["203.0.113.0/24"])
    bench.emulator.put_prefix_list("pl-wide", ["0.0.0.0/0"])
    bench.emulator.create_security_groups([GROUP], permissions=rules, managed=managed)

    ending = bench.repair()

    if SETTLED_BY[ending.outcome] is Settlement.DELETE:
        judged = {each.identifier: each.compliance for each in bench.emulator.compliance(security_group=GROUP)}
        assert judged[identifier] in ("COMPLIANT", "NOT_APPLICABLE"), (ending, rules)
