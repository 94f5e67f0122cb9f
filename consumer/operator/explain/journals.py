"""Searches the journals for what an explanation is about, and says how far they can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from consumer.journal.format import Entry, Verdict, verify
from consumer.operator import records
from consumer.operator.explain.story import Search


@dataclass(frozen=True, slots=True)
class JournalsRead:
    """What some journals have about something."""

    search: Search
    doubts: tuple[str, ...]
    """Why they cannot be believed, or have gaps."""
    earlier: tuple[str, ...]
    """Which of them go on from a file that was moved away and is not among them: that one may have more."""

    @property
    def advice(self) -> str:
        """What to do about files that were not read; empty if there are none."""
        if not self.earlier:
            return ""
        files, verb = ", ".join(self.earlier), "goes" if len(self.earlier) == 1 else "go"
        return f"{files} {verb} on from an earlier file, which was not read: --file names each of them."


def read(paths: Sequence[Path], wanted: str, limit: int) -> JournalsRead:
    """Read every journal whole.

    Raises:
        ConfigurationError: one of them cannot be read.
    """
    search, doubts = Search(wanted, limit), list[str]()
    heads, follows = set[str](), list[tuple[str, str]]()
    for path in paths:
        search.next_file()
        links: list[str] = []

        def add(entry: Entry, links: list[str] = links) -> None:
            search.add(entry)
            if link := entry.text("follows"):
                links.append(link)

        verdict = verify(records.lines(path), on_entry=add)
        doubts += _doubts(path, verdict)
        heads.add(verdict.head.digest)
        follows += [(path.name, link) for link in links[:1]]
    earlier = tuple(dict.fromkeys(name for name, link in follows if link not in heads))
    return JournalsRead(search, tuple(doubts), earlier)


def _doubts(path: Path, verdict: Verdict) -> list[str]:
    found = []
    if verdict.problems:
        first = verdict.problems[0]
        found.append(f"{path.name} is NOT whole, from line {first.line} on: {first.text}.")
    if verdict.gaps:
        found.append(f"{path.name} has {verdict.gaps} gaps, in which lines are missing.")
    return found
