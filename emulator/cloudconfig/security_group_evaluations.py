"""The managed rules for security groups: group and parameters in, verdict out.

https://www.alibabacloud.com/help/en/cloud-config/latest/sg-risky-ports-check , …/sg-public-access-check and
…/ecs-security-group-risky-ports-check-with-protocol . Only the last two say that a port which a rule of higher priority
denies does not count, and that groups which a cloud service or a virtual network operator uses are not judged; all
three look for 0.0.0.0/0 and name no IPv6 block. Annotations are not documented; these imitate those for buckets.
"""

from __future__ import annotations

from collections.abc import Iterable

from emulator.cloudconfig.evaluations import Parameters
from emulator.cloudconfig.security_group import GroupConfiguration, GroupRule
from emulator.cloudconfig.verdict import NOT_APPLICABLE, Annotation, Verdict

_EVERYONE = "0.0.0.0/0"
_PERMISSION = "$.Permissions.Permission"


def risky_ports(group: GroupConfiguration, parameters: Parameters) -> Verdict:
    """No ingress rule opens one of the ports to everyone, whatever its protocol."""
    ports = _ports(parameters)
    found = (rule for rule in _open_rules(group) if any(_covers(rule, port) for port in ports))
    return _verdict(found, parameters.get("ports", ""))


def risky_ports_with_protocol(group: GroupConfiguration, parameters: Parameters) -> Verdict:
    """The same for some protocols, and without what a rule of higher priority denies."""
    if group.managed:
        return NOT_APPLICABLE
    ports, protocols = _ports(parameters), {"ALL", *_split(parameters.get("protocol", "").upper())}
    found = (
        rule
        for rule in _open_rules(group)
        if rule.protocol in protocols and any(_covers(rule, port) and not _denied(group, rule, port) for port in ports)
    )
    return _verdict(found, parameters.get("ports", ""))


def public_access(group: GroupConfiguration, _: Parameters) -> Verdict:
    """No ingress rule has the port range -1/-1 and everyone as its source, unless another denies it first."""
    if group.managed:
        return NOT_APPLICABLE
    found = (rule for rule in _open_rules(group) if rule.ports is None and not _denied(group, rule, None))
    return _verdict(found, "-1/-1")


def _open_rules(group: GroupConfiguration) -> Iterable[GroupRule]:
    return (rule for rule in group.rules if rule.ingress and rule.accepts and rule.source == _EVERYONE)


def _covers(rule: GroupRule, port: int) -> bool:
    return rule.ports is None or rule.ports[0] <= port <= rule.ports[1]


def _denied(group: GroupConfiguration, rule: GroupRule, port: int | None) -> bool:
    """Whether a dropping rule comes first; it also does if both have one priority (page of AuthorizeSecurityGroup)."""
    return any(
        other.ingress
        and not other.accepts
        and other.priority <= rule.priority
        and other.source == _EVERYONE
        and other.protocol in ("ALL", rule.protocol)
        and (other.ports is None if port is None else _covers(other, port))
        for other in group.rules
    )


def _verdict(found: Iterable[GroupRule], unwanted: str) -> Verdict:
    rule = next(iter(found), None)
    described = "" if rule is None else f"{rule.protocol} {rule.described['PortRange']} from {rule.source}"
    return Verdict.unless(rule is not None, Annotation(described, unwanted, "NotContains", _PERMISSION))


def _ports(parameters: Parameters) -> list[int]:
    return [int(port) for port in _split(parameters.get("ports", "")) if port.isascii() and port.isdecimal()]


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
