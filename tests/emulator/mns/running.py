"""The service on a port of its own, for the real SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mns.account import Account

from emulator.mns import MnsService
from emulator.settings import Endpoints
from emulator.world import World
from tests.emulator.mns.alone import journaled
from tests.patience import PATIENCE_SECONDS


@dataclass
class Running:
    """One emulated MNS behind a port of its own."""

    service: MnsService
    world: World
    loop: asyncio.AbstractEventLoop
    endpoints: Endpoints
    accounts: list[Any] = field(default_factory=list)

    def account(self, **changes: str) -> Any:
        """An SDK client with the right key, unless told otherwise."""
        keys = {"access_id": self.endpoints.access_key_id, "access_key": self.endpoints.access_key_secret, **changes}
        client = Account(self.endpoints.mns, **keys)
        self.accounts.append(client)
        return client

    def hang_up(self) -> None:
        """Close the connections of all clients: the SDK leaves them open."""
        while self.accounts:
            self.accounts.pop().get_client().close_connection()

    def inside(self, act: Callable[[], Any]) -> Any:
        """Do something in the server's own thread, as the control port does."""

        async def acting() -> Any:
            return act()

        return asyncio.run_coroutine_threadsafe(acting(), self.loop).result(timeout=PATIENCE_SECONDS)

    def journal(self, operation: str) -> list[dict[str, Any]]:
        """Every entry of one operation, oldest first."""
        return self.inside(lambda: journaled(self.world, operation))
