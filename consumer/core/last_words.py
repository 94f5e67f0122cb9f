"""The last line of a process, on standard error: it never waits for its reader, or the process would never end."""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress

from consumer.core.printable import printable

_NEW_LINE = "\n"
_STANDARD_ERROR = 2


def say(line: str, seconds: float = 0.0) -> None:
    """Write a line as far as standard error takes it within so many seconds; what it does not take is lost.

    What cannot be printed in it, for it may quote a service, is escaped.
    """
    until = time.monotonic() + seconds
    left = memoryview(f"{printable(line, keep=_NEW_LINE)}\n".encode())
    poll = select.poll()
    poll.register(_STANDARD_ERROR, select.POLLOUT)
    with suppress(OSError):  # nobody is there
        while left and _is_writable(poll, until - time.monotonic()):
            left = left[os.write(_STANDARD_ERROR, left[: select.PIPE_BUF]) :]  # so much goes into a writable pipe


def _is_writable(poll: select.poll, seconds: float) -> bool:
    return any(event & select.POLLOUT for _, event in poll.poll(max(0.0, seconds) * 1_000))
