"""Clients that hang up while their long poll is held, over real connections."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from mns.queue import Message

from tests.emulator.mns.alone import Alone
from tests.emulator.mns.running import Running
from tests.patience import PATIENCE_SECONDS


def until(mns: Running, condition: Callable[[], bool]) -> None:
    """Ask the server's thread again and again; every question gives it a turn."""
    for _ in range(100_000):
        if mns.inside(condition):
            return
    raise AssertionError("it never came to that")


def held(mns: Running) -> int:
    return int(mns.service.state()["long_polls_held"])


def polling(mns: Running) -> socket.socket:
    """A connection with a long poll of thirty seconds on it."""
    address = urlsplit(mns.endpoints.mns)
    request = Alone().signed("GET", "/queues/q/messages?waitseconds=30", host=address.netloc)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    connection = socket.create_connection((address.hostname or "", address.port or 0), timeout=PATIENCE_SECONDS)
    connection.sendall(f"GET {request.target} HTTP/1.1\r\n{head}\r\n".encode())
    return connection


def test_a_message_is_never_handed_to_a_client_that_hung_up(mns: Running, queue: Any) -> None:
    """The next receive gets it, and it is that message's first."""
    with polling(mns):
        until(mns, lambda: held(mns) == 1)
    until(mns, lambda: held(mns) == 0)
    queue.send_message(Message("a"))
    assert queue.receive_message().dequeue_count == 1


def test_a_client_that_stays_gets_the_message_instead(mns: Running, queue: Any) -> None:
    """Of two polls the first hangs up, and the second is served."""
    with polling(mns):
        until(mns, lambda: held(mns) == 1)
        staying = polling(mns)
        until(mns, lambda: held(mns) == 2)
    until(mns, lambda: held(mns) == 1)
    queue.send_message(Message("a"))
    with staying:
        assert staying.recv(12) == b"HTTP/1.1 200"
