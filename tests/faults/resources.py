"""What a process holds: memory, threads, file descriptors, sockets; and whether it grows. Linux only."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a process."""

    messages: int
    """How many it had settled by then."""
    rss_bytes: int
    threads: int
    descriptors: int
    sockets: int


def sample(pid: int, messages: int) -> Sample:
    """What the process holds now."""
    proc = Path("/proc") / str(pid)
    links = [_link(link) for link in (proc / "fd").iterdir()]
    return Sample(
        messages=messages,
        rss_bytes=int((proc / "statm").read_text().split()[1]) * _PAGE_BYTES,
        threads=len(list((proc / "task").iterdir())),
        descriptors=len(links),
        sockets=sum(1 for link in links if link.startswith("socket:")),
    )


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""  # closed since it was listed


@dataclass(frozen=True, slots=True)
class Growth:
    """How one number went over a run, warm-up left out."""

    name: str
    first: float
    """Median of the first fifth."""
    last: float
    """Median of the last fifth."""
    per_100k: float
    """The slope, for 100,000 messages."""
    noise: float
    """How far single samples lie from the slope's line: two standard deviations."""
    allowed: float
    """What is no growth: a fixed allowance that a loaded machine's scatter may reach."""

    @property
    def flat(self) -> bool:
        """Whether the rise over the whole run is within the noise or the allowance."""
        return self.last - self.first <= max(self.noise, self.allowed)


def growth(name: str, samples: Sequence[Sample], values: Sequence[float], allowed: float) -> Growth:
    """The growth of one number.

    Raises:
        statistics.StatisticsError: fewer than five samples, or no progress between them.
    """
    messages = [float(each.messages) for each in samples]
    slope, intercept = statistics.linear_regression(messages, values)
    residuals = [value - (slope * count + intercept) for count, value in zip(messages, values, strict=True)]
    fifth = max(1, len(values) // 5)
    return Growth(
        name,
        statistics.median(values[:fifth]),
        statistics.median(values[-fifth:]),
        slope * 100_000,
        2 * statistics.pstdev(residuals),
        allowed,
    )
