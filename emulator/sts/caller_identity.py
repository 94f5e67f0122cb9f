"""GetCallerIdentity: whose credentials a request is signed with; every identity may ask.

https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-getcalleridentity
"""

from __future__ import annotations

from typing import Any

from emulator.acs3 import RpcRequest, caller
from emulator.world import World

ACTION, VERSION = "GetCallerIdentity", "2015-04-01"


def caller_identity(world: World, request: RpcRequest) -> dict[str, Any]:
    """The answer to one request, signed by version 3.

    Raises:
        Refusal: the caller or its signature is not accepted.
    """
    key = caller(world, request)
    assumed = key.security_token is not None
    path = "assumed-role/emulated/session" if assumed else "root"
    return {
        "RequestId": world.request_id(),
        "AccountId": key.account_id,
        "Arn": f"acs:{'sts' if assumed else 'ram'}::{key.account_id}:{path}",
        "IdentityType": "AssumedRoleUser" if assumed else "Account",
        "PrincipalId": key.account_id,
        "UserId": key.account_id,
    }
