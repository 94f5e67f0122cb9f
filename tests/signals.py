"""Starts programs with the signals of a terminal, wherever the tests themselves run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def as_under_a_terminal() -> Iterator[None]:
    """What is started meanwhile ignores no signal.

    A shell's background job ignores SIGINT and one under nohup SIGHUP; both are handed down to whatever it starts.
    """
    ignored = [number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
