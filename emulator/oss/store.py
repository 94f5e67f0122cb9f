"""The buckets of all accounts, and the one place that says aloud that something changed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from emulator.oss.bucket import Bucket, RedundancyTransition
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.world import World

_MOST_BUCKETS = 100


class Store:
    """Owns the buckets and the accounts' Block Public Access; journals every change before it is answered."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.buckets: dict[str, Bucket] = {}
        self.blocked_accounts: set[str] = set()
        """Accounts whose Block Public Access is on."""
        self._finishing: set[asyncio.Task[None]] = set()
        self._listeners: list[Callable[[str], None]] = []

    def listen(self, callback: Callable[[str], None]) -> None:
        """Call back with a bucket's name after each change of its configuration."""
        self._listeners.append(callback)

    def blocks_public_access(self, bucket: Bucket) -> bool:
        """Whether Block Public Access holds for a bucket, by itself or by its account."""
        return bucket.public_access_block or bucket.owner_id in self.blocked_accounts

    def create(
        self,
        bucket: Bucket,
        operation: str,
        *,
        request_id: str = "",
        access_key_id: str = "",
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """Add a new bucket; `settings` are what it was configured with from the start, for the journal.

        Raises Refusal(TooManyBuckets) when the account's limit is switched on.
        """
        if self.world.options.get("oss_limit_buckets"):
            same = sum(
                1 for other in self.buckets.values()
                if other.owner_id == bucket.owner_id and other.region == bucket.region
            )  # fmt: skip
            if same >= _MOST_BUCKETS:
                raise OssRefusal(Oss.TOO_MANY_BUCKETS)
        self.buckets[bucket.name] = bucket
        self.changed(
            operation,
            bucket.name,
            request_id=request_id,
            access_key_id=access_key_id,
            before=None,
            after=bucket.acl,
            created=True,
            owner=bucket.owner_id,
            region=bucket.region,
            **({"settings": dict(settings)} if settings else {}),
        )

    def delete(self, name: str, operation: str, *, request_id: str = "", access_key_id: str = "") -> None:
        """Remove a bucket with everything in it."""
        bucket = self.buckets.pop(name)
        self.changed(
            operation,
            name,
            request_id=request_id,
            access_key_id=access_key_id,
            before=bucket.acl,
            after=None,
            deleted=True,
            owner=bucket.owner_id,
            region=bucket.region,
        )

    def block_account(
        self, account_id: str, blocks: bool, operation: str, *, request_id: str, access_key_id: str
    ) -> None:
        """Switch an account's Block Public Access; its buckets change by it, though none is journaled."""
        before = account_id in self.blocked_accounts
        (self.blocked_accounts.add if blocks else self.blocked_accounts.discard)(account_id)
        self.world.journal.changed(
            "oss", operation, "", request_id=request_id, access_key_id=access_key_id,
            account_id=account_id, before=before, after=blocks,
        )  # fmt: skip
        for bucket in list(self.buckets.values()):
            if bucket.owner_id == account_id:
                self._tell(bucket.name)

    def start_transition(self, bucket: Bucket) -> RedundancyTransition:
        """Start a bucket's move to zone redundancy; it ends by itself when the clock says so."""
        now = self.world.clock.now()
        seconds = float(str(self.world.options.get("oss_redundancy_transition_seconds", 3600)))
        transition = RedundancyTransition(secrets.token_hex(16), now, now + seconds)
        bucket.transitions[transition.task_id] = transition
        task = asyncio.get_running_loop().create_task(self._finish(bucket, transition))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)
        return transition

    async def _finish(self, bucket: Bucket, transition: RedundancyTransition) -> None:
        await self.world.clock.wait(asyncio.Event(), transition.finishes)
        self.settle(bucket)

    def settle(self, bucket: Bucket) -> None:
        """Let a move to zone redundancy that is over by now take effect."""
        now = self.world.clock.now()
        if bucket.redundancy == "ZRS" or all(task.finishes > now for task in bucket.transitions.values()):
            return
        bucket.redundancy = "ZRS"
        self.changed("BucketDataRedundancyTransitionFinished", bucket.name, before="LRS", after="ZRS")

    def changed(
        self,
        operation: str,
        name: str,
        *,
        request_id: str = "",
        access_key_id: str = "",
        **detail: Any,
    ) -> None:
        """Journal a change of a bucket's configuration, then tell the listeners."""
        self.world.journal.changed("oss", operation, name, request_id=request_id, access_key_id=access_key_id, **detail)
        self._tell(name)

    def _tell(self, name: str) -> None:
        for listener in self._listeners:
            listener(name)

    def reset(self) -> None:
        """Forget every bucket; the listeners stay."""
        for task in self._finishing:
            task.cancel()
        self.buckets.clear()
        self.blocked_accounts.clear()
