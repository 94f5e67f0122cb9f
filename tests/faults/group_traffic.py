"""Security groups among the traffic: opened, opened again, narrowed, deleted and reported while the worker is at it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from emulator.client import Emulator

PORTS_RULE = "sg-risky-ports-check"
RULE = f"""
[[rules]]
name = "risky-ports"
remediation = "ecs.revoke-public-ingress"
mode = "enforce"
config_rule_ids = ["{{rule_id}}"]
source_identifiers = ["{PORTS_RULE}"]
"""
_OFFICE = {"port_range": "22/22", "source_cidr_ip": "203.0.113.0/24"}
_WEB = {"port_range": "443/443", "source_cidr_ip": "0.0.0.0/0"}
_OPEN = (
    {"port_range": "22/22", "source_cidr_ip": "0.0.0.0/0"},
    {"port_range": "3389/3389", "source_cidr_ip": "0.0.0.0/0", "priority": 50},
    {"port_range": "1/65535", "source_cidr_ip": "0.0.0.0/0"},
    {"protocol": "ALL", "port_range": "-1/-1", "source_cidr_ip": "0.0.0.0/0"},
)
_OPEN_TO_IPV6 = {"port_range": "20/30", "ipv6_source_cidr_ip": "::/0"}
"""Never alone: by its page the managed rule looks for 0.0.0.0/0 only, so that there would be no event."""
_VARIANTS = ("current", "2021", "oldest", "log-service", "event-bridge")
"""The oldest form names no region, in which alone a group can be found: such events are for a person."""


class GroupTraffic:
    """Draws what happens to groups from seeded dice."""

    def __init__(self, emulator: Emulator, dice: random.Random) -> None:
        self._emulator = emulator
        self._dice = dice
        self._groups: list[str] = []
        self._deleted: list[str] = []
        self._count = 0
        self.managed: list[str] = []
        """Open groups that a cloud service manages: they have to stay as they are, and their messages wait."""
        self.happenings: tuple[tuple[int, Callable[[], None]], ...] = (
            (12, self._new_open_group),
            (6, self._group_reported_again),
            (6, self._group_opened_again),
            (2, self._group_narrowed_by_hand),
            (2, self._group_deleted),
            (2, self._stale_report_of_a_group),
            (1, self._group_of_a_service),
        )
        self.rule_id = emulator.config.add_rule(PORTS_RULE)

    @property
    def tables(self) -> str:
        """What a worker's configuration has to end with."""
        known = self._emulator
        return (
            f'\n[accounts]\nsts_endpoint = "{known.control.url}"\n'
            f'\n[ecs]\ncall_timeout_seconds = 1\n[ecs.endpoints]\n"*" = "{known.ecs}"\n'
            + RULE.format(rule_id=self.rule_id)
        )

    def open(self) -> list[str]:
        """The groups that are open and not to be left so."""
        groups = self._emulator.config.compliance(compliance="NON_COMPLIANT", rule=PORTS_RULE)
        return [each.resource_id for each in groups if each.resource_id not in self.managed]

    def _new_open_group(self) -> None:
        self._groups.append(self._create("sg-group"))

    def _group_reported_again(self) -> None:
        self._publish(self._recent(), count=self._dice.randint(1, 3))

    def _group_opened_again(self) -> None:
        if self._groups:
            self._rules(self._recent(), [*self._open(), _OFFICE, _WEB])

    def _group_narrowed_by_hand(self) -> None:
        if self._groups:
            self._rules(self._recent(), [_OFFICE, _WEB])

    def _group_deleted(self) -> None:
        """Most likely a moment after an event of it has set out."""
        if not self._groups:
            return
        group = self._recent()
        if self._dice.random() < 0.8:
            self._rules(group, self._open())
            time.sleep(self._dice.uniform(0, 0.03))
        self._emulator.delete_security_group(group)
        self._groups.remove(group)
        self._deleted.append(group)

    def _stale_report_of_a_group(self) -> None:
        group = self._dice.choice([self._recent(), *self._deleted[-20:], "sg-never-there"])
        long_ago = 1_600_000_000_000 + self._dice.randrange(10**9)
        self._publish(group, overrides={"evaluationResultIdentifier.orderingTimestamp": long_ago})

    def _group_of_a_service(self) -> None:
        self.managed.append(self._create("sg-managed", managed=True))

    def _create(self, kind: str, *, managed: bool = False) -> str:
        self._count += 1
        permissions = [*self._open(), _OFFICE, _WEB]
        made = self._emulator.create_security_groups(
            [f"{kind}-{self._count:06}"], permissions=permissions, managed=managed
        )
        return made[0]

    def _rules(self, group: str, permissions: list[dict[str, object]]) -> None:
        self._emulator.change_security_group(group, permissions=permissions)

    def _open(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = [dict(each) for each in self._dice.sample(_OPEN, self._dice.randint(1, 3))]
        return [*found, dict(_OPEN_TO_IPV6)] if self._dice.random() < 0.3 else found

    def _publish(self, group: str, **more: object) -> None:
        variant = "current" if "overrides" in more else self._dice.choice(_VARIANTS)
        encoding = self._dice.choice(("base64", "plain"))
        self._emulator.config.publish(security_group=group, rule=PORTS_RULE, variant=variant, encoding=encoding, **more)

    def _recent(self) -> str:
        """Most likely one of the newest groups: it is in work right now."""
        if not self._groups:
            return "sg-never-there"
        return self._dice.choice(self._groups[-8:] if self._dice.random() < 0.7 else self._groups)
