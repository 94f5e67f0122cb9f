"""Reads the locks in requirements/ as pip does, and finds what pip would have to look for on a package index."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}(?![0-9a-f])")


@dataclass(frozen=True, slots=True)
class Locked:
    """One entry of a lock."""

    requirement: Requirement
    hashes: int

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        """The pinned version; empty where the entry pins none."""
        (pin,) = self.requirement.specifier or [None]
        return pin.version if pin is not None and pin.operator == "==" and "*" not in pin.version else ""

    @property
    def applies(self) -> bool:
        """Whether it is for this interpreter."""
        return self.requirement.marker is None or self.requirement.marker.evaluate()


def read(text: str) -> list[Locked]:
    """The entries of a lock."""
    lines = re.sub(r"\\\n", " ", text).splitlines()
    entries = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return [Locked(Requirement(line.partition(" --hash=")[0]), len(_HASH.findall(line))) for line in entries]


Record = dict[str, list[str]]
"""What distributions ask for, by `name==version`."""


def recorded(folder: Path) -> Record:
    """What `make lock` has recorded, for every system and every Python."""
    found: Record = json.loads((folder / "requires.json").read_text(encoding="utf-8"))
    return found


def installed() -> Record:
    """What the distributions of this environment ask for."""
    return {f"{canonicalize_name(each.name)}=={each.version}": each.requires or [] for each in metadata.distributions()}


def open_ends(lock: list[Locked], record: Record) -> Iterator[str]:
    """Everything that pip would resolve against an index, on this interpreter, although the lock is there."""
    here = {entry.name: entry for entry in lock if entry.applies}
    for entry in here.values():
        if not entry.version:
            yield f"{entry.requirement} is not pinned"
        if not entry.hashes:
            yield f"{entry.requirement} has no hash"
        wanted = record.get(f"{entry.name}=={entry.version}")
        if wanted is None:
            yield f"{entry.name}=={entry.version} is not recorded: run make lock"
        for requirement in map(Requirement, wanted or []):
            if _asked_for(requirement, entry.requirement.extras):
                yield from _not_locked(requirement, here, str(entry.requirement))


def _asked_for(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _not_locked(requirement: Requirement, here: dict[str, Locked], by: str) -> Iterator[str]:
    entry = here.get(canonicalize_name(requirement.name))
    if entry is None:
        yield f"{requirement}, for {by}, is not locked"
    elif not requirement.specifier.contains(entry.version, prereleases=True):
        yield f"{requirement}, for {by}, is locked as {entry.version}"
    elif missing := requirement.extras - entry.requirement.extras:
        yield f"{requirement}, for {by}, is locked without the extra {', '.join(sorted(missing))}"
