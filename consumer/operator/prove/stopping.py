"""Lets signals request a stop of the proof instead of interrupting it, so that the canary is always put back."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from consumer.engine.stop_request import StopRequest
from consumer.operator.interruption import Terminated

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(StopRequest):
    """Whether a signal has requested the end of the proof, and which one."""

    def __init__(self) -> None:
        super().__init__()
        self._number = signal.SIGTERM

    def on(self, number: int, _frame: FrameType | None) -> None:
        """A signal has come; the first one says how the command ends."""
        if not self:
            self._number = signal.Signals(number)
        self.make()

    def error(self, *notes: str) -> KeyboardInterrupt:
        """How the command ends for it; the notes say what was done until then."""
        error = KeyboardInterrupt() if self._number == signal.SIGINT else Terminated()
        for each in notes:
            error.add_note(each)
        return error


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Within the block SIGINT, SIGTERM and SIGHUP only request a stop; one that was ignored before stays ignored.

    In the main thread only.
    """
    stop = Stop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    changed = [number for number in _SIGNALS if before[number] != signal.SIG_IGN]
    for number in changed:
        signal.signal(number, stop.on)
    try:
        yield stop
    finally:
        for number in changed:
            signal.signal(number, before[number])
