"""Answers requests in the form of the vendor's RPC services at the root of the control port: STS and Cloud Config.

Whoever names the action in the query signs with version 1 and asks STS. Whoever names it in a header signs with
version 3 and asks Cloud Config, or STS for GetCallerIdentity.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from emulator.acs3 import RpcRequest
from emulator.cloudconfig.api import config_answer
from emulator.codes import Row
from emulator.control.answers import Json
from emulator.emulation import Emulation
from emulator.faults import AFTERWARDS, BEFORE, CONFIG_FAULTS, INSTEAD, Kind
from emulator.refusal import Refusal
from emulator.rpc_codes import Rpc
from emulator.sts import caller_identity
from emulator.sts.assume_role import assume_role
from emulator.sts.assume_role_with_oidc import assume_role_with_oidc
from emulator.world import World

_log = logging.getLogger(__name__)


def is_rpc(request: Request) -> bool:
    """Whether an SDK asks, and not somebody who wants to see the index."""
    return "Action" in request.query_params or "x-acs-action" in request.headers


async def rpc_answer(emulation: Emulation, request: Request) -> Response:
    """The answer of the service, or its refusal in the services' own form."""
    try:
        answer = Json(await _answered(emulation, request))
    except Refusal as refusal:
        action = _action(request)
        if not refusal.row.covers(action):
            _log.error("no row of the table of codes covers %s: %s", action, refusal.row)
        body = {
            "RequestId": emulation.world.request_id(),
            "HostId": request.headers.get("host", ""),
            "Code": refusal.code,
            "Message": str(refusal),
        }
        answer = Json(body, refusal.status)
    # The vendor's HTTP client keeps connections in a pool that nobody can close.
    answer.headers["Connection"] = "close"
    return answer


async def _answered(emulation: Emulation, request: Request) -> dict[str, Any]:
    if "x-acs-action" not in request.headers:
        return _sts(emulation.world, request.method, {**request.query_params, **await _form(request)})
    call = RpcRequest(request.method, dict(request.query_params), dict(request.headers), await request.body())
    if (_action(request), request.headers.get("x-acs-version")) == (caller_identity.ACTION, caller_identity.VERSION):
        return caller_identity.caller_identity(emulation.world, call)
    await _meet_fault(emulation.world, request, BEFORE)
    await _meet_fault(emulation.world, request, INSTEAD)
    answer = await config_answer(emulation.world, emulation.config, call)
    await _meet_fault(emulation.world, request, AFTERWARDS)
    return answer


async def _meet_fault(world: World, request: Request, kinds: frozenset[Kind]) -> None:
    """Let a fault of service `config` strike: a late answer, or an error before or after the request is carried out."""
    host = request.headers.get("host", "")
    fault = world.faults.strike("config", _action(request), f"{host}/", kinds & CONFIG_FAULTS)
    if fault is None:
        return
    if fault.kind is Kind.LATENCY:
        await world.clock.sleep(fault.seconds)
    else:
        raise Refusal(Row("*", fault.code, fault.status, fault.message))


def _action(request: Request) -> str:
    return request.headers.get("x-acs-action") or request.query_params.get("Action", "")


async def _form(request: Request) -> dict[str, str]:
    """Parameters in the body, where some SDKs put those that are long or secret."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))


def _sts(world: World, method: str, query: dict[str, str]) -> dict[str, Any]:
    match query.get("Action"), query.get("Version"):
        case "AssumeRole", "2015-04-01":
            return assume_role(world, method, query)
        case "AssumeRoleWithOIDC", "2015-04-01":
            return assume_role_with_oidc(world, query)
        case _:
            raise Refusal(Rpc.NO_ACTION)
