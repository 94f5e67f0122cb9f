"""Starts threads, so that a machine that gives none is not mistaken for a fault of ours."""

from __future__ import annotations

import mmap
import resource
import threading

from consumer.core.errors import ThreadNotStarted

_LIMITS = "a limit on memory (ulimit -v) or on processes (ulimit -u) is too low, or the container's on either"

_HEAP_BYTES = 96 << 20
"""What a thread may take beside its stack as soon as it runs: glibc reserves 64 MB of addresses for its heap."""

_USUAL_STACK_BYTES = 8 << 20
"""Where the limit on a stack does not say how large one is."""


def start(thread: threading.Thread) -> None:
    """Start a thread.

    Raises:
        ThreadNotStarted: the machine gives no more; the text names the thread.
    """
    try:
        _check_room()
        thread.start()
    except (RuntimeError, MemoryError) as error:
        why = str(error) or "no memory"
        raise ThreadNotStarted(f"thread {thread.name} could not be started: {why}; {_LIMITS}") from None


def _check_room() -> None:
    """See that a thread will find memory when it begins.

    One that finds none ends before it can say that it has started, and `Thread.start` waits for just that, without end.

    Raises:
        MemoryError: there is too little.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_STACK)
    stack = threading.stack_size() or (_USUAL_STACK_BYTES if limit == resource.RLIM_INFINITY else limit)
    wanted = stack + _HEAP_BYTES
    try:
        # Reserved and given back untouched, so it costs no memory; not writable, so no machine counts it as promised.
        mmap.mmap(-1, wanted, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ).close()
    except OSError:
        raise MemoryError(f"less than {wanted >> 20} MB of addresses are left") from None
