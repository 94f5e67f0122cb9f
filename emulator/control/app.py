"""The control port as one application: every endpoint; its root lists them, or is an RPC service for SDKs."""

from __future__ import annotations

import inspect

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.control.answers import Json, refused, unknown, wrong_method
from emulator.control.bodies import Refused
from emulator.control.buckets import BucketEndpoints
from emulator.control.config import ConfigEndpoints
from emulator.control.faults import FaultEndpoints
from emulator.control.identities import IdentityEndpoints
from emulator.control.publishing import PublishingEndpoints
from emulator.control.queues import QueueEndpoints
from emulator.control.rpc import is_rpc, rpc_answer
from emulator.control.security_groups import SecurityGroupEndpoints
from emulator.control.time import ClockEndpoints, JournalEndpoints
from emulator.control.whole import WholeEndpoints
from emulator.emulation import Emulation


def control_app(emulation: Emulation) -> Starlette:
    """The control port of this emulation."""
    world = emulation.world
    routes = [
        *WholeEndpoints(emulation).routes(),
        *FaultEndpoints(world).routes(),
        *ClockEndpoints(world).routes(),
        *JournalEndpoints(world).routes(),
        *IdentityEndpoints(world).routes(),
        *QueueEndpoints(emulation).routes(),
        *BucketEndpoints(emulation).routes(),
        *SecurityGroupEndpoints(emulation).routes(),
        *ConfigEndpoints(emulation).routes(),
        *PublishingEndpoints(emulation).routes(),
    ]
    index = [_described(route) for route in routes]

    async def root(request: Request) -> Response:
        if is_rpc(request):
            return await rpc_answer(emulation, request)
        if request.method == "POST":
            raise HTTPException(405)
        return Json({"endpoints": index})

    handlers = {Refused: refused, 404: unknown, 405: wrong_method}
    return Starlette(routes=[Route("/", root, methods=["GET", "POST"]), *routes], exception_handlers=handlers)


def _described(route: Route) -> dict[str, str]:
    methods = ", ".join(sorted((route.methods or set()) - {"HEAD"}))
    purpose = (inspect.getdoc(route.endpoint) or "").partition("\n")[0]
    return {"method": methods, "path": route.path, "purpose": purpose}
