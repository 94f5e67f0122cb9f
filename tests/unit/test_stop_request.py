"""What a signal asks for is heard by the thread that it interrupts."""

from __future__ import annotations

import signal
import threading

from consumer.engine.stop_request import StopRequest


def test_it_is_requested_once_and_for_good() -> None:
    """Not before, and after that without waiting."""
    asked = StopRequest()
    assert not asked
    assert not asked.within(0.001)
    asked.ask()
    asked.ask()
    assert asked
    assert asked.within(60)
    assert asked.within(60)


def test_a_handler_wakes_the_thread_that_it_interrupts() -> None:
    """The main thread waits, the signal's handler runs in it, and the wait ends."""
    asked = StopRequest()
    before = signal.signal(signal.SIGUSR1, lambda *_: asked.ask())
    try:
        here = threading.get_ident()
        sender = threading.Timer(0.05, signal.pthread_kill, (here, signal.SIGUSR1))
        sender.start()
        assert asked.within(60)
        sender.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
