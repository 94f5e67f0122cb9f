"""AssumeRole, in the RPC style of the vendor's older APIs: everything is in the query, signed with HMAC-SHA1.

Every known key may assume every role.
https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from emulator.identity import AccessKey
from emulator.refusal import Refusal
from emulator.rpc_codes import Rpc
from emulator.rpc_keys import check_time, known_key
from emulator.sts.role_session import hand_out, role_request
from emulator.world import World


def assume_role(world: World, method: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The answer to AssumeRole; the new key may sign at once.

    Raises:
        Refusal: the caller, its signature or what it asks for is not accepted.
    """
    caller = _caller(world, method, query)
    return hand_out(world, role_request(query), "AssumeRole", caller.access_key_id)


def _caller(world: World, method: str, query: Mapping[str, str]) -> AccessKey:
    key = known_key(world, query.get("AccessKeyId", ""), query.get("SecurityToken"))
    check_time(world, query.get("Timestamp", ""))
    expected = _signature(method, {name: value for name, value in query.items() if name != "Signature"}, key.secret)
    if not hmac.compare_digest(expected.encode(), query.get("Signature", "").encode("utf-8", "surrogateescape")):
        raise Refusal(Rpc.SIGNATURE)
    return key


def _signature(method: str, query: Mapping[str, str], secret: str) -> str:
    """https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism"""
    canonical = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(query.items()))
    text = f"{method}&{_encoded('/')}&{_encoded(canonical)}"
    return base64.b64encode(hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()).decode()


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
