"""Which ingress rules are open to the world on certain ports. Pure.

The managed rules of Cloud Config look for the source 0.0.0.0/0 and a port range that holds a risky port, and for the
range -1/-1 (https://www.alibabacloud.com/help/en/cloud-config/latest/sg-risky-ports-check and
…/sg-public-access-check). What is decided here is stricter, so that nothing is called closed that they call open:

* IPv6 counts, and so does every block that is wider than the service itself calls narrow when it speaks of public
  access: see `consumer.resources.addresses`.
* A dropping rule of a higher priority changes nothing. What it hides opens on the day it is removed, and only one of
  the pages takes it into account.
* A rule that limits the destination or the source port is as open as one that does not.

What is not fully understood is neither: see `Verdict.UNKNOWN`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network

from consumer.resources.addresses import Network, are_narrow, network_of
from consumer.resources.ecs.security_group import IngressRule

_WITH_PORTS = frozenset({"TCP", "UDP", "6", "17"})
_WITHOUT_PORTS = frozenset({"ICMP", "ICMPV6", "GRE"})
_EVERY_PROTOCOL = "ALL"
_EVERY_PORT = "-1/-1"
_RANGE = re.compile(r"(0|[1-9][0-9]{0,4})/(0|[1-9][0-9]{0,4})", re.ASCII)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,2}", re.ASCII)


class Openness(Enum):
    """What a rule is."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    """It may be open: what decides is in a list that was not read, or in a form that nobody here knows."""


@dataclass(frozen=True, slots=True)
class OpenCriteria:
    """What counts as open."""

    ports: frozenset[int]
    """TCP and UDP ports."""
    whole_range: bool = False
    """Whether a rule for the range -1/-1 counts, too, whatever its protocol."""
    kept: tuple[Network, ...] = ()
    """Sources that may be as wide as they are, and every part of them."""

    def of(self, rule: IngressRule) -> Openness:
        """Whether the rule opens one of the ports to the world."""
        return self._verdict(rule, self._is_wide(rule))

    def of_sources(self, rule: IngressRule, blocks: Sequence[str]) -> Openness:
        """The same, where the rule's prefix list stands for these blocks."""
        return self._verdict(rule, self._are_wide(blocks))

    def _verdict(self, rule: IngressRule, wide: bool | None) -> Openness:
        policy, reaches = rule.policy.lower(), self._reaches(rule)
        if policy == "drop" or reaches is False or wide is False:
            return Openness.CLOSED
        return Openness.OPEN if reaches and wide and policy == "accept" else Openness.UNKNOWN

    def _reaches(self, rule: IngressRule) -> bool | None:
        """Whether it lets traffic to one of the ports in; None if that cannot be known."""
        protocol = rule.protocol.upper()
        if rule.ports == _EVERY_PORT:
            return self._reaches_all(protocol)
        found = _RANGE.fullmatch(rule.ports)
        if found is None:
            return None
        holds = any(int(found[1]) <= port <= int(found[2]) for port in self.ports)
        if protocol in _WITH_PORTS:
            return holds
        # Of what has no ports the page knows the range -1/-1 only; another one is no known form.
        return False if _has_no_ports(protocol) and not holds else None

    def _reaches_all(self, protocol: str) -> bool | None:
        """The same for the range -1/-1."""
        if self.whole_range or protocol == _EVERY_PROTOCOL or protocol in _WITH_PORTS:
            return True
        return False if _has_no_ports(protocol) else None

    def _is_wide(self, rule: IngressRule) -> bool | None:
        """Whether its source is the world; None if that cannot be known."""
        blocks = [block for block in (rule.source, rule.ipv6_source) if block]
        if blocks:
            return self._are_wide(blocks)
        return False if rule.source_group and not rule.source_prefix_list else None

    def _are_wide(self, blocks: Sequence[str]) -> bool | None:
        """Whether one of them is, or all of them together are; None if that hangs on one in no known form."""
        others = [block for block in blocks if not self._is_kept(block)]
        known = [block for block in others if network_of(block) is not None]
        if known and not are_narrow(known):
            return True
        return False if len(known) == len(others) else None

    def _is_kept(self, block: str) -> bool:
        network = network_of(block)
        return network is not None and any(_is_within(network, kept) for kept in self.kept)


def described(rules: Sequence[IngressRule]) -> str:
    """The rules for people, a few of them by what they open to whom."""
    shown = [f"{rule.protocol} {_ports(rule)} from {_source(rule)}" for rule in rules[:_SHOWN]]
    more = [f"{len(rules) - _SHOWN} more"] if len(rules) > _SHOWN else []
    return ", ".join((*shown, *more))


_SHOWN = 3


def _ports(rule: IngressRule) -> str:
    return rule.ports or (f"the ports of {rule.port_list}" if rule.port_list else "no port range")


def _source(rule: IngressRule) -> str:
    listed = f"the prefix list {rule.source_prefix_list}" if rule.source_prefix_list else "no source"
    return rule.source or rule.ipv6_source or listed


def _has_no_ports(protocol: str) -> bool:
    """Whether it is a known protocol, by name or by number, apart from TCP and UDP, which are looked at before."""
    if _NUMBER.fullmatch(protocol):
        return int(protocol) < 256
    return protocol in _WITHOUT_PORTS


def _is_within(network: Network, block: Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(block, IPv4Network) and network.subnet_of(block)
    return isinstance(block, IPv6Network) and network.subnet_of(block)
