"""Revokes the ingress rules of a security group that open risky ports to the world."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from consumer.core.errors import ChangedMeanwhile, PermissionMissing
from consumer.core.outcome import Outcome
from consumer.remediations.base import Change, Compliant, Finding, Grant, Options, Remediation, ReportOnly
from consumer.remediations.oss._setting import Notation
from consumer.resources.addresses import network_of
from consumer.resources.base import ResourceKind
from consumer.resources.ecs.kind import SECURITY_GROUPS
from consumer.resources.ecs.openness import OpenCriteria, Openness, described
from consumer.resources.ecs.security_group import GroupInfo, IngressRule, NoSuchRule, SecurityGroup

RISKY_PORTS = "sg-risky-ports-check"
RISKY_PORTS_OF_PROTOCOLS = "ecs-security-group-risky-ports-check-with-protocol"
PUBLIC_ACCESS = "sg-public-access-check"

_READ_PREFIX_LISTS = "ecs:DescribePrefixListAttributes"


class PublicIngressOptions(Options):
    """Settings of `ecs.revoke-public-ingress`."""

    ports: Annotated[tuple[Annotated[int, Field(ge=1, le=65_535)], ...], Field(strict=False, min_length=1)] = Field(
        default=(22, 3389),
        description=(
            "TCP and UDP ports that must not be open to the world: those of the managed rule's parameter. A rule whose"
            " port range holds one of them is revoked whole, with every other port of its range."
        ),
    )
    whole_range: bool = Field(
        default=True,
        description=(
            "Whether rules with the port range -1/-1 that are open to the world are revoked whatever their protocol,"
            " so those for ICMP (ping) and GRE, too. The managed rules judge the range and not the protocol."
        ),
    )
    keep_sources: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(),
        description=(
            "Address blocks that may be let in although they are wider than /8 (IPv6: /32), and every part of them."
            " Narrower blocks are let in without standing here."
        ),
        examples=[["32.0.0.0/6"]],
    )

    @field_validator("keep_sources")
    @classmethod
    def _are_blocks(cls, blocks: tuple[str, ...]) -> tuple[str, ...]:
        for block in blocks:
            network = network_of(block)
            if network is None or network.prefixlen == 0:
                raise ValueError(f"has to hold address blocks such as 32.0.0.0/6 and not everyone, given {block!r}")
        return blocks


@dataclass(frozen=True, slots=True)
class Ingress:
    """The ingress rules of a group, and what the lists hold that they name."""

    rules: tuple[IngressRule, ...]
    managed: bool = False
    """Whether a cloud service keeps the group for itself."""
    prefix_lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Address blocks by list, of the lists that could be read."""
    denied: bool = False
    """Whether a list could not be, because the right to is missing."""


