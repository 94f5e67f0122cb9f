"""The emulated OSS over HTTP in a thread, with the real SDK's clients for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import oss2
import requests

from emulator.identity import AccessKey
from emulator.journal import Entry
from emulator.oss import OssService
from emulator.settings import Endpoints
from emulator.world import World
from tests.patience import PATIENCE_SECONDS

T = TypeVar("T")

STRANGER = AccessKey("LTAIstranger", "stranger-secret", "2222222222222222")


@dataclass(frozen=True, slots=True)
class Running:
    """One running service; the world and the service belong to the loop's thread."""

    service: OssService
    world: World
    loop: asyncio.AbstractEventLoop
    endpoints: Endpoints

    @property
    def url(self) -> str:
        return self.endpoints.oss

    def inside(self, function: Callable[..., T], *args: Any) -> T:
        """Call something in the emulator's own thread."""

        async def call() -> T:
            return function(*args)

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(PATIENCE_SECONDS)

    def advance(self, seconds: float) -> None:
        """Move the emulated clock."""
        self.inside(self.world.clock.advance, seconds)

    def auth(self, kind: type = oss2.AuthV4) -> Any:
        """Credentials of the owner in one of the signature versions."""
        return kind(self.endpoints.access_key_id, self.endpoints.access_key_secret)

    def bucket(self, name: str = "bucket-one", *, auth: Any = None, region: str = "cn-hangzhou") -> oss2.Bucket:
        """The SDK's client of one bucket."""
        return oss2.Bucket(auth or self.auth(), self.url, name, region=region)

    def owner(self) -> oss2.Service:
        """The SDK's client of the account."""
        return oss2.Service(self.auth(), self.url, region="cn-hangzhou")

    def stranger(self, name: str = "bucket-one") -> oss2.Bucket:
        """The same bucket for a client of another account."""
        return self.bucket(name, auth=oss2.AuthV4(STRANGER.access_key_id, STRANGER.secret))

    def create(self, name: str = "bucket-one", **fields: Any) -> Any:
        """Create a bucket without a request."""
        return self.inside(lambda: self.service.create_bucket(name, **fields))

    def journal(self) -> list[Entry]:
        """What has been accepted so far."""
        return self.inside(lambda: list(self.world.journal.after(0, 1000)))

    def get(self, path: str, host: str | None = None) -> requests.Response:
        """An anonymous request, to whatever host."""
        headers = {} if host is None else {"Host": host}
        return requests.get(self.url + path, headers=headers, timeout=PATIENCE_SECONDS)
