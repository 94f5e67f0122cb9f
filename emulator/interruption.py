"""Ends a command that somebody stops in one line, with the exit status that a shell expects, and with its cleanup done.

It imports next to nothing, so that a command can be stopped while the rest of it is still being imported.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AGAIN_SECONDS = 0.01


class Interrupted(KeyboardInterrupt):
    """A signal requested the end; on its way out it ends every `with` block, and with them the child processes."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)


def called(name: str) -> str:
    """How a command's messages begin: with its name, or with what was typed where another program became it."""
    return os.environ.get("CALLED_AS", name)


def command(name: str, main: Callable[[], int | None], *, quiet: Collection[signal.Signals] = ()) -> NoReturn:
    """Run a command's main function and exit with what it returns, or with 128 + n after signal n.

    A signal that was ignored from the start, as in a shell's background jobs, stays ignored. Of those in `quiet`, by
    which a parent process ends this one as a matter of course, nothing is printed.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    sys.unraisablehook = _raise_again
    try:
        status = main()
    except Interrupted as interrupted:
        if interrupted.signal not in quiet:
            sys.stderr.write(f"\n{called(name)}: stopped by {interrupted.signal.name}\n")
        status = 128 + interrupted.signal
    sys.exit(status)


@contextmanager
def held() -> Iterator[None]:
    """Let a signal wait for the end of the block: a process is started and known to whoever ends it, or not started.

    An exception that a signal raises inside of `Popen`, after the fork, leaves a process that nobody ends: in a group
    of its own it does not get the terminal's Ctrl-C.
    """
    came: list[int] = []
    # Only the main thread is interrupted by signals, and only it may set their handlers.
    main = threading.current_thread() is threading.main_thread()
    handlers = {number: signal.getsignal(number) for number in _SIGNALS if main}
    raising = {number: handler for number, handler in handlers.items() if callable(handler)}
    try:
        for number in raising:
            signal.signal(number, lambda number, _frame: came.append(number))
        yield
    finally:
        for number, handler in raising.items():
            signal.signal(number, handler)
        if came:
            raising[signal.Signals(came[0])](came[0], None)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    # Cleaning up is bounded in time; a second Ctrl-C in the middle of it would leave processes behind.
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted(number)


def _raise_again(lost: sys.UnraisableHookArgs) -> None:
    """Where a destructor or a callback was interrupted, Python drops the exception, and nothing would end.

    Each import has such callbacks. The exception is raised once more as soon as they are over.
    """
    if not isinstance(lost.exc_value, Interrupted):
        sys.__unraisablehook__(lost)
        return
    number = lost.exc_value.signal
    signal.signal(signal.SIGALRM, lambda _, frame: _interrupt(number, frame))
    signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
