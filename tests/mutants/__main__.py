"""`make mutants`: run mutmut, and judge what survived by the list of explained survivors.

A survivor is a change that no test of a unit or of a repair notices. It is either killed by a new test of behaviour, or
it stands in explained.toml with the reason why it changes nothing that anybody could see. The list names the function
and the lines that were changed, not mutmut's numbers, which move with every edit; an entry that explains nothing is an
error, too.
A test that mutmut stopped because it took too long counts as one that noticed: a wait that never ends is a failure.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

_EXPLAINED = Path(__file__).with_name("explained.toml")
_NAME = re.compile(r"^\s*(?P<name>\S+__mutmut_\d+): (?P<status>.+)$", re.MULTILINE)
_CHILDREN = 4 * (os.cpu_count() or 1)
"""At once: mutants that never end, and tests of threads, mostly wait."""
_ACCEPTED = {"killed", "timeout", "segfault", "suspicious", "caught by type check"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change that was made to a function: the lines it took away and those it put there instead."""

    function: str
    removed: str
    added: str

    def __str__(self) -> str:
        changed = [
            *(f"- {line}" for line in self.removed.splitlines()),
            *(f"+ {line}" for line in self.added.splitlines()),
        ]
        return "\n".join([self.function, *(f"    {line}" for line in changed)])


def explained(text: str) -> dict[Mutant, str]:
    """The survivors that are accepted, and why."""
    entries = tomllib.loads(text).get("survivor", [])
    return {Mutant(each["function"], each["removed"], each["added"]): each["why"] for each in entries}


def mutant(name: str, diff: str) -> Mutant:
    """The mutant that mutmut calls `name`, from the difference that it shows for it."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    removed = [line[1:].strip() for line in lines if line.startswith("-")]
    added = [line[1:].strip() for line in lines if line.startswith("+")]
    return Mutant(function_of(name), "\n".join(removed), "\n".join(added))


def function_of(name: str) -> str:
    """`consumer.engine.lease.Lease.held` for `consumer.engine.lease.xǁLeaseǁheld__mutmut_3`."""
    path = name.rpartition("__mutmut_")[0]
    module, _, mangled = path.rpartition(".")
    return ".".join([module, *(part for part in re.sub(r"^x(_(?=\w)|(?=ǁ))", "", mangled).split("ǁ") if part)])


def complaints(survivors: Iterable[Mutant], known: dict[Mutant, str], looked_at: Iterable[str]) -> list[str]:
    """Survivors that nobody has explained, and explanations that nothing needs any more."""
    found, patterns = set(survivors), list(looked_at) or ["*"]
    stale = [
        each for each in known if each not in found and any(fnmatch(each.function, pattern) for pattern in patterns)
    ]
    return [
        *(f"survived: {each}" for each in sorted(found - set(known), key=str)),
        *(f"explained, but killed or gone: {each}" for each in stale),
    ]


def pattern(chosen: str) -> str:
    """What mutmut calls the mutants of a file, `consumer/engine/lease.py`, or of a folder; its own patterns stay."""
    path = Path(chosen)
    if path.suffix == ".py" or "/" in chosen:
        return ".".join([*path.with_suffix("").parts, "*"])
    return chosen


def figures(statuses: Mapping[str, str], explained_survivors: Iterable[Mutant]) -> list[str]:
    """One line for each module: its mutants, those that were noticed or took too long, and those that survived."""
    modules = {name: _module(name) for name in statuses}
    totals = Counter(modules.values())
    timeouts = Counter(modules[name] for name, status in statuses.items() if status == "timeout")
    survived = Counter(modules[name] for name, status in statuses.items() if status not in _ACCEPTED)
    known = Counter(
        module for each in explained_survivors for module in totals if each.function.startswith(f"{module}.")
    )
    return [
        f"{module}: {total} mutants, {total - survived[module]} noticed ({timeouts[module]} by never ending), "
        f"{survived[module]} survived, {known[module]} of them explained"
        for module, total in sorted(totals.items())
    ]


def _module(name: str) -> str:
    return name.rpartition("__mutmut_")[0].rpartition(".")[0]


def _mutmut(*arguments: str) -> str:
    command = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main(chosen: list[str]) -> int:
    """Mutate the files, folders or patterns that are chosen, or everything; 1 if a survivor is not explained."""
    patterns = [pattern(each) for each in chosen]
    subprocess.run([sys.executable, "-m", "mutmut", "run", "--max-children", str(_CHILDREN), *patterns], check=True)
    results = {each["name"]: each["status"] for each in _NAME.finditer(_mutmut("results", "--all", "true"))}
    wanted = {
        name: status
        for name, status in results.items()
        if not patterns or any(fnmatch(name, pattern) for pattern in patterns)
    }
    survivors = [mutant(name, _mutmut("show", name)) for name, status in wanted.items() if status not in _ACCEPTED]
    known = explained(_EXPLAINED.read_text(encoding="utf-8"))
    found = complaints(survivors, known, patterns)
    summary = f"{len(wanted)} mutants, {len(survivors)} survived, {len(found)} to be looked at"
    sys.stdout.write("\n".join([*found, *figures(wanted, (each for each in survivors if each in known)), summary, ""]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
