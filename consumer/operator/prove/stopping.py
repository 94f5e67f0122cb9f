"""Lets signals ask the proof to stop instead of interrupting it, so that the canary is put back whatever comes when."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from consumer.engine.stop_request import StopRequest
from consumer.operator.interruption import Terminated

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(StopRequest):
    """Whether somebody wants the proof to end, and by which signal."""

    def __init__(self) -> None:
        super().__init__()
        self._number = signal.SIGTERM

    def on(self, number: int, _frame: FrameType | None) -> None:
        """A signal has come; the first one says how the command ends."""
        if not self:
            self._number = signal.Signals(number)
        self.ask()

    def error(self, *notes: str) -> KeyboardInterrupt:
        """How the command ends for it; the notes say what was done until then."""
        error = KeyboardInterrupt() if self._number == signal.SIGINT else Terminated()
        for each in notes:
            error.add_note(each)
        return error


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Within the block SIGINT, SIGTERM and SIGHUP only ask; one that was ignored, as by nohup, is ignored on.

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
