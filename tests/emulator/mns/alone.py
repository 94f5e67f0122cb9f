"""The service without HTTP around it, called with signed requests; for tests that move the clock."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from emulator.http import Request, Response
from emulator.mns import MnsService
from emulator.mns.signature import sign_v2, v2_strings_to_sign
from emulator.server import create_world
from emulator.settings import Settings
from emulator.world import World

XMLNS = 'xmlns="http://mns.aliyuncs.com/doc/v1/"'


def journaled(world: World, operation: str) -> list[dict[str, Any]]:
    """Every entry of one operation, oldest first."""
    return [entry.as_json() for entry in world.journal.after(0, 1_000_000) if entry.operation == operation]


@dataclass
class Alone:
    """One service, its world and its signer."""

    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        self.world = create_world(self.settings)
        self.service = MnsService(self.world)

    def request(self, method: str, target: str, body: str = "", **headers: str) -> Request:
        """An unsigned request with the headers every client sends; underscores in names stand for hyphens."""
        path, _, query = target.partition("?")
        sent = {
            "host": "127.0.0.1",
            "date": formatdate(self.world.clock.now(), usegmt=True),
            "x-mns-version": "2015-06-06",
        }
        if body:
            sent["content-type"] = "text/xml;charset=UTF-8"
            sent["content-md5"] = b64encode(
                hashlib.md5(body.encode(), usedforsecurity=False).hexdigest().encode()
            ).decode()
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return Request(method, path, query, sent, body.encode())

    def signed(self, method: str, target: str, body: str = "", **headers: str) -> Request:
        """The same, signed with the right key."""
        request = self.request(method, target, body, **headers)
        signature = sign_v2(self.settings.access_key_secret, next(v2_strings_to_sign(request)))
        request.headers["authorization"] = f"MNS {self.settings.access_key_id}:{signature}"
        return request

    async def call(self, method: str, target: str, body: str = "", **headers: str) -> Response:
        """Send a signed request."""
        return await self.service.handle(self.signed(method, target, body, **headers))

    async def make_queue(self, name: str, **attributes: int) -> None:
        """Create a queue with attributes by their XML names."""
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in attributes.items())
        assert (await self.call("PUT", f"/queues/{name}", f"<Queue {XMLNS}>{inner}</Queue>")).status == 201

    async def send(self, queue: str, body: str, extra: str = "") -> Response:
        """Send a message, with further elements already written."""
        message = f"<Message {XMLNS}><MessageBody>{body}</MessageBody>{extra}</Message>"
        return await self.call("POST", f"/queues/{queue}/messages", message)

    async def receive(self, queue: str, query: str = "") -> Response:
        """Receive, with a query such as `?waitseconds=5`."""
        return await self.call("GET", f"/queues/{queue}/messages{query}")

    def held(self) -> int:
        """How many long polls are held."""
        return int(self.service.state()["long_polls_held"])

    async def until_held(self, polls: int) -> None:
        """Give other tasks their turn until that many long polls are held."""
        for _ in range(1000):
            if self.held() == polls:
                return
            await asyncio.sleep(0)
        raise AssertionError(f"{self.held()} polls are held, not {polls}")
