"""A connected socket that never blocks: whoever sends or receives on it waits here, and no longer than its deadline.

A socket with a timeout asks the kernel before each read and write whether it is ready, and asks once more for every
change of the timeout; each of these questions also lets another thread run, and has to wait for its own turn again.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable

_READ_BYTES = 64 << 10

SecondsLeft = Callable[[], float]
"""What an exchange may still take; raises TimeoutError once that is nothing."""


class Wire:
    """One socket, plain or over TLS. Owned by one thread, and nobody else uses the socket from now on."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self.socket = connected
        self._poll = select.poll()
        self._poll.register(connected, select.POLLIN)

    def silent(self) -> bool:
        """As `is_silent`, of this socket."""
        return not _decrypted(self.socket) and not self._poll.poll(0)

    def send(self, data: bytes, left: SecondsLeft) -> None:
        """Send it all.

        Raises:
            TimeoutError: not within what is left.
            OSError: the connection has failed.
        """
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self.socket.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(select.POLLOUT, left())
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, left())

    def receive(self, left: SecondsLeft) -> bytes:
        """The next bytes; none at the end of the connection.

        Raises:
            As `send`.
        """
        while True:
            seconds = left()
            if not _decrypted(self.socket):
                self._wait(select.POLLIN, seconds)
            try:
                return self.socket.recv(_READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                continue  # over TLS, what came may be no part of a reply: a ticket, or a piece of a record
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, left())

    def _wait(self, event: int, seconds: float) -> None:
        if event != select.POLLIN:
            self._poll.modify(self.socket, event)
        try:
            if not self._poll.poll(seconds * 1000):
                raise TimeoutError("the service took too long")
        finally:
            if event != select.POLLIN:
                self._poll.modify(self.socket, select.POLLIN)


def is_silent(connected: socket.socket) -> bool:
    """Whether nothing has come on a connection since its last reply, neither bytes nor its end.

    What came unasked would be taken for the answer to the next request.
    """
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return not _decrypted(connected) and not poll.poll(0)


def _decrypted(connected: socket.socket) -> bool:
    """Whether bytes have left the kernel already and wait in the TLS connection."""
    return isinstance(connected, ssl.SSLSocket) and connected.pending() > 0
