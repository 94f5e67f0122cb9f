"""Signals are carried out on a thread of their own, in whatever number they come, and whatever a handler interrupts."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import NoReturn

import pytest

from consumer.app.signals import HEARD, Signals
from consumer.core.exit_codes import ExitCode
from tests.patience import PATIENCE_SECONDS


class Served:
    """Writes down what it is asked for, on whichever thread."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.called = threading.Semaphore(0)
        self.failing = False

    def stop(self) -> None:
        self._note("stop")

    def pause(self) -> None:
        self._note("pause")
        if self.failing:
            raise RuntimeError("cannot pause")

    def resume(self) -> None:
        self._note("resume")

    def _note(self, call: str) -> None:
        assert threading.current_thread().name in ("signals", "MainThread")
        self.calls.append(call)
        self.called.release()

    def wait(self, count: int = 1) -> None:
        """Until so many more calls have come."""
        for _ in range(count):
            assert self.called.acquire(timeout=PATIENCE_SECONDS)


@pytest.fixture
def ends() -> SimpleQueue[int]:
    """The statuses with which the process would have ended."""
    return SimpleQueue()


@pytest.fixture
def signals(ends: SimpleQueue[int]) -> Iterator[Signals]:
    """Signals of this very process, listened to until the test is over."""
    handlers = {number: signal.getsignal(number) for number in HEARD}

    def end(code: int) -> NoReturn:
        ends.put(code)
        threading.Event().wait()  # as the end of the process, this never returns
        raise AssertionError

    found = Signals(end)
    found.listen()
    yield found
    for number, handler in handlers.items():
        signal.signal(number, handler)
    signal.set_wakeup_fd(-1)


def send(*numbers: signal.Signals) -> None:
    """To this process."""
    for number in numbers:
        os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("number", "call"),
    [
        (signal.SIGTERM, "stop"),
        (signal.SIGINT, "stop"),
        (signal.SIGHUP, "stop"),
        (signal.SIGUSR1, "pause"),
        (signal.SIGUSR2, "resume"),
    ],
)
def test_each_signal_asks_for_one_thing(signals: Signals, number: signal.Signals, call: str) -> None:
    """And nothing else happens."""
    served = Served()
    signals.serve(served)
    send(number)
    served.wait()
    assert served.calls == [call]


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_stop_ends_the_process_at_once(
    signals: Signals, ends: SimpleQueue[int], second: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    """With its own exit status, and a word on standard error."""
    served = Served()
    signals.serve(served)
    send(signal.SIGTERM)
    served.wait()
    send(second)
    assert ends.get(timeout=PATIENCE_SECONDS) == ExitCode.HARD_STOP
    assert f"second signal ({second.name}), ending at once" in capfd.readouterr().err


@pytest.mark.parametrize(
    "numbers", [(signal.SIGTERM, signal.SIGHUP), (signal.SIGHUP, signal.SIGHUP), (signal.SIGHUP, signal.SIGTERM)]
)
def test_a_hangup_is_never_the_second_signal(
    signals: Signals, ends: SimpleQueue[int], numbers: tuple[signal.Signals, signal.Signals]
) -> None:
    """systemd sends it right after SIGTERM where it is told to, and a terminal along with the shell's."""
    served = Served()
    signals.serve(served)
    for number in numbers:
        send(number)
        served.wait()
    assert (served.calls, ends.empty()) == (["stop", "stop"], True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_while_starting_ends_the_process(
    signals: Signals, ends: SimpleQueue[int], number: signal.Signals
) -> None:
    """Nothing is begun, so there is nothing to wait for: not even for a start that hangs."""
    send(number)
    assert ends.get(timeout=PATIENCE_SECONDS) == ExitCode.DRAINED


def test_a_pause_while_starting_is_remembered(signals: Signals) -> None:
    """It holds before the first change."""
    send(signal.SIGUSR2, signal.SIGUSR1)
    while signals._pausing is not signal.SIGUSR1:
        threading.Event().wait(0.01)
    served = Served()
    signals.serve(served)
    assert served.calls == ["pause"]


def test_what_fails_does_not_keep_the_next_signal_from_being_heard(signals: Signals) -> None:
    """A stop is heard whatever a pause came to."""
    served = Served()
    served.failing = True
    signals.serve(served)
    send(signal.SIGUSR1)
    served.wait()
    send(signal.SIGTERM)
    served.wait()
    assert served.calls == ["pause", "stop"]


def test_a_flood_of_signals_is_survived(signals: Signals) -> None:
    """No handler nests in another, however fast they come, and the last one counts."""
    served = Served()
    signals.serve(served)
    ready = threading.Event()

    def flood() -> None:
        ready.wait()
        for _ in range(20_000):
            send(signal.SIGUSR1, signal.SIGUSR2)

    threads = [threading.Thread(target=flood) for _ in range(2)]
    for thread in threads:
        thread.start()
    ready.set()
    while any(thread.is_alive() for thread in threads):
        sum(range(100))  # the main thread, where handlers would run
    before = len(served.calls)
    send(signal.SIGUSR1)
    while "pause" not in served.calls[before:]:
        served.wait()
    send(signal.SIGUSR2)
    while served.calls[-1] != "resume":
        served.wait()
    assert set(served.calls) == {"pause", "resume"}