class RevokePublicIngress(Remediation[SecurityGroup, GroupInfo, Ingress]):
    """RevokeSecurityGroup:
    https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-revokesecuritygroup
    """

    kind: ClassVar[ResourceKind] = SECURITY_GROUPS
    name: ClassVar[str] = "ecs.revoke-public-ingress"
    summary: ClassVar[str] = "revokes the ingress rules that open risky ports to the world, and no others"
    repairs: ClassVar[tuple[str, ...]] = (RISKY_PORTS, RISKY_PORTS_OF_PROTOCOLS, PUBLIC_ACCESS)
    reversible: ClassVar[str] = "yes: the rules are added again as they were, under new ids"
    may_break: ClassVar[str] = (
        "whoever reaches the instances over such a rule no longer does; connections that exist may go on for a while"
    )
    actions: ClassVar[tuple[str, ...]] = ("ecs:DescribeSecurityGroupAttribute", "ecs:RevokeSecurityGroup")
    undo_actions: ClassVar[tuple[str, ...]] = ("ecs:AuthorizeSecurityGroup",)

    Options: ClassVar[type[PublicIngressOptions]] = PublicIngressOptions

    notation: ClassVar[Notation[tuple[IngressRule, ...]]] = Notation(tuple[IngressRule, ...])

    def __init__(self, options: PublicIngressOptions) -> None:
        blocks = (network_of(block) for block in options.keep_sources)
        self._options = options
        self._exposure = OpenCriteria(
            frozenset(options.ports), options.whole_range, tuple(block for block in blocks if block is not None)
        )

    def inspect(self, group: SecurityGroup, identity: GroupInfo) -> Ingress:
        """Every ingress rule, and the prefix lists without which it cannot be known whether one is open."""
        rules = tuple(listed.rule for listed in group.ingress())
        wanted = {rule.source_prefix_list for rule in rules if self._exposure.of(rule) is Openness.UNKNOWN}
        lists: dict[str, tuple[str, ...]] = {}
        for name in sorted(wanted - {""}):
            try:
                lists[name] = group.prefix_list(name)
            except PermissionMissing:
                # What was not read is not understood, and reported as that.
                return Ingress(rules, identity.managed, lists, denied=True)
        return Ingress(rules, identity.managed, lists)

    def plan(self, state: Ingress) -> Finding:
        """Revoke what is open; what may be open and is not understood is left to a person."""
        judged = [(rule, self._judged(rule, state.prefix_lists)) for rule in state.rules]
        found = _sorted(rule for rule, verdict in judged if verdict is Openness.OPEN)
        unknown = _sorted(rule for rule, verdict in judged if verdict is Openness.UNKNOWN)
        text = self.notation.text(found)
        if state.managed and (found or unknown):
            what = f"{described([*found, *unknown])}: a cloud service manages the group and alone can change its rules"
            return ReportOnly(text, what, Outcome.WOULD_FIX, "managed_by_service")
        if found:
            return Change(text, self.notation.text(()))
        if unknown:
            remedy = f"{_READ_PREFIX_LISTS} is not granted" if state.denied else "a person has to look"
            what = f"{described(unknown)}: it cannot be known whether that is open to the world; {remedy}"
            return ReportOnly(text, what, Outcome.WOULD_FIX, "rules_not_understood")
        return Compliant(text)

    def apply(self, group: SecurityGroup, change: Change) -> None:
        """Revoke what was planned and still stands there as it was.

        A rule that somebody has changed since is another one now, and stays. That one is gone already is no failure:
        somebody else has revoked it, or we have, and the answer was lost.
        """
        planned = self.notation.state(change.before)
        if not (rule_ids := _ids(group, planned)):
            return
        try:
            group.revoke(rule_ids)
        except NoSuchRule:
            if _ids(group, planned):
                text = "rules that were to be revoked have gone meanwhile, and others are still there"
                raise ChangedMeanwhile(self.name, text) from None

    def weakens(self, change: Change) -> str:
        """What is open again."""
        return f"open to the world again: {described(self.notation.state(change.before))}"

    def falls_short(self) -> Mapping[str, str]:
        """What judges the port range -1/-1 for everyone, whatever the protocol."""
        if self._options.whole_range:
            return {}
        return dict.fromkeys((RISKY_PORTS, PUBLIC_ACCESS), "options.whole_range = true")

    def further_grants(self) -> tuple[Grant, ...]:
        """Prefix lists that rules name are read; without the right such rules are left to a person."""
        return (Grant(_READ_PREFIX_LISTS, "acs:ecs:*:*:prefixlist/*", own=False),)  # shared ones are others'

    def revert(self, group: SecurityGroup, change: Change) -> None:
        """Add the rules again."""
        group.authorize(self.notation.state(change.before))

    def _judged(self, rule: IngressRule, lists: Mapping[str, tuple[str, ...]]) -> Openness:
        """The verdict on a rule whose prefix list, if it names one, was read."""
        if rule.source or rule.ipv6_source or rule.source_prefix_list not in lists:
            return self._exposure.of(rule)
        return self._exposure.of_sources(rule, lists[rule.source_prefix_list])


def _ids(group: SecurityGroup, rules: tuple[IngressRule, ...]) -> list[str]:
    """The ids under which these rules stand in the group now."""
    wanted = set(rules)
    return [listed.rule_id for listed in group.ingress() if listed.rule in wanted]


def _sorted(rules: Iterable[IngressRule]) -> tuple[IngressRule, ...]:
    """In an order of their own: that of the service's answers may change."""
    return tuple(sorted(rules, key=astuple))
