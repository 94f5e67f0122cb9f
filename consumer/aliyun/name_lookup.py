"""Name resolution with a deadline, and connections that are made within one.

`getaddrinfo` can neither be interrupted nor be given a timeout: with a name server that does not answer it takes as
long as resolv.conf lets it, often more than a minute. So each look-up runs on a short-lived thread of its own, and
whoever needs it waits for its own deadline and no longer. Those who need the same name share one look-up, and there
is a limit to how many may hang at once. Addresses need no look-up and no thread.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from consumer.core import threads
from consumer.core.errors import ThreadNotStarted

THREAD_NAME = "name-lookup"

_MOST_AT_ONCE = 64

Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""One result of `socket.getaddrinfo`."""

Resolve = Callable[..., Sequence[Any]]
"""`socket.getaddrinfo`, or what a test puts in its place."""


class NameLookupTimeout(TimeoutError):
    """The name was not resolved in time."""


@dataclass(slots=True)
class _Lookup:
    """One look-up under way: written by its thread before `done` is set, read by those who wait after it."""

    done: threading.Event = field(default_factory=threading.Event)
    found: Sequence[Address] = ()
    failure: OSError | None = None


class NameLookup:
    """Resolves names for every thread of the process."""

    def __init__(self, resolve: Resolve | None = None, *, most_at_once: int = _MOST_AT_ONCE) -> None:
        self._given = resolve
        self._most_at_once = most_at_once
        self._lock = threading.Lock()  # held for bookkeeping only, never while a name is resolved
        self._running: dict[tuple[str, int], _Lookup] = {}

    def addresses(self, host: str, port: int, seconds: float) -> Sequence[Address]:
        """The addresses of a host, waited for so many seconds at most.

        Raises:
            NameLookupTimeout: there was no answer in time; the look-up goes on, and a later caller may profit from it.
            OSError: the name cannot be resolved.
        """
        with suppress(socket.gaierror):
            return self._resolve(host, port, socket.AI_NUMERICHOST)
        lookup = self._begun(host, port)
        if not lookup.done.wait(seconds):
            raise NameLookupTimeout(f"the name {host} was not resolved within {seconds:.1f} s")
        if lookup.failure is not None:
            raise _copy(lookup.failure)
        return lookup.found

    def _begun(self, host: str, port: int) -> _Lookup:
        key = (host, port)
        with self._lock:
            lookup = self._running.get(key)
            if lookup is None:
                if len(self._running) >= self._most_at_once:
                    raise NameLookupTimeout(f"the name {host} is not looked up: {len(self._running)} others hang")
                lookup = _Lookup()
                thread = threading.Thread(target=self._run, args=(key, lookup), name=THREAD_NAME, daemon=True)
                try:
                    threads.start(thread)
                except ThreadNotStarted as error:
                    raise OSError(f"the name {host} cannot be looked up: {error}") from None
                self._running[key] = lookup
        return lookup

    def _run(self, key: tuple[str, int], lookup: _Lookup) -> None:
        try:
            lookup.found = self._resolve(*key, 0)
        except OSError as error:
            lookup.failure = error
        except Exception as error:  # noqa: BLE001 - a name that cannot even be encoded must not look like a hang
            lookup.failure = OSError(f"the name cannot be looked up: {error}")
        finally:
            with self._lock:
                self._running.pop(key, None)
            lookup.done.set()

    def _resolve(self, host: str, port: int, flags: int) -> Sequence[Address]:
        resolve = self._given or socket.getaddrinfo  # found at the call, so that a test may replace it
        return resolve(host, port, 0, socket.SOCK_STREAM, 0, flags)


lookup = NameLookup()
"""The process's one: the names are the same for everybody."""


def connect(host: str, port: int, seconds: float, *, monotonic: Callable[[], float] = time.monotonic) -> socket.socket:
    """A TCP connection to the first address that takes it; names and all addresses together within so many seconds.

    Raises:
        TimeoutError: the time is over.
        OSError: the name cannot be resolved, or every address refuses; the error of the last one.
    """
    until = monotonic() + seconds
    failure: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in lookup.addresses(host, port, seconds):
        left = until - monotonic()
        if left <= 0:
            raise TimeoutError(f"no address of {host} answered within {seconds:.1f} s")
        candidate = socket.socket(family, kind, protocol)
        try:
            candidate.settimeout(left)
            candidate.connect(address)
        except OSError as error:
            candidate.close()
            failure = error
        else:
            return candidate
    raise failure


def _copy(failure: OSError) -> OSError:
    """The same error for another thread: a traceback belongs to one."""
    return type(failure)(*failure.args)
