"""Whose key signed a request in the vendor's RPC style, whether its token is its own, and whether it is in time.

The codes are those of the page of common error codes, https://www.alibabacloud.com/help/en/sdk/product-overview/ .
"""

from __future__ import annotations

from datetime import UTC, datetime

from emulator.identity import AccessKey
from emulator.refusal import Refusal
from emulator.rpc_codes import Rpc
from emulator.world import World

_MAX_SKEW_SECONDS = 900.0


def known_key(world: World, key_id: str, token: str | None) -> AccessKey:
    """The key of that id, with its own token, in its time; its signature is not looked at.

    Raises:
        Refusal: the key is unknown or expired, its token is missing, or the token is not that of this key.
    """
    key = world.identities.get(key_id)
    if key is None:
        raise Refusal(Rpc.UNKNOWN_KEY)
    if key.security_token is not None and not token:
        raise Refusal(Rpc.NO_TOKEN)
    if token and token != key.security_token:
        somebodys = any(token == other.security_token for other in world.identities.all())
        raise Refusal(Rpc.OTHER_TOKEN if somebodys else Rpc.WRONG_TOKEN)
    if key.expires_at is not None and world.clock.now() >= key.expires_at:
        raise Refusal(Rpc.TOKEN_EXPIRED)
    return key


def check_time(world: World, text: str) -> None:
    """Whether a request was signed within the time that the service allows.

    Raises:
        Refusal: the time is in another form, or too far from the service's clock.
    """
    try:
        signed_at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise Refusal(Rpc.TIME_FORMAT) from None
    if abs(signed_at - world.clock.now()) > _MAX_SKEW_SECONDS:
        raise Refusal(Rpc.TIME_EXPIRED)
