"""The locks hold everything that installing them takes: with no release of today does pip have a choice."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.deploy.locks import Locked, installed, open_ends, read, recorded
from tests.deploy.needed import ROOT

_FOLDER = ROOT / "requirements"
_NOT_SHIPPED = {"emulator", "bench", "dev", "mutants"}
"""Extras for work on a checkout; every other one is a part of the product."""
_LOCKS = sorted(path.stem for path in _FOLDER.glob("*.txt"))


def _lock(name: str) -> list[Locked]:
    return read((_FOLDER / f"{name}.txt").read_text(encoding="utf-8"))


def test_these_are_the_locks() -> None:
    """None is missing here, so none escapes what follows."""
    assert _LOCKS == ["bench", "dev", "emulator", "installer", "mutants", "reevaluate", "worker"]


@pytest.mark.parametrize("name", _LOCKS)
def test_nothing_is_resolved_against_an_index(name: str) -> None:
    """Each requirement of each locked distribution, with its extras, is pinned in the same lock with hashes.

    pip before 23.3 looks for `coverage[toml]` on the index when only `coverage` is locked, and fails on the day after
    its next release.
    """
    assert list(open_ends(_lock(name), recorded(_FOLDER))) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ((r"^coverage\[toml\]", "coverage"), "is locked without the extra toml"),
        ((r"^iniconfig==[^\n]*\n(    [^\n]*\n)*", ""), "is not locked"),
        ((r"^pluggy==", "pluggy>="), "is not pinned"),
        ((r"^(six==[^ ]*) \\\n(    --hash[^\n]*\n)*", r"\1\n"), "has no hash"),
        ((r"^(pluggy==)[^ ]*", r"\g<1>0.1"), "is locked as 0.1"),
    ],
)
def test_an_open_end_is_found(change: tuple[str, str], found: str) -> None:
    """Each way in which a lock can leave something open is noticed."""
    text = (_FOLDER / "dev.txt").read_text(encoding="utf-8")
    changed = re.sub(*change, text, flags=re.MULTILINE)
    assert changed != text
    assert any(found in each for each in open_ends(read(changed), recorded(_FOLDER)))


def test_the_record_is_true() -> None:
    """What was recorded is what the installed distributions say themselves."""
    here = installed()
    record = {name: set(map(_plain, wanted)) for name, wanted in recorded(_FOLDER).items() if name in here}
    assert len(record) > 20
    assert record == {name: set(map(_plain, here[name])) for name in record}


def test_the_record_is_whole() -> None:
    """Everything that any lock holds is recorded, and nothing else."""
    locked = {f"{entry.name}=={entry.version}" for name in _LOCKS for entry in _lock(name)}
    assert locked == recorded(_FOLDER).keys()


def _plain(requirement: str) -> str:
    return re.sub(r"[\s()]", "", requirement)


def test_locks_agree() -> None:
    """One environment can hold them all: a package has one version everywhere; the worker's packages are in each."""
    versions: dict[str, set[str]] = {}
    for name in _LOCKS:
        for entry in _lock(name):
            versions.setdefault(f"{entry.name} {entry.requirement.marker}", set()).add(entry.version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}
    worker = {entry.name for entry in _lock("worker")}
    assert all(worker <= {entry.name for entry in _lock(name)} for name in ("reevaluate", "emulator", "dev", "bench"))
    assert {entry.name for entry in (*_lock("emulator"), *_lock("reevaluate"))} <= {
        entry.name for entry in _lock("dev")
    }


def test_everything_that_ships_is_in_the_development_lock() -> None:
    """The packages of every extra that a user can ask for, so that its tests run."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name: each for name, each in project["optional-dependencies"].items() if name not in _NOT_SHIPPED}
    assert extras
    shipped = [*project["dependencies"], *(wanted for each in extras.values() for wanted in each)]
    names = {entry.name for entry in _lock("dev")} | {"config-remediator"}  # an extra may hold others
    assert {re.split(r"[<>=!~\[; ]", each)[0].lower() for each in shipped} <= names


def test_no_lock_names_an_index() -> None:
    """Where packages come from is the machine's own affair."""
    for path in _FOLDER.iterdir():
        assert not re.search(r"https?:|--(extra-)?index.url|--find-links", path.read_text(encoding="utf-8")), path
