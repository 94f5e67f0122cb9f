"""AssumeRole, in the RPC style of the vendor's older APIs: everything is in the query, signed with HMAC-SHA1.

Every known key may assume every role.
https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from emulator.identity import AccessKey
from emulator.refusal import Refusal
from emulator.rpc_codes import Rpc
from emulator.sts.role_session import asked, hand_out
from emulator.world import World

_MAX_SKEW_SECONDS = 900.0


def assume_role(world: World, method: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The answer to AssumeRole; the new key may sign at once.

    Raises:
        Refusal: the caller, its signature or what it asks for is not accepted.
    """
    caller = _caller(world, method, query)
    return hand_out(world, asked(query), "AssumeRole", caller.access_key_id)


def _caller(world: World, method: str, query: Mapping[str, str]) -> AccessKey:
    key = world.identities.get(query.get("AccessKeyId", ""))
    if key is None:
        raise Refusal(Rpc.UNKNOWN_KEY)
    if key.security_token is not None and query.get("SecurityToken") != key.security_token:
        raise Refusal(Rpc.WRONG_TOKEN)
    if key.expires_at is not None and world.clock.now() >= key.expires_at:
        raise Refusal(Rpc.TOKEN_EXPIRED)
    _check_time(world, query.get("Timestamp", ""))
    expected = _signature(method, {name: value for name, value in query.items() if name != "Signature"}, key.secret)
    if not hmac.compare_digest(expected, query.get("Signature", "")):
        raise Refusal(Rpc.SIGNATURE)
    return key


def _check_time(world: World, text: str) -> None:
    try:
        signed_at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise Refusal(Rpc.TIME_FORMAT) from None
    if abs(signed_at - world.clock.now()) > _MAX_SKEW_SECONDS:
        raise Refusal(Rpc.TIME_EXPIRED)


def _signature(method: str, query: Mapping[str, str], secret: str) -> str:
    """https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism"""
    canonical = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(query.items()))
    text = f"{method}&{_encoded('/')}&{_encoded(canonical)}"
    return base64.b64encode(hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()).decode()


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
