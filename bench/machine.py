"""The machine: which cores there are, and what a tree of processes has used of it, from /proc.

CPU time counts every process of the tree and every child that has ended and was waited for; resolution is one clock
tick (usually 10 ms). Memory is the sum of the resident sets: pages that forked processes share count in each of them.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Core:
    """One core, by the kernel's number."""

    number: int


@dataclass(frozen=True, slots=True)
class Machine:
    """Who runs where."""

    client: Core | None
    """Where the measured programs run; None when there is only one core and nothing is pinned."""
    server: Core | None
    """Where the canned server, Redis and the benchmark itself run."""

    @classmethod
    def here(cls) -> Machine:
        """The first two cores that this process may use."""
        cores = sorted(os.sched_getaffinity(0))
        return cls(Core(cores[0]), Core(cores[1])) if len(cores) > 1 else cls(None, None)

    @property
    def cores(self) -> tuple[Core, ...]:
        """Those on which measured programs run; every one, where nothing is pinned."""
        if self.client is None or self.server is None:
            return tuple(map(Core, sorted(os.sched_getaffinity(0))))
        return self.client, self.server

    def describe(self) -> str:
        """One line for the report."""
        python = f"{platform.python_implementation()} {platform.python_version()}"
        if self.client is None or self.server is None:
            return f"{python}; ONE core only: clients and server share it, so these numbers say little"
        where = f"clients on core {self.client.number}, server and Redis on core {self.server.number}"
        return f"{python}; {where}; load before the start {os.getloadavg()[0]:.1f}"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tree of processes uses."""

    cpu_seconds: float
    """Since each of them started."""
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class _Process:
    parent: int
    cpu_ticks: int
    rss_pages: int


def usage(*roots: int) -> Usage:
    """What these processes and all their descendants have used up to now, and hold now."""
    processes = _processes()
    tree = [processes[each] for each in _tree(processes, set(roots)) if each in processes]
    ticks = sum(each.cpu_ticks for each in tree)
    return Usage(ticks / _TICKS_PER_SECOND, sum(each.rss_pages for each in tree) * _PAGE_BYTES)


def others_seconds(cores: Collection[Core]) -> float:
    """CPU seconds that anybody but this process and its descendants has used of these cores; see proc(5), /proc/stat.

    What the hypervisor gave to other machines counts as well. Interrupts do not: most of them are for our own traffic.
    """
    names = {f"cpu{core.number}" for core in cores}
    busy = 0
    for line in (_PROC / "stat").read_text().splitlines():
        name, *ticks = line.split()
        if name in names:
            user, nice, system, _idle, _iowait, _irq, _softirq, stolen = (int(each) for each in ticks[:8])
            busy += user + nice + system + stolen
    return busy / _TICKS_PER_SECOND - usage(os.getpid()).cpu_seconds


def descendants(*roots: int) -> set[int]:
    """These processes and all that came from them."""
    return _tree(_processes(), set(roots))


def pin(core: Core | None, process_id: int) -> None:
    """Keep a process of somebody else's making, all its threads, on one core."""
    if core is not None:
        for task in (_PROC / str(process_id) / "task").iterdir():
            os.sched_setaffinity(int(task.name), {core.number})


def _tree(processes: dict[int, _Process], roots: set[int]) -> set[int]:
    found, grown = set(roots), True
    while grown:
        more = {pid for pid, each in processes.items() if each.parent in found} - found
        found |= more
        grown = bool(more)
    return found


def _processes() -> dict[int, _Process]:
    found: dict[int, _Process] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):  # it has ended meanwhile
                found[int(entry.name)] = _read((entry / "stat").read_text())
    return found


def _read(stat: str) -> _Process:
    """One line of /proc/<pid>/stat; see proc(5). The name may hold anything, so what follows it is counted."""
    fields = stat.rpartition(")")[2].split()
    user, system, children_user, children_system = (int(field) for field in fields[11:15])
    return _Process(int(fields[1]), user + system + children_user + children_system, int(fields[21]))
