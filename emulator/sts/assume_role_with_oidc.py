"""AssumeRoleWithOIDC: unsigned, on the word of an identity token alone, as pods on ACK do it (RRSA).

The token has to be a JSON Web Token that is not over; its signature, its issuer and its audience are not checked, for
OIDC providers are not emulated.
https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerolewithoidc
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from emulator.refusal import Refusal
from emulator.rpc_codes import Rpc
from emulator.sts.role_session import hand_out, iso, role_request
from emulator.world import World

_PROVIDER = re.compile(r"acs:ram::[0-9]{5,20}:oidc-provider/[A-Za-z0-9._-]{1,128}", re.ASCII)
_LONGEST_TOKEN = 20_000
_LATEST = 253_402_300_799
"""The end of the year 9999, in seconds since the epoch: what a date can still be written for."""


def assume_role_with_oidc(world: World, query: Mapping[str, str]) -> dict[str, Any]:
    """The answer to AssumeRoleWithOIDC.

    Raises:
        Refusal: the token or what it asks for is not accepted.
    """
    if not _PROVIDER.fullmatch(query.get("OIDCProviderArn", "")):
        raise Refusal(Rpc.OIDC_PROVIDER)
    claims = _claims(query.get("OIDCToken", ""))
    if world.clock.now() >= claims["exp"]:
        raise Refusal(Rpc.OIDC_EXPIRED)
    audience = claims.get("aud", "")
    return {
        **hand_out(world, role_request(query), "AssumeRoleWithOIDC", ""),
        "OIDCTokenInfo": {
            "Subject": str(claims.get("sub", "")),
            "Issuer": str(claims.get("iss", "")),
            "ClientIds": ",".join(map(str, audience)) if isinstance(audience, list) else str(audience),
            "ExpirationTime": iso(claims["exp"]),
            "IssuanceTime": iso(claims["iat"]),
            "VerificationInfo": "Success",
        },
    }


def _claims(token: str) -> dict[str, Any]:
    parts = token.strip().split(".")
    try:
        if len(token) > _LONGEST_TOKEN or len(parts) != 3:
            raise ValueError
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return {**claims, "exp": _moment(claims["exp"]), "iat": _moment(claims.get("iat", 0))}
    except (ValueError, TypeError, LookupError, AttributeError):
        raise Refusal(Rpc.OIDC_INVALID) from None


def _moment(value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise ValueError(value)
    return value
