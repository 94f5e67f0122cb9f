"""Ctrl-C in whatever runs long: one line, exit status 130, and no process left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.emulation import eventually
from tests.faults.replica import REPOSITORY
from tests.patience import PATIENCE_SECONDS
from tests.signals import as_under_a_terminal

_SET_CHILD_SUBREAPER = 36
"""prctl(2): orphans of our children become our own children, so that none can hide."""


def _parents() -> dict[int, int]:
    """Every living process with its parent."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] != "Z":
            found[int(stat.parent.name)] = int(fields[1])
    return found


def _descendants(of: int) -> set[int]:
    parents, found = _parents(), {of}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {of}


@dataclass(frozen=True, slots=True)
class Started:
    """A command that runs in a session of its own, as under a terminal."""

    process: subprocess.Popen[str]
    others: frozenset[int]

    def processes(self) -> set[int]:
        """The command and everything that it has started, orphans included."""
        return _descendants(os.getpid()) - self.others

    def type_ctrl_c(self) -> None:
        """What a terminal does: SIGINT to everybody in the foreground."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> tuple[int, str]:
        """Exit status and standard error."""
        _, err = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, err


@contextmanager
def _started(*command: str, cwd: Path = REPOSITORY, **environment: str) -> Iterator[Started]:
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    others = frozenset(_descendants(os.getpid()))
    with as_under_a_terminal():
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=cwd,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    started = Started(process, others)
    try:
        yield started
    finally:
        for left in started.processes():
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(left, signal.SIGKILL)
        process.communicate()
        libc.prctl(_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


_DEMO = ("demo",)
_COMMANDS = {
    "demo": (_DEMO, 3),
    "faults": (("tests.faults.campaign", "--events", "20000"), 4),
    "soak": (("tests.faults.soak",), 3),
    "bench": (("bench", "--only", "http-20"), 3),
}
"""By the name that the line begins with: what runs it, and how many processes there are in the middle of it."""


@pytest.mark.parametrize("name", _COMMANDS)
def test_ctrl_c_ends_it_in_one_line(name: str) -> None:
    """In the middle of work; whatever the terminal's signal reaches besides it."""
    command, processes = _COMMANDS[name]
    with _started(*command, DEMO_BUCKETS="5000") as started:
        eventually(lambda: len(started.processes()) >= processes or started.process.poll() is not None)
        started.type_ctrl_c()
        assert started.end() == (130, f"\n{name}: stopped by SIGINT\n")
        eventually(lambda: not started.processes())


def test_ctrl_c_ends_tests_with_the_same_status(tmp_path: Path) -> None:
    """pytest says in its own words where it was; `make fuzz` and `make check` end as everything else does."""
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_configure\n", encoding="utf-8")
    test = "import pathlib, time\ndef test_it():\n    pathlib.Path('begun').touch()\n    time.sleep(60)\n"
    (tmp_path / "test_long.py").write_text(test, encoding="utf-8")
    command = ("pytest", "-q", f"--rootdir={tmp_path}", "-p", "no:cacheprovider", str(tmp_path))
    with _started(*command, cwd=tmp_path, PYTHONPATH=str(REPOSITORY)) as started:
        eventually((tmp_path / "begun").exists)
        started.type_ctrl_c()
        assert started.end() == (130, "")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_other_signals_leave_nothing_either(number: signal.Signals, status: int) -> None:
    """A closed terminal, or somebody who ends it by its process id."""
    with _started(*_DEMO, DEMO_BUCKETS="5000") as started:
        eventually(lambda: len(started.processes()) >= 3)
        started.process.send_signal(number)
        assert started.end() == (status, f"\ndemo: stopped by {number.name}\n")
        eventually(lambda: not started.processes())


def test_more_than_one_ctrl_c_leaves_nothing_either() -> None:
    """Who types it again while things are being cleaned up does not interrupt that."""
    with _started(*_DEMO, DEMO_BUCKETS="5000") as started:
        eventually(lambda: len(started.processes()) >= 3)
        for _ in range(20):
            started.type_ctrl_c()
        assert started.end() == (130, "\ndemo: stopped by SIGINT\n")
        eventually(lambda: not started.processes())


@pytest.mark.parametrize(
    ("name", "command", "processes"),
    [
        ("demo", _DEMO, 1),
        ("demo", _DEMO, 2),
        ("faults", ("tests.faults.campaign",), 1),
        ("soak", ("tests.faults.soak",), 1),
        ("fairness", ("tests.faults.fairness",), 1),
        ("slow failures", ("tests.faults.slow_failures",), 1),
        ("bench", ("bench",), 1),
    ],
)
def test_it_can_be_stopped_while_it_starts(name: str, command: tuple[str, ...], processes: int) -> None:
    """Before the emulator or the worker is there; from the moment on when Python runs our code."""
    with _started(*command) as started:
        eventually(lambda: _interruptible(started.process.pid) and len(started.processes()) >= processes)
        started.type_ctrl_c()
        assert started.end() == (130, f"\n{name}: stopped by SIGINT\n")
        eventually(lambda: not started.processes())


_DROPPED = """\
import signal, sys, threading, weakref
from emulator.interruption import command

class Thing:
    def __del__(self):
        if sys.argv[1] == "destructor":
            signal.raise_signal(signal.{number})

def main():
    thing = Thing()
    reference = weakref.ref(thing, lambda _: sys.argv[1] == "callback" and signal.raise_signal(signal.{number}))
    del thing
    threading.Event().wait()

command("it", main)
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("place", ["destructor", "callback"])
def test_a_signal_that_python_would_drop_ends_it_all_the_same(place: str, number: str, tmp_path: Path) -> None:
    """What is raised in a destructor or a weak reference's callback reaches nobody; each import has such callbacks."""
    (tmp_path / "dropped.py").write_text(_DROPPED.format(number=number), encoding="utf-8")
    with _started("dropped", place, cwd=tmp_path, PYTHONPATH=f"{REPOSITORY}:{tmp_path}") as started:
        assert started.end() == (128 + signal.Signals[number], f"\nit: stopped by {number}\n")


@pytest.mark.parametrize(
    "module",
    [
        *("demo.__main__", "bench.__main__"),
        *("tests.faults.campaign", "tests.faults.soak", "tests.faults.fairness", "tests.faults.slow_failures"),
    ],
)
def test_next_to_nothing_is_imported_before_it_can_be_stopped(module: str) -> None:
    """Who types Ctrl-C during the first imports would see a traceback."""
    code = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert not {"rich", "consumer", "witness", "mns", "urllib3"} & set(done.stdout.split())


def test_an_emulator_that_its_parent_ends_prints_nothing() -> None:
    """Not even while it starts: the line of whoever started it is the only one."""
    with _started("emulator", "--mns-port", "0", "--oss-port", "0", "--control-port", "0") as started:
        eventually(lambda: _interruptible(started.process.pid))
        started.process.send_signal(signal.SIGTERM)
        assert started.end()[1] == ""


def _interruptible(process_id: int) -> bool:
    """Whether a process has its own idea of SIGTERM, which Python itself has not."""
    (caught,) = [line for line in Path(f"/proc/{process_id}/status").read_text().splitlines() if "SigCgt" in line]
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
