"""What both ways to assume a role share: the role that a request names, and the temporary key that is handed out.

Every role of every account may be assumed, for neither roles nor trust policies are emulated.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from emulator.identity import AccessKey
from emulator.refusal import Refusal
from emulator.rpc_codes import Rpc
from emulator.world import World

_ROLE = re.compile(r"acs:ram::([0-9]{5,20}):role/([A-Za-z0-9.-]{1,64})", re.ASCII)
_SESSION = re.compile(r"[A-Za-z0-9.@_-]{2,64}", re.ASCII)
_LEAST_SECONDS, _MOST_SECONDS = 900, 43_200


@dataclass(frozen=True, slots=True)
class RoleRequest:
    """A request whose parameters have the right form."""

    account_id: str
    role_name: str
    session_name: str
    seconds: int

    @property
    def role(self) -> str:
        """The role's name in every API."""
        return f"acs:ram::{self.account_id}:role/{self.role_name}"


def role_request(query: Mapping[str, str]) -> RoleRequest:
    """Which role is requested, under which session name, and for how long.

    Raises:
        Refusal: a parameter is missing or wrong.
    """
    role = _ROLE.fullmatch(query.get("RoleArn", ""))
    if role is None:
        raise Refusal(Rpc.ROLE_ARN)
    session, seconds = query.get("RoleSessionName", ""), query.get("DurationSeconds", "3600")
    if not _SESSION.fullmatch(session):
        raise Refusal(Rpc.SESSION_NAME)
    if not seconds.isdecimal() or not _LEAST_SECONDS <= int(seconds) <= _MOST_SECONDS:
        raise Refusal(Rpc.DURATION)
    return RoleRequest(role.group(1), role.group(2), session, int(seconds))


def hand_out(world: World, requested: RoleRequest, operation: str, caller_id: str) -> dict[str, Any]:
    """The part of the answer that both ways have; the new key may sign at once."""
    ends_at = world.clock.now() + requested.seconds
    key = AccessKey(
        access_key_id="STS." + secrets.token_hex(12),
        secret=secrets.token_urlsafe(32),
        account_id=requested.account_id,
        security_token=secrets.token_urlsafe(96),
        expires_at=ends_at,
    )
    world.identities.add(key)
    request_id = world.request_id()
    world.journal.changed(
        "sts",
        operation,
        requested.role,
        request_id=request_id,
        access_key_id=caller_id,
        session=requested.session_name,
        assumed_access_key_id=key.access_key_id,
    )
    return {
        "RequestId": request_id,
        "AssumedRoleUser": {
            "Arn": f"acs:sts::{requested.account_id}:assumed-role/{requested.role_name}/{requested.session_name}",
            "AssumedRoleId": f"3{requested.account_id}:{requested.session_name}",
        },
        "Credentials": {
            "AccessKeyId": key.access_key_id,
            "AccessKeySecret": key.secret,
            "SecurityToken": key.security_token,
            "Expiration": iso(ends_at),
        },
    }


def iso(seconds: float) -> str:
    """A moment as STS writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
