"""Carries out what signals request, on a thread of its own; inside a handler nothing happens at all.

A handler interrupts whatever the main thread is doing: that may hold the lock which the handler needs, and a flood of
signals nests one handler in another. So the handlers here do nothing: the interpreter writes each signal's number into
a pipe, from C and at once whatever the main thread does, and a thread reads it there.

SIGTERM and SIGINT stop in good order, and at once where one comes after the other. SIGHUP stops in good order, too, and
never at once, because systems send it along with SIGTERM. SIGUSR1 pauses changes, SIGUSR2 lets them go on.
"""

from __future__ import annotations

import operator
import os
import signal
import threading
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

from consumer.core import last_words, threads
from consumer.core.exit_codes import ExitCode

STOPS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_HARD_STOPS = frozenset({signal.SIGTERM, signal.SIGINT})
HEARD = (*sorted(STOPS), signal.SIGUSR1, signal.SIGUSR2)

_READ_BYTES = 4_096

_ignored = operator.is_
"""A handler in C. One in Python, however short, can be interrupted by the next signal before its first instruction."""


class Served(Protocol):
    """What signals act on."""

    def stop(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Signals:
    """The signals of this process; made and listened to in the main thread, before anything that takes long."""

    def __init__(self, end: Callable[[int], NoReturn] = os._exit) -> None:
        """`end` ends the process at once."""
        self._end = end
        self._lock = threading.Lock()
        self._served: Served | None = None
        self._pausing: signal.Signals | None = None
        """The last of SIGUSR1 and SIGUSR2 while there is nothing to serve yet."""
        self._stopping = False
        self._arrived, self._arrives = os.pipe()
        os.set_blocking(self._arrives, False)
        self._thread = threading.Thread(target=self._run, name="signals", daemon=True)

    def listen(self) -> None:
        """Hear signals from now on. Until something is served, nothing is begun, so a stop ends the process at once."""
        signal.set_wakeup_fd(self._arrives, warn_on_full_buffer=False)  # full of signals: one more says nothing new
        for number in HEARD:
            signal.signal(number, _ignored)
        threads.start(self._thread)

    def serve(self, served: Served) -> None:
        """Carry out on this what signals request, and what they have requested before."""
        with self._lock:
            self._served = served
            if self._pausing:
                self._switch(self._pausing)

    def _run(self) -> None:
        while arrived := os.read(self._arrived, _READ_BYTES):
            for number in reversed(dict.fromkeys(reversed(arrived))):  # each once, in the order of its last arrival
                try:
                    self._carry_out(signal.Signals(number))
                except Exception as error:  # noqa: BLE001 - the next signal, which may be a stop, must be heard
                    _logger().error("signal.failed", signal=number, error=repr(error))

    def _carry_out(self, number: signal.Signals) -> None:
        with self._lock:
            if number in STOPS:
                self._stop(number)
            elif number in (signal.SIGUSR1, signal.SIGUSR2):
                self._pausing = number
                self._switch(number)

    def _stop(self, number: signal.Signals) -> None:
        if self._served is None:
            self._end_at_once(f"{number.name} while starting, nothing was begun", ExitCode.DRAINED)
        if self._stopping and number in _HARD_STOPS:
            self._end_at_once(f"second signal ({number.name}), ending at once", ExitCode.HARD_STOP)
        self._stopping = self._stopping or number in _HARD_STOPS
        self._served.stop()

    def _switch(self, number: signal.Signals) -> None:
        if self._served is None:
            return
        if number is signal.SIGUSR1:
            self._served.pause()
            _logger().warning("changes.paused", signal=number.name, until="SIGUSR2")
        else:
            self._served.resume()
            _logger().warning("changes.resumed", signal=number.name)

    def _end_at_once(self, text: str, code: ExitCode) -> NoReturn:
        last_words.say(f"config-remediator: {text}")
        self._end(code)


def _logger() -> Any:
    """Imported when it is needed: signals have to be heard before anything takes long."""
    from consumer.telemetry.log import get_logger

    return get_logger("consumer.signals")
