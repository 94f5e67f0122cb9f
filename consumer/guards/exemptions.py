"""Which resources are exempt from repair, who answers for it and until when. Pure: time and tags are passed in.

Everything an exemption names narrows it: resource type, account, region, name and tags have to fit all. What it does
not name does not matter. An exemption that has expired covers nothing any more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from consumer.resources.base import Resource


@dataclass(frozen=True, slots=True)
class Exemption:
    """One configured `[[exemptions]]` entry."""

    name: str
    owner: str
    """Who answers for it."""
    reason: str
    expires_at: float
    """Wall-clock seconds since the epoch."""
    resource_types: frozenset[str] = frozenset()
    """Empty for every type. Ids of different kinds may look alike, and so fit the same pattern."""
    accounts: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    resources: tuple[str, ...] = ()
    """Shell patterns on the resource's id."""
    tags: tuple[tuple[str, str], ...] = ()
    """Keys with shell patterns on their values; the resource has to carry all of them."""
    rules: frozenset[str] = frozenset()
    """Names of rules; empty for every rule."""

    def covers(self, rule: str, resource: Resource, region: str) -> bool:
        """Whether everything but the tags fits; `region` is empty while it is not known."""
        return (
            (not self.rules or rule in self.rules)
            and (not self.resource_types or resource.resource_type in self.resource_types)
            and (not self.accounts or resource.account_id in self.accounts)
            and (not self.regions or region in self.regions)
            and (not self.resources or any(fnmatchcase(resource.resource_id, pattern) for pattern in self.resources))
        )

    def fits(self, tags: Mapping[str, str]) -> bool:
        """Whether the resource carries every tag that this exemption names."""
        return all(key in tags and fnmatchcase(tags[key], pattern) for key, pattern in self.tags)


class Exemptions:
    """All of them, in the order of the configuration."""

    def __init__(self, entries: Sequence[Exemption], wall: Callable[[], float]) -> None:
        self.entries = tuple(entries)
        self._wall = wall

    def without_a_look(self, rule: str, resource: Resource, region: str) -> Exemption | None:
        """The first exemption that covers the resource as its event names it; `region` is empty if it names none."""
        return next((found for found in self._valid(rule, resource, region) if not found.tags), None)

    def after_a_look(
        self, rule: str, resource: Resource, region: str, read_tags: Callable[[], Mapping[str, str]]
    ) -> Exemption | None:
        """The first exemption that covers the live resource; its tags are read only if they decide.

        Raises:
            ServiceError: they decide and cannot be read.
        """
        candidates = self._valid(rule, resource, region)
        if plain := next((found for found in candidates if not found.tags), None):
            return plain
        if not candidates:
            return None
        tags = read_tags()
        return next((found for found in candidates if found.fits(tags)), None)

    def _valid(self, rule: str, resource: Resource, region: str) -> list[Exemption]:
        now = self._wall()
        return [found for found in self.entries if now < found.expires_at and found.covers(rule, resource, region)]


def exemption_toml(name: str, owner: str, reason: str, until: date, account: str, resource: str, rule: str) -> str:
    """The `[[exemptions]]` entry, in TOML, that leaves one resource to its owner as far as one rule goes."""
    return "\n".join(
        (
            "[[exemptions]]",
            f"name = {_toml(name)}",
            f"owner = {_toml(owner)}",
            f"reason = {_toml(reason)}",
            f"expires = {until.isoformat()}",
            f"accounts = [{_toml(account)}]",
            f"resources = [{_toml(resource)}]",
            f"rules = [{_toml(rule)}]",
            "",
        )
    )


def _toml(value: str) -> str:
    """A TOML string; JSON's notation is one, once it has no surrogates and no DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
