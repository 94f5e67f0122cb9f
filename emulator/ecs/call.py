"""One request to the emulated ECS: who asks, what for, and which group it is about."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.ecs.codes import Ecs
from emulator.ecs.group import PrefixList, SecurityGroup
from emulator.identity import AccessKey
from emulator.refusal import Refusal
from emulator.world import World

_GROUP_ID = re.compile(r"sg-[A-Za-z0-9-]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class EcsCall:
    """One authenticated request."""

    world: World
    groups: Mapping[str, SecurityGroup]
    prefix_lists: Mapping[str, PrefixList]
    changed: Callable[[str], None]
    """Tells that a group was changed."""
    action: str
    given: Mapping[str, str]
    key: AccessKey
    request_id: str

    def visible(self) -> list[SecurityGroup]:
        """The caller's groups in the region of the request."""
        region = self._region()
        return [each for each in self.groups.values() if each.region == region and each.owner_id == self.key.account_id]

    def group(self) -> SecurityGroup:
        """The group that the request names; raises Refusal when there is none for this caller in this region."""
        region, group_id = self._region(), self.given.get("SecurityGroupId", "")
        if not _GROUP_ID.fullmatch(group_id):
            raise Refusal(Ecs.GROUP_FORM)
        found = self.groups.get(group_id)
        if found is None or found.region != region or found.owner_id != self.key.account_id:
            raise Refusal(Ecs.NO_GROUP)
        return found

    def changeable(self) -> SecurityGroup:
        """The same, unless a cloud service manages it."""
        found = self.group()
        if found.managed:
            raise Refusal(Ecs.MANAGED)
        return found

    def prefix_list(self) -> PrefixList:
        """The prefix list that the request names; raises Refusal when there is none for this caller in this region."""
        found, region = self.prefix_lists.get(self.given.get("PrefixListId", "")), self._region()
        if found is None or found.region != region or found.owner_id != self.key.account_id:
            raise Refusal(Ecs.NO_PREFIX_LIST)
        return found

    def read(self, resource: str, **detail: Any) -> None:
        """Journal that nothing was changed."""
        journal = self.world.journal
        journal.read(
            "ecs", self.action, resource, request_id=self.request_id, access_key_id=self.key.access_key_id, **detail
        )

    def wrote(self, group: SecurityGroup, **detail: Any) -> None:
        """Journal a change, and tell who watches."""
        journal = self.world.journal
        journal.changed(
            "ecs", self.action, group.id, request_id=self.request_id, access_key_id=self.key.access_key_id, **detail
        )
        self.changed(group.id)

    def wanted_ids(self) -> set[str] | None:
        """The ids that a list is limited to; None: no limit. Raises Refusal for a text that is no list of ids."""
        try:
            listed = json.loads(self.given["SecurityGroupIds"]) if "SecurityGroupIds" in self.given else None
        except ValueError:
            raise Refusal(Ecs.GROUP_FORM) from None
        if listed is None:
            return {self.given["SecurityGroupId"]} if "SecurityGroupId" in self.given else None
        if not isinstance(listed, list) or not 1 <= len(listed) <= 100:
            raise Refusal(Ecs.GROUP_FORM)
        if not all(isinstance(each, str) and _GROUP_ID.fullmatch(each) for each in listed):
            raise Refusal(Ecs.GROUP_FORM)
        return set(listed)

    def _region(self) -> str:
        if not (region := self.given.get("RegionId", "")):
            raise Refusal(Ecs.NO_REGION if self.action.startswith("Describe") else Ecs.NO_REGION_OF_CHANGE)
        return region
