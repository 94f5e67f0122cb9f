"""AssumeRole, in the RPC style of the vendor's older APIs: everything is in the query, signed with HMAC-SHA1.

Every role of every account may be assumed by every known key, for neither roles nor trust policies are emulated.
https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from emulator.identity import AccessKey
from emulator.refusal import Refusal
from emulator.world import World

_ROLE = re.compile(r"acs:ram::([0-9]{5,20}):role/([A-Za-z0-9.-]{1,64})", re.ASCII)
_SESSION = re.compile(r"[A-Za-z0-9.@_-]{2,64}", re.ASCII)
_LEAST_SECONDS, _MOST_SECONDS = 900, 43_200
_MAX_SKEW_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose parameters have the right form."""

    account_id: str
    role_name: str
    session_name: str
    seconds: int


def assume_role(world: World, method: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The answer to AssumeRole; the new key may sign at once.

    Raises:
        Refusal: the caller, its signature or what it asks for is not accepted.
    """
    caller = _caller(world, method, query)
    asked = _asked(query)
    ends_at = world.clock.now() + asked.seconds
    key = AccessKey(
        access_key_id="STS." + secrets.token_hex(12),
        secret=secrets.token_urlsafe(32),
        account_id=asked.account_id,
        security_token=secrets.token_urlsafe(96),
        expires_at=ends_at,
    )
    world.identities.add(key)
    request_id = world.request_id()
    role = f"acs:ram::{asked.account_id}:role/{asked.role_name}"
    world.journal.changed(
        "sts",
        "AssumeRole",
        role,
        request_id=request_id,
        access_key_id=caller.access_key_id,
        session=asked.session_name,
        assumed_access_key_id=key.access_key_id,
    )
    return {
        "RequestId": request_id,
        "AssumedRoleUser": {
            "Arn": f"acs:sts::{asked.account_id}:assumed-role/{asked.role_name}/{asked.session_name}",
            "AssumedRoleId": f"3{asked.account_id}:{asked.session_name}",
        },
        "Credentials": {
            "AccessKeyId": key.access_key_id,
            "AccessKeySecret": key.secret,
            "SecurityToken": key.security_token,
            "Expiration": datetime.fromtimestamp(ends_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
    }


def _caller(world: World, method: str, query: Mapping[str, str]) -> AccessKey:
    key = world.identities.get(query.get("AccessKeyId", ""))
    if key is None:
        raise Refusal(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
    if key.security_token is not None and query.get("SecurityToken") != key.security_token:
        raise Refusal(400, "InvalidSecurityToken.Malformed", "The specified parameter SecurityToken is malformed.")
    if key.expires_at is not None and world.clock.now() >= key.expires_at:
        raise Refusal(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")
    _check_time(world, query.get("Timestamp", ""))
    expected = _signature(method, {name: value for name, value in query.items() if name != "Signature"}, key.secret)
    if not hmac.compare_digest(expected, query.get("Signature", "")):
        raise Refusal(400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.")
    return key


def _check_time(world: World, text: str) -> None:
    try:
        signed_at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise Refusal(400, "InvalidTimeStamp.Format", "Specified time stamp is not well formatted.") from None
    if abs(signed_at - world.clock.now()) > _MAX_SKEW_SECONDS:
        raise Refusal(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")


def _asked(query: Mapping[str, str]) -> Asked:
    if query.get("Action") != "AssumeRole" or query.get("Version") != "2015-04-01":
        raise Refusal(404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
    role = _ROLE.fullmatch(query.get("RoleArn", ""))
    if role is None:
        raise Refusal(400, "InvalidParameter.RoleArn", "The parameter RoleArn is wrongly formed.")
    session, seconds = query.get("RoleSessionName", ""), query.get("DurationSeconds", "3600")
    if not _SESSION.fullmatch(session):
        raise Refusal(400, "InvalidParameter.RoleSessionName", "The parameter RoleSessionName is wrongly formed.")
    if not seconds.isdecimal() or not _LEAST_SECONDS <= int(seconds) <= _MOST_SECONDS:
        raise Refusal(400, "InvalidParameter.DurationSeconds", "The Min/Max value of DurationSeconds is 15min/1hr.")
    return Asked(role.group(1), role.group(2), session, int(seconds))


def _signature(method: str, query: Mapping[str, str], secret: str) -> str:
    """https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism"""
    canonical = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(query.items()))
    text = f"{method}&{_encoded('/')}&{_encoded(canonical)}"
    return base64.b64encode(hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()).decode()


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
