"""A very small HTTP server: one request per connection, and all connections on one thread that never waits for one.

What it holds is bounded whatever clients do: so many connections, so many bytes of a request, so many seconds for each
step. Where one more comes than there is room for, the one that has kept us waiting longest goes, so that clients which
send nothing cannot keep out a probe, whose request comes at once.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

from consumer.core import threads
from consumer.telemetry.http_messages import Request, RequestReader, Respond, Response

MOST_CONNECTIONS = 128
_READ_BYTES = 4 << 10
_ACCEPTED_AT_ONCE = 64
"""Of a burst; those already connected have their turn in between."""
_BACKLOG = 1024
"""A full one makes a probe wait for a retransmission, a second away."""
_LAST_PORT = 65_535
_NO_DESCRIPTOR_SECONDS = 0.05
"""The pause where the process has no file descriptor for a new connection: without one this would be a busy loop."""


class _Phase(Enum):
    READING = "the request is not here as a whole"
    ANSWERING = "the answer is not there yet"
    SENDING = "the answer is not sent as a whole"
    ENDING = "the answer is sent, and the client has not closed its side"


@dataclass(slots=True, eq=False)
class _HttpConnection:
    """One client; only the server's thread touches it."""

    socket: socket.socket
    deadline: float
    """Of the phase, by the monotonic clock."""
    phase: _Phase = _Phase.READING
    reader: RequestReader = field(default_factory=RequestReader)
    body_wanted: bool = True
    unsent: list[memoryview] = field(default_factory=list)


class HttpLoop:
    """One listening socket, bound when made; serves on its own thread from `start` to `close`."""

    def __init__(
        self,
        host: str,
        port: int,
        respond: Respond,
        *,
        step_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Bind the socket; `step_seconds` bounds each of reading a request, answering it and sending the answer.

        Raises:
            OSError: the address cannot be listened on.
            OverflowError: there is no such port.
        """
        if port > _LAST_PORT:
            raise OverflowError(f"ports end at {_LAST_PORT}")  # which the line below would say and leak its socket
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        self.port = int(self._listener.getsockname()[1])
        self._respond = respond
        self._step_seconds = step_seconds
        self._monotonic = monotonic
        self._connections: set[_HttpConnection] = set()
        self._answers: deque[tuple[_HttpConnection, Response]] = deque()
        """Those that other threads gave."""
        self._woken, self._waker = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        for end in (self._listener, self._woken, self._waker):
            end.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="health", daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        threads.start(self._thread)

    def close(self) -> None:
        """Stop answering and free the port."""
        self._closing = True
        self._wake()
        if self._thread.is_alive():
            self._thread.join()
        for connection in list(self._connections):
            self._drop(connection)
        self._selector.close()
        for end in (self._listener, self._woken, self._waker):
            end.close()

    def _wake(self) -> None:
        with suppress(OSError):  # full, then it wakes anyway; or closed, then there is nobody to wake
            self._waker.send(b"\0")

    def _serve(self) -> None:
        while not self._closing:
            for key, _ in self._selector.select(self._patience_seconds()):
                if isinstance(key.data, _HttpConnection):
                    self._go_on(key.data)
                elif key.fileobj is self._listener:
                    self._accept()
                else:
                    self._woken.recv(_READ_BYTES)
            self._send_answers()
            self._drop_overdue()

    def _patience_seconds(self) -> float | None:
        deadline = min((each.deadline for each in self._connections), default=None)
        return None if deadline is None else max(0.0, deadline - self._monotonic())

    def _drop_overdue(self) -> None:
        now = self._monotonic()
        for connection in [each for each in self._connections if each.deadline <= now]:
            self._drop(connection)

    def _accept(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                client, _address = self._listener.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # it went away while it waited to be accepted
            except OSError:  # no file descriptor is left; a connection of ours is what we can give back
                if not self._make_room():
                    time.sleep(_NO_DESCRIPTOR_SECONDS)
                return
            self._welcome(client)

    def _welcome(self, client: socket.socket) -> None:
        client.setblocking(False)
        if len(self._connections) >= MOST_CONNECTIONS:
            self._make_room()
        connection = _HttpConnection(client, self._monotonic() + self._step_seconds)
        self._connections.add(connection)
        self._selector.register(client, selectors.EVENT_READ, connection)
        self._go_on(connection)  # a probe's request has come along with it

    def _make_room(self) -> bool:
        """Drop the connection that has kept us waiting longest; whether there was one.

        One whose answer we owe goes only where there are no others.
        """
        longest = min(self._connections, key=lambda each: (each.phase is _Phase.ANSWERING, each.deadline), default=None)
        if longest is None:
            return False
        self._drop(longest)
        return True

    def _drop(self, connection: _HttpConnection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
            self._selector.unregister(connection.socket)
            connection.socket.close()

    def _go_on(self, connection: _HttpConnection) -> None:
        """Take the next step with a connection that may be ready for one."""
        if connection not in self._connections:
            return  # dropped within this very turn, to make room
        try:
            if connection.phase is _Phase.SENDING:
                self._send(connection)
            else:
                self._read(connection)
        except BlockingIOError:
            return
        except OSError:  # a client that went away is its own concern
            self._drop(connection)

    def _read(self, connection: _HttpConnection) -> None:
        data = connection.socket.recv(_READ_BYTES)
        if not data:
            self._drop(connection)
        elif connection.phase is _Phase.READING:  # what comes later is the body of a request, and passed over
            match connection.reader.feed(data):
                case Request() as request:
                    connection.body_wanted = request.method != "HEAD"
                    self._enter(connection, _Phase.ANSWERING)
                    self._respond(request, lambda response: self._answered(connection, response))
                case Response() as refusal:
                    self._answer(connection, refusal)

    def _answered(self, connection: _HttpConnection, response: Response) -> None:
        if threading.current_thread() is self._thread:
            self._answer(connection, response)
        else:
            self._answers.append((connection, response))
            self._wake()

    def _send_answers(self) -> None:
        while self._answers:
            connection, response = self._answers.popleft()
            if connection in self._connections:
                self._answer(connection, response)

    def _answer(self, connection: _HttpConnection, response: Response) -> None:
        parts = (response.head(), response.body if connection.body_wanted else b"")
        connection.unsent = [memoryview(part) for part in parts if part]
        self._enter(connection, _Phase.SENDING)
        self._selector.modify(connection.socket, selectors.EVENT_WRITE, connection)
        self._go_on(connection)

    def _send(self, connection: _HttpConnection) -> None:
        while connection.unsent:
            sent = connection.socket.sendmsg(connection.unsent)
            while connection.unsent and sent >= len(connection.unsent[0]):
                sent -= len(connection.unsent.pop(0))
            if sent:
                connection.unsent[0] = connection.unsent[0][sent:]
        # The client closes first: closing over bytes of its that nobody read would take the answer away from it.
        connection.socket.shutdown(socket.SHUT_WR)
        self._enter(connection, _Phase.ENDING)
        self._selector.modify(connection.socket, selectors.EVENT_READ, connection)

    def _enter(self, connection: _HttpConnection, phase: _Phase) -> None:
        connection.phase = phase
        connection.deadline = self._monotonic() + self._step_seconds
