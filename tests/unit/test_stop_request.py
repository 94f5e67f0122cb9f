"""A request made in a signal handler wakes the thread that the signal interrupts."""

from __future__ import annotations

import signal
import threading

from consumer.engine.stop_request import StopRequest


def test_it_is_requested_once_and_for_good() -> None:
    """Not before, and after that without waiting."""
    stop = StopRequest()
    assert not stop
    assert not stop.within(0.001)
    stop.make()
    stop.make()
    assert stop
    assert stop.within(60)
    assert stop.within(60)


def test_a_handler_wakes_the_thread_that_it_interrupts() -> None:
    """The main thread waits, the signal's handler runs in it, and the wait ends."""
    stop = StopRequest()
    before = signal.signal(signal.SIGUSR1, lambda *_: stop.make())
    try:
        here = threading.get_ident()
        sender = threading.Timer(0.05, signal.pthread_kill, (here, signal.SIGUSR1))
        sender.start()
        assert stop.within(60)
        sender.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
