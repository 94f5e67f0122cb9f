"""Control endpoints for security groups: make many at once, change one by hand, delete one; nothing is signed here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.control.answers import DONE, Json
from emulator.control.bodies import Body, Refused, read
from emulator.ecs.api import new_rule_id
from emulator.ecs.group import Permission, PrefixList, SecurityGroup
from emulator.emulation import Emulation

_AT_ONCE = 50
GroupId = Annotated[str, Field(pattern=r"^sg-[A-Za-z0-9-]{1,60}$")]


class PermissionBody(Body):
    """One rule of a group; whatever is not named is not set."""

    id: str | None = Field(None, pattern=r"^sgr-[A-Za-z0-9-]{1,60}$")
    direction: Literal["ingress", "egress"] = "ingress"
    policy: Literal["Accept", "Drop"] = "Accept"
    protocol: str = Field("TCP", min_length=1)
    port_range: str = "22/22"
    port_range_list_id: str = ""
    priority: int = Field(1, ge=1, le=100)
    source_cidr_ip: str = ""
    ipv6_source_cidr_ip: str = ""
    source_group_id: str = ""
    source_group_owner_account: str = ""
    source_prefix_list_id: str = ""
    source_port_range: str = ""
    dest_cidr_ip: str = ""
    ipv6_dest_cidr_ip: str = ""
    nic_type: Literal["intranet", "internet"] = "intranet"
    description: str = ""

    def made(self, now: float) -> Permission:
        """The rule, with a new id unless one is named."""
        named = self.model_dump(exclude={"id"})
        return Permission(id=self.id or new_rule_id(), created=now, **named)


class GroupSettings(Body):
    """PATCH /security-groups/{group}: only what is named is changed; `permissions` replaces all rules."""

    name: str = ""
    vpc_id: str = "vpc-emulated"
    type: Literal["normal", "enterprise"] = "normal"
    managed: bool = False
    description: str = ""
    tags: dict[str, str] = Field(default_factory=dict)
    owner_id: str = Field("", min_length=1)
    region: str = Field("", min_length=1)
    permissions: list[PermissionBody] = Field(default_factory=list)


class GroupsBody(GroupSettings):
    """POST /security-groups: `ids`, or `prefix` and `count`; the settings hold for all of them."""

    ids: list[GroupId] = Field(default_factory=list)
    prefix: GroupId = "sg-emulated"
    count: int = Field(0, ge=0, le=100_000)
    first: int = Field(0, ge=0)

    def all_ids(self) -> list[str]:
        """The wanted ids."""
        return [*self.ids, *(f"{self.prefix}{number:05d}" for number in range(self.first, self.first + self.count))]


class PrefixListBody(Body):
    """PUT /prefix-lists/{list}."""

    blocks: list[str] = Field(min_length=1)
    owner_id: str | None = Field(None, min_length=1)
    region: str | None = Field(None, min_length=1)


class SecurityGroupEndpoints:
    """The security groups of the emulated ECS, and the prefix lists that their rules may name."""

    def __init__(self, emulation: Emulation) -> None:
        self._ecs = emulation.ecs
        self._world = emulation.world

    def routes(self) -> list[Route]:
        """This module's part of the control port."""
        return [
            Route("/security-groups", self.listed, methods=["GET"]),
            Route("/security-groups", self.create, methods=["POST"]),
            Route("/security-groups/{group}", self.show, methods=["GET"]),
            Route("/security-groups/{group}", self.change, methods=["PATCH"]),
            Route("/security-groups/{group}", self.delete, methods=["DELETE"]),
            Route("/prefix-lists/{list}", self.put_prefix_list, methods=["PUT"]),
        ]

    async def listed(self, _: Request) -> Response:
        """Every group's id with its number of rules."""
        return Json({"security_groups": {id_: len(group.permissions) for id_, group in self._ecs.groups.items()}})

    async def create(self, request: Request) -> Response:
        """Create them; none when one of the ids is taken."""
        body = await read(request, GroupsBody)
        ids = body.all_ids()
        if not ids:
            raise Refused("ids: at least one id, or a prefix with a count above 0")
        if taken := [each for each in ids if each in self._ecs.groups]:
            raise Refused(f"these exist already: {', '.join(taken[:10])}", status=409)
        for number, group_id in enumerate(ids):
            self._ecs.create(self._made(group_id, body))
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)  # others are served meanwhile
        return Json({"security_groups": ids}, 201)

    def _made(self, group_id: str, body: GroupsBody) -> SecurityGroup:
        now = self._world.clock.now()
        return SecurityGroup(
            id=group_id,
            name=body.name or group_id,
            owner_id=body.owner_id or self._world.account_id,
            region=body.region or self._world.region,
            created=now,
            vpc_id=body.vpc_id,
            type=body.type,
            managed=body.managed,
            description=body.description,
            tags=dict(body.tags),
            permissions=_by_id(each.made(now) for each in body.permissions),
        )

    async def show(self, request: Request) -> Response:
        """One group with its rules."""
        return Json(self._group(request).as_json())

    async def change(self, request: Request) -> Response:
        """Somebody changes it by hand: no signature and no checks, journaled as `control`."""
        group, body = self._group(request), await read(request, GroupSettings)
        for name in body.model_fields_set - {"permissions"}:
            setattr(group, name, getattr(body, name))
        now = self._world.clock.now()
        wanted = _by_id(each.made(now) for each in body.permissions)
        self._ecs.put_rules(group, wanted if "permissions" in body.model_fields_set else group.permissions)
        return Json(group.as_json())

    async def delete(self, request: Request) -> Response:
        """Delete it with its rules."""
        self._ecs.delete(self._group(request).id)
        return Json(DONE)

    async def put_prefix_list(self, request: Request) -> Response:
        """Create a prefix list, or replace what is in it."""
        body, world = await read(request, PrefixListBody), self._world
        made = PrefixList(
            id=request.path_params["list"],
            owner_id=body.owner_id or world.account_id,
            region=body.region or world.region,
            blocks=tuple(body.blocks),
        )
        self._ecs.prefix_lists[made.id] = made
        world.journal.changed("control", "PutPrefixList", made.id, blocks=body.blocks)
        return Json(DONE)

    def _group(self, request: Request) -> SecurityGroup:
        group_id = request.path_params["group"]
        group = self._ecs.groups.get(group_id)
        if group is None:
            raise Refused(f"no such security group: {group_id}", status=404)
        return group


def _by_id(permissions: Iterable[Permission]) -> dict[str, Permission]:
    return {each.id: each for each in permissions}
