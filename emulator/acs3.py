"""Who signed a request in the vendor's newer style: signature V3, `ACS3-HMAC-SHA256`, as its present SDKs write it.

https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature . Nonces may be used again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from emulator.identity import AccessKey
from emulator.refusal import Refusal
from emulator.rpc_codes import Rpc
from emulator.rpc_keys import check_time, known_key
from emulator.world import World

ALGORITHM = "ACS3-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=([^,\s]+),\s?SignedHeaders=([a-z0-9;-]+),\s?Signature=([0-9a-f]{{64}})", re.ASCII
)
_MUST_BE_SIGNED = frozenset({"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-content-sha256"})


@dataclass(frozen=True, slots=True)
class RpcRequest:
    """One request to a service whose every call is to its root."""

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters, wherever they stand: SDKs put them into the query for one action, into a form for another."""
        return {**dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)), **self.query}


def caller(world: World, request: RpcRequest) -> AccessKey:
    """The known key that signed the request.

    Raises:
        Refusal: no key that is known and valid did, or the request is too old.
    """
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        raise Refusal(Rpc.NO_AUTHORIZATION)
    key_id, names, signature = found.groups()
    key = known_key(world, key_id, request.headers.get("x-acs-security-token"))
    check_time(world, request.headers.get("x-acs-date", ""))
    signed = names.split(";")
    payload = hashlib.sha256(request.body).hexdigest()
    matches = (
        set(signed) >= _MUST_BE_SIGNED
        and request.headers.get("x-acs-content-sha256") == payload
        and hmac.compare_digest(_signature(key.secret, request, signed, payload), signature)
    )
    if not matches:
        raise Refusal(Rpc.SIGNATURE)
    return key


def _signature(secret: str, request: RpcRequest, signed: list[str], payload: str) -> str:
    query = "&".join(
        f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(request.query.items())
    )
    headers = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in signed)
    canonical = "\n".join([request.method, "/", query, headers, ";".join(signed), payload])
    text = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
