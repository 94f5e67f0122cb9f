"""Serves the ECS API, whose every call is to its root: caller, action, and the answer or the refusal as JSON."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl

from emulator.acs3 import RpcRequest, caller
from emulator.ecs.api import ACTIONS, VERSION
from emulator.ecs.call import EcsCall
from emulator.ecs.group import Permission, PrefixList, SecurityGroup
from emulator.flow import Flow
from emulator.http import Request, Response
from emulator.refusal import Refusal
from emulator.rpc_codes import Rpc
from emulator.world import World

_log = logging.getLogger("emulator")
_CREDENTIAL = re.compile(r"Credential=([^,\s]+)")


class EcsService:
    """The security groups of every account and region."""

    name = "ecs"

    def __init__(self, world: World) -> None:
        self._world = world
        self._flow = Flow(world.options, world.clock.now, "ecs_calls_per_second")
        self._watchers: list[Callable[[str], None]] = []
        self.groups: dict[str, SecurityGroup] = {}
        """By id; written by this service and by the control port only."""
        self.prefix_lists: dict[str, PrefixList] = {}
        """By id; written by the control port only."""

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call it with the id of each group that was created, changed or deleted."""
        self._watchers.append(callback)

    def changed(self, group_id: str) -> None:
        """Tell everyone who watches."""
        for watcher in self._watchers:
            watcher(group_id)

    def create(self, group: SecurityGroup) -> None:
        """Add a group that the control port makes."""
        self.groups[group.id] = group
        self._world.journal.changed("control", "CreateSecurityGroup", group.id, after=group.as_json())
        self.changed(group.id)

    def put_rules(self, group: SecurityGroup, permissions: dict[str, Permission]) -> None:
        """Replace a group's rules, as somebody does by hand: no signature and no checks."""
        before, group.permissions = group.permissions, permissions
        self._world.journal.changed(
            "control",
            "PatchSecurityGroup",
            group.id,
            removed=[each.as_json() for id_, each in before.items() if permissions.get(id_) != each],
            added=[each.as_json() for id_, each in permissions.items() if before.get(id_) != each],
        )
        self.changed(group.id)

    def delete(self, group_id: str) -> None:
        """Delete a group with its rules."""
        gone = self.groups.pop(group_id)
        self._world.journal.changed("control", "DeleteSecurityGroup", group_id, before=gone.as_json(), deleted=True)
        self.changed(group_id)

    def state(self) -> dict[str, Any]:
        """Everything there is, for the control port."""
        return {
            "security_groups": {id_: group.as_json() for id_, group in self.groups.items()},
            "prefix_lists": {id_: asdict(each) for id_, each in self.prefix_lists.items()},
        }

    def reset(self) -> None:
        """Forget every group and prefix list."""
        self.groups.clear()
        self.prefix_lists.clear()

    def operation(self, request: Request) -> str:
        """The action, which a header names."""
        action = request.headers.get("x-acs-action", "")
        return action if action in ACTIONS else "Unknown"

    async def handle(self, request: Request) -> Response:
        """Answer one request, or refuse it."""
        request_id = self._world.request_id()
        try:
            return _json(200, {"RequestId": request_id, **self._answered(request, request_id)})
        except Refusal as refusal:
            operation = self.operation(request)
            if not refusal.row.covers(operation):
                _log.error("no row of the table of codes covers %s: %s", operation, refusal.row)
            self._journal_refusal(request, request_id, refusal)
            return self.error(request, refusal.status, refusal.code, str(refusal))

    def error(self, request: Request, status: int, code: str, message: str) -> Response:
        """A refusal in the service's own form."""
        known = {"RequestId": self._world.request_id(), "HostId": request.host}
        return _json(status, {**known, "Code": code, "Message": message})

    def _journal_refusal(self, request: Request, request_id: str, refusal: Refusal) -> None:
        """Where reads are journaled, refusals are, too."""
        given = _query(request)
        resource, key = given.get("SecurityGroupId", ""), _CREDENTIAL.search(request.headers.get("authorization", ""))
        self._world.journal.read(
            "ecs",
            self.operation(request),
            resource,
            request_id=request_id,
            access_key_id=key[1] if key else "",
            refused=refusal.code,
            status=refusal.status,
        )

    def _answered(self, request: Request, request_id: str) -> dict[str, Any]:
        call = RpcRequest(request.method, _query(request), request.headers, request.body)
        key = caller(self._world, call)
        operation = ACTIONS.get(request.headers.get("x-acs-action", ""))
        if operation is None or request.headers.get("x-acs-version") != VERSION:
            raise Refusal(Rpc.NO_ACTION)
        action = self.operation(request)
        if self._flow.refuses(key.access_key_id, action):
            raise Refusal(Rpc.THROTTLED)
        return operation(
            EcsCall(self._world, self.groups, self.prefix_lists, self.changed, action, call.parameters, key, request_id)
        )


def _query(request: Request) -> dict[str, str]:
    """What the URL asks; a plus sign is a space, as the vendor's client writes it."""
    return dict(parse_qsl(request.query, keep_blank_values=True))


def _json(status: int, value: dict[str, Any]) -> Response:
    # The vendor's HTTP client keeps connections in a pool that nobody can close.
    headers = [("Content-Type", "application/json;charset=utf-8"), ("Connection", "close")]
    return Response(status, headers, json.dumps(value, ensure_ascii=False).encode())
