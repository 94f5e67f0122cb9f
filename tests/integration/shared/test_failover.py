"""A store whose address leads to another process from now on, as after a failover."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from consumer.core.errors import SharedUnreachable
from consumer.guards.limits import LimitReached
from consumer.guards.shared.store import Store, StoreAddress
from tests.integration.shared.places import RULE, limits, places
from tests.patience import PATIENCE_SECONDS
from tests.redis_server import redis_server
from tests.unit.fakes import Clock


class Address:
    """A port of its own that leads new connections to another one; those that are open stay where they are."""

    def __init__(self, port: int) -> None:
        self.leads_to = port
        self.damage: Callable[[bytes], bytes] = bytes
        """What becomes of whatever the store replies from now on."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self._sockets: list[socket.socket] = [self._listener]
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self.leads_to))
            self._sockets += [client, there]
            for source, target, change in ((client, there, bytes), (there, client, lambda data: self.damage(data))):
                carrier = threading.Thread(target=_carry, args=(source, target, change))
                self._threads.append(carrier)
                carrier.start()

    def close(self) -> None:
        """Break every connection off, and listen no more."""
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        for each in self._sockets:
            each.close()


def _carry(source: socket.socket, target: socket.socket, change: Callable[[bytes], bytes]) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(change(data))
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def address(port: int) -> Iterator[Address]:
    """Such an address for a block."""
    found = Address(port)
    try:
        yield found
    finally:
        found.close()


def test_a_store_that_takes_no_more_changes_is_looked_for_anew(tmp_path: Path) -> None:
    """The process behind a connection that stays open became a replica: held, then on with the one that took over.

    Connections outlive a failover where it moves a name or a service's address. `READONLY` on each of them for ever
    would hold every change until somebody restarts the workers.
    """
    clock = Clock(0.0)
    with redis_server(tmp_path) as first, redis_server(tmp_path) as second, address(first.port) as moved:
        first.is_new("test")
        store = Store(StoreAddress(moved.url, "test", 20.0), monotonic=clock)
        shared = limits(store)
        assert places(shared, 5) == 5
        moved.leads_to = second.port
        first.command("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(SharedUnreachable, match="read only"):
            shared.reserve(RULE, 0.0)
        clock.advance(10.0)
        found = shared.reserve(RULE, 0.0)
        assert isinstance(found, LimitReached), "another process may lack what was changed last"
        assert store.problem == ""
        store._client.delete(store.key("recovering"))  # its minute has passed
        assert isinstance(shared.reserve(RULE, 0.0), LimitReached), "it never had what was changed before"
        store.close()
