"""A service that answers with what it was asked, to test what lies around services."""

from __future__ import annotations

import asyncio
import threading

from emulator.http import Request, Response


class EchoService:
    """Answers every request with its own parts; `/hold` waits, `/fail` breaks."""

    name = "mns"

    def __init__(self) -> None:
        self.carried_out: list[str] = []
        self.asked = threading.Event()
        """Set when the service has seen a request."""
        self.holding = threading.Event()
        """Set while a request is held."""
        self.cancelled = threading.Event()
        """Set when a held request was cancelled."""

    def operation(self, request: Request) -> str:
        """The first part of the path."""
        return request.path.split("/")[1] or "Root"

    async def handle(self, request: Request) -> Response:
        """Answer, hold or break."""
        self.carried_out.append(request.target)
        self.asked.set()
        if request.path == "/hold":
            await self._hold()
        if request.path == "/fail":
            raise RuntimeError("broken on purpose")
        headers = [("X-Mixed-Case", request.headers.get("x-asked", "")), ("Content-Type", "text/xml")]
        if request.path == "/last":
            headers.append(("Connection", "close"))
        if request.path == "/nothing":
            return Response(204, headers)
        return Response(200, headers, f"<Echo>{request.method} {request.target} ".encode() + request.body + b"</Echo>")

    async def _hold(self) -> None:
        self.holding.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    def error(self, request: Request, status: int, code: str, message: str) -> Response:
        """A refusal."""
        text = f"<Error><Code>{code}</Code><Message>{message}</Message><Of>{request.target}</Of></Error>"
        return Response(status, [("Content-Type", "text/xml")], text.encode())
