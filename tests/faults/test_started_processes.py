"""A signal while a process is being started leaves none behind, wherever the project starts one to end it later."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench import redis_server
from bench.contenders import Contender
from bench.server import client
from bench.stage import Client
from demo.worker import worker
from emulator.client import Identity
from emulator.interruption import held
from emulator.process import in_process
from tests.deploy.needed import program
from tests.faults.replica import Key, Replica


@contextmanager
def _replica(folder: Path) -> Iterator[None]:
    replica = Replica(folder, "replica", "", Key("id", "secret"))
    try:
        replica.start()
        yield
    finally:
        if replica.running:
            replica.kill()


@contextmanager
def _contender(folder: Path) -> Iterator[None]:
    started = Client(Contender.__new__(Contender), [["sleep", "600"]], dict(os.environ), folder / "log")
    try:
        started.start()
        yield
    finally:
        started.kill()


def _redis(folder: Path) -> AbstractContextManager[object]:
    program("redis-server", "apt-get install redis-server")
    return redis_server.running(None, folder)


_STARTERS: dict[str, Callable[[Path], AbstractContextManager[object]]] = {
    "emulator": lambda _: in_process(),
    "demo's worker": lambda folder: worker(
        folder / "none.toml", Identity("id", "secret", "1", None, None), folder / "log"
    ),
    "bench's server": lambda _: client.running(None),
    "bench's redis": _redis,
    "bench's contender": _contender,
    "campaign's replica": _replica,
}


@pytest.fixture
def interrupting() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, however the tests were started."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupting")
@pytest.mark.parametrize("name", _STARTERS)
def test_none_is_left_behind(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal comes after the fork, before the starter has the process in hand."""
    started: list[subprocess.Popen[Any]] = []

    class Interrupted(subprocess.Popen[Any]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            started.append(self)
            os.kill(os.getpid(), signal.SIGINT)

    with ExitStack() as stack, monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", Interrupted)
        try:
            with pytest.raises(KeyboardInterrupt):
                stack.enter_context(_STARTERS[name](tmp_path))
        finally:
            left = [process for process in started if process.poll() is None]
            for process in left:
                process.kill()
                process.wait()
    assert len(started) == 1
    assert left == []


@pytest.mark.usefixtures("interrupting")
@pytest.mark.parametrize("failure", [None, OSError("no such program")], ids=["whole", "failed"])
def test_a_signal_waits_for_the_end_of_the_block(failure: OSError | None) -> None:
    """And is not lost: also where the block itself fails."""
    passed = []

    def block() -> None:
        with held():
            os.kill(os.getpid(), signal.SIGINT)
            passed.append("on")
            if failure:
                raise failure

    with pytest.raises(KeyboardInterrupt):
        block()
    assert passed == ["on"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_thread_that_no_signal_interrupts_may_start_one() -> None:
    """Python lets only its main thread set handlers."""
    ended = []

    def start() -> None:
        with held():
            ended.append("whole")

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert ended == ["whole"]
