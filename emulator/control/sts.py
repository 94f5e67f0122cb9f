"""Answers requests in the form of the vendor's RPC services at the root of the control port: STS, and nothing else."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from emulator.control.answers import Json
from emulator.sts.assume_role import Refusal, assume_role
from emulator.world import World


def sts_answer(world: World, request: Request) -> Response:
    """The answer of STS, or its refusal in the services' own form."""
    try:
        answer = Json(assume_role(world, request.method, dict(request.query_params)))
    except Refusal as refusal:
        body = {
            "RequestId": world.request_id(),
            "HostId": request.headers.get("host", ""),
            "Code": refusal.code,
            "Message": str(refusal),
        }
        answer = Json(body, refusal.status)
    # The vendor's HTTP client keeps connections in a pool that nobody can close.
    answer.headers["Connection"] = "close"
    return answer
