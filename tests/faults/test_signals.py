"""Signals and a log that nobody takes, with real worker processes."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.faults.replica import REPOSITORY, Replica
from tests.faults.stage import Stage, until
from tests.patience import PATIENCE_SECONDS


@contextmanager
def process(replica: Replica, *prefix: str, stdout: int, stderr: int) -> Iterator[subprocess.Popen[bytes]]:
    """A worker with these for its outputs; killed if it is still there at the end."""
    command = [*prefix, sys.executable, "-m", "consumer", "run", "--config", str(replica._path)]
    found = subprocess.Popen(command, stdout=stdout, stderr=stderr, cwd=REPOSITORY, env=replica._environment)
    try:
        yield found
    finally:
        found.kill()
        found.wait()


def full_pipe() -> tuple[int, int]:
    """A pipe into which nothing goes any more."""
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4_096)
    os.set_blocking(write, False)
    with suppress(BlockingIOError):
        while True:
            os.write(write, b"x")
    os.set_blocking(write, True)
    return read, write


def test_a_log_that_nobody_reads_holds_up_neither_work_nor_stop(stage: Stage) -> None:
    """Both outputs are full pipes: buckets are repaired, probes answer, SIGTERM drains; and it ends with 0."""
    replica = stage.replica(REMEDIATOR__LOG__LEVEL="debug")
    read, write = full_pipe()
    try:
        with process(replica, stdout=write, stderr=write) as worker:
            assert until(replica.ready)
            stage.emulator.create_buckets(count=20, acl="public-read")
            assert until(lambda: not stage.left() and not stage.broken())
            worker.send_signal(signal.SIGUSR1)
            assert until(lambda: "remediator_paused 1.0" in replica.get("/metrics")[1])
            assert replica.get("/livez") == (200, "ok")
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE_SECONDS) == 0
    finally:
        os.close(read)
        os.close(write)


def test_an_error_that_nobody_reads_still_ends_the_process(stage: Stage) -> None:
    """Standard error is a full pipe: the exit status has to do."""
    replica = stage.replica()
    replica._path.write_text("[queue]\n", encoding="utf-8")
    read, write = full_pipe()
    try:
        with process(replica, stdout=write, stderr=write) as worker:
            assert worker.wait(PATIENCE_SECONDS) == 2
    finally:
        os.close(read)
        os.close(write)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_each_of_these_drains(stage: Stage, number: signal.Signals) -> None:
    """Exit 0, in good order."""
    replica = stage.replica()
    replica.start()
    assert until(replica.ready), replica.text()
    replica.signal(number)
    assert replica.wait(PATIENCE_SECONDS) == 0, replica.text()
    assert replica.lines()[-1]["exit_reason"] == "drained"


def _may_unshare() -> bool:
    """Whether a process may be the first of a namespace of its own here."""
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([*_AS_THE_FIRST, "true"], capture_output=True).returncode == 0


_AS_THE_FIRST = ("unshare", "--pid", "--fork", "--kill-child", "--")


@pytest.mark.parametrize(
    "prefix",
    [
        pytest.param((), id="any process"),
        pytest.param(
            _AS_THE_FIRST, id="PID 1", marks=pytest.mark.skipif(not _may_unshare(), reason="unshare is not allowed")
        ),
    ],
)
def test_a_stop_while_starting_is_heard_at_once(stage: Stage, prefix: tuple[str, ...]) -> None:
    """Here the queue service does not answer, so the start waits for it; a stop does not.

    The kernel keeps signals without a handler from the first process of a container.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE_SECONDS)
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        replica = stage.replica(REMEDIATOR__QUEUE__ENDPOINT=endpoint)
        with process(replica, *prefix, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as worker:
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(65_536)
                os.kill(_child(worker.pid) if prefix else worker.pid, signal.SIGTERM)
                assert worker.wait(PATIENCE_SECONDS) == 0


def _child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])


def paused_after(replica: Replica, worker: subprocess.Popen[bytes], number: signal.Signals) -> str:
    """What the gauge shows, some time after one more signal.

    Signals are not queued: of two that are pending at once, the kernel delivers the lower number first, whichever was
    sent last. So the last one of a flood need not be the last that arrives, and a person sends it again.
    """
    worker.send_signal(number)
    found = re.search("^remediator_paused (.*)$", replica.get("/metrics")[1], re.MULTILINE)
    return found[1] if found else ""


def test_floods_of_signals_are_survived_with_every_output_closed(stage: Stage, tmp_path: Path) -> None:
    """Descriptors 1 and 2 do not exist: nothing else gets their numbers, and pause and resume still work."""
    replica = stage.replica()
    script = 'exec "$0" -m consumer run --config "$1" >&- 2>&-'
    worker = subprocess.Popen(
        ["sh", "-c", script, sys.executable, str(replica._path)], cwd=REPOSITORY, env=replica._environment
    )
    try:
        assert until(replica.ready)
        for _ in range(2_000):
            worker.send_signal(signal.SIGUSR1)
            worker.send_signal(signal.SIGUSR2)
            worker.send_signal(signal.SIGUSR2)
        assert until(lambda: paused_after(replica, worker, signal.SIGUSR1) == "1.0")
        assert until(lambda: paused_after(replica, worker, signal.SIGUSR2) == "0.0")
        stage.emulator.create_buckets(["one"], acl="public-read")
        assert until(lambda: not stage.left() and not stage.broken())
        descriptors = Path(f"/proc/{worker.pid}/fd")
        assert {(descriptors / number).readlink() for number in "12"} == {Path(os.devnull)}
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE_SECONDS) == 0
    finally:
        worker.kill()
        worker.wait()
