"""Threads on a machine that gives too little memory: started or refused, and never waited for without end."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.faults.replica import REPOSITORY
from tests.patience import PATIENCE_SECONDS

_START = """\
import resource, sys, threading
from consumer.core import threads
from consumer.core.errors import ThreadNotStarted

def taken():
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[0]) * resource.getpagesize()

begun = threading.Event()
thread = threading.Thread(target=begun.set, name="the-one", daemon=True)
limit = taken() + int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_STACK, (8 << 20, -1))
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    threads.start(thread)
    thread.join()
    print("started" if begun.is_set() else "died")
except ThreadNotStarted as error:
    print(error)
"""


def _start(left_bytes: int) -> str:
    """What becomes of a thread where so many bytes of addresses are left."""
    command = [sys.executable, "-c", _START, str(left_bytes)]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("kilobytes", [64, 8192, 8196, 8204, 8212, 8600, 73_728, 77_824, 106_000])
def test_a_thread_that_would_find_no_memory_is_refused(kilobytes: int) -> None:
    """Of 8196 to 8216 KB its stack leaves so little that it ends before it can say that it has started."""
    assert _start(kilobytes << 10) == (
        "thread the-one could not be started: less than 104 MB of addresses are left; a limit on memory (ulimit -v) "
        "or on processes (ulimit -u) is too low, or the container's on either"
    )


def test_a_thread_that_finds_memory_starts() -> None:
    """The room that is looked for is not taken."""
    assert _start(160 << 20) == "started"
