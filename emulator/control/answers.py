"""How the control port answers: JSON always, refusals with a field and a reason."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from emulator.control.bodies import Refused


class Json(Response):
    """A JSON answer; values that JSON does not know are written as text."""

    media_type = "application/json"

    def __init__(self, value: Any, status_code: int = 200) -> None:
        super().__init__(json.dumps(value, ensure_ascii=False, default=str).encode() + b"\n", status_code)


DONE = {"ok": True}


async def refused(_: Request, error: Exception) -> Response:
    """Answer for a `Refused`."""
    assert isinstance(error, Refused)
    return Json({"error": error.problem, "fields": error.fields}, error.status)


async def unknown(request: Request, _: Exception) -> Response:
    """Answer for a path that is none of ours."""
    return Json({"error": f"no such endpoint: {request.method} {request.url.path}; GET / lists them"}, 404)


async def wrong_method(request: Request, _: Exception) -> Response:
    """Answer for a method that the path does not know."""
    return Json({"error": f"{request.url.path} does not take {request.method}; GET / lists what it takes"}, 405)
