"""Which key asks a service in the vendor's RPC style, and whether the token that comes along is its own.

The codes are those of the page of common error codes, https://www.alibabacloud.com/help/en/sdk/product-overview/ .
"""

from __future__ import annotations

from emulator.identity import AccessKey
from emulator.refusal import Refusal
from emulator.rpc_codes import Rpc
from emulator.world import World


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
