"""Threads where memory is scarce: started or refused, never waited for without end; the room that is looked for."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from consumer.core import threads
from consumer.core.errors import ThreadNotStarted
from tests.faults.replica import REPOSITORY
from tests.patience import PATIENCE_SECONDS

_WHY = "a limit on memory (ulimit -v) or on processes (ulimit -u) is too low, or the container's on either"

_LIMITED = """\
import resource, sys, threading
from consumer.core import threads
from consumer.core.errors import ThreadNotStarted

def taken(field):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith(field + ":"))

begun = threading.Event()
thread = threading.Thread(target=begun.set, name="the-one", daemon=True)
stack, chosen, kind, field, left = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_STACK, (int(stack), -1))
threading.stack_size(int(chosen))
limit = taken(field) + int(left)
resource.setrlimit(getattr(resource, kind), (limit, limit))
try:
    threads.start(thread)
    thread.join()
    print("started" if begun.is_set() else "died")
except ThreadNotStarted as error:
    print(error)
"""

_MB = 1 << 20
_UNLIMITED = -1


def _limited(*, stack: int = 8 * _MB, chosen: int = 0, kind: str, field: str, left: int) -> str:
    """What becomes of a thread in a process with these limits; `field` is what the kernel counts for the last one.

    Compared with one of this process, which starts: so it is due to the limits.
    """
    here = threading.Thread(target=lambda: None, daemon=True)
    threads.start(here)
    here.join()
    arguments = [str(stack), str(chosen), kind, field, str(left)]
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("stack", "chosen", "wanted_mb"),
    [(16 * _MB, 0, 112), (_UNLIMITED, 0, 104), (16 * _MB, 1 * _MB, 97), (_UNLIMITED, 32 * _MB, 128)],
)
def test_the_room_is_that_of_the_stack_and_of_the_heap(stack: int, chosen: int, wanted_mb: int) -> None:
    """The stack that the process has chosen, else what `ulimit -s` allows, else 8 MB; and 96 MB beside it."""
    refused = _limited(stack=stack, chosen=chosen, kind="RLIMIT_AS", field="VmSize", left=64 << 10)
    assert refused == (f"thread the-one could not be started: less than {wanted_mb} MB of addresses are left; {_WHY}")


@pytest.mark.parametrize("kilobytes", [64, 8192, 8196, 8204, 8212, 8600, 73_728, 77_824, 106_000])
def test_a_thread_that_would_find_no_memory_is_refused(kilobytes: int) -> None:
    """Of 8196 to 8216 KB its stack leaves so little that it ends before it can say that it has started."""
    refused = _limited(kind="RLIMIT_AS", field="VmSize", left=kilobytes << 10)
    assert refused == f"thread the-one could not be started: less than 104 MB of addresses are left; {_WHY}"


def test_a_thread_that_finds_memory_starts() -> None:
    """The room that is looked for is not taken."""
    assert _limited(kind="RLIMIT_AS", field="VmSize", left=160 * _MB) == "started"


def test_looking_for_room_takes_none_of_what_the_process_may_write() -> None:
    """A limit on data (`ulimit -d`) that leaves room for the thread, and none for what is looked for beside it."""
    assert _limited(kind="RLIMIT_DATA", field="VmData", left=64 * _MB) == "started"


class Unstartable(threading.Thread):
    """A thread that the machine does not give."""

    def __init__(self, error: Exception) -> None:
        super().__init__(name="the-one")
        self._error = error

    def start(self) -> None:
        """Fail as Python does."""
        raise self._error


@pytest.mark.parametrize(
    ("error", "why"),
    [(RuntimeError("can't start new thread"), "can't start new thread"), (MemoryError(), "no memory")],
)
def test_a_thread_that_the_machine_does_not_give_is_named_with_the_reason(error: Exception, why: str) -> None:
    """In one sentence for whoever set the limits; Python's own error may have no text."""
    with pytest.raises(ThreadNotStarted) as refused:
        threads.start(Unstartable(error))
    assert str(refused.value) == f"thread the-one could not be started: {why}; {_WHY}"
