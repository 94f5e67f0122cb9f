"""A module that is put off runs when the SDK looks into it, and is for everybody else what it always was."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from consumer.aliyun.postponed import postponed

RAN = "vendored_ran"
"""The module that counts who ran."""


@pytest.fixture(autouse=True)
def vendored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A vendor's package `vendored`, whose modules import each other in a circle; each says that it runs."""
    package = tmp_path / "vendored"
    package.mkdir()
    (tmp_path / f"{RAN}.py").write_text("names = []\n")
    says = f"import {RAN}\n{RAN}.names.append(__name__)\n"
    (package / "__init__.py").write_text(f"{says}from .sessions import session\nfrom . import adapters\n")
    (package / "sessions.py").write_text(f"{says}from .adapters import adapter\nsession = adapter\n")
    (package / "adapters.py").write_text(f"{says}from . import certs\nadapter = certs.depth\n")
    (package / "certs.py").write_text(f"{says}depth = 5\n")
    (package / "apart.py").write_text(f"{says}class Kept: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    for name in [name for name in sys.modules if name.startswith("vendored")]:
        del sys.modules[name]


def ran() -> list[str]:
    """Which modules have run, in their order."""
    names: list[str] = importlib.import_module(RAN).names
    return names


def sdk(*statements: str) -> Any:
    """What an SDK has once it has imported these while `vendored` is put off."""
    names: dict[str, Any] = {}
    with postponed("vendored"):
        exec("\n".join(statements), names)  # noqa: S102 - the statements themselves: import_module takes another way
    return names


WHOLE = ["vendored", "vendored.sessions", "vendored.adapters", "vendored.certs"]


def test_importing_it_runs_nothing_and_looking_into_it_does() -> None:
    """Once, and what is there is what everybody has."""
    found = sdk("import vendored")["vendored"]
    assert ran() == []
    assert (found.session, found.session) == (5, 5)
    assert ran() == WHOLE
    assert found.adapters is importlib.import_module("vendored.adapters")


def test_a_module_below_it_runs_alone() -> None:
    """And is imported anew, below what is above it, by whoever else wants it."""
    kept = sdk("from vendored.apart import Kept")["Kept"]
    assert ran() == ["vendored.apart"]
    assert importlib.import_module("vendored.apart").Kept is not kept
    assert importlib.import_module("vendored").apart is sys.modules["vendored.apart"]
    assert ran() == ["vendored.apart", *WHOLE, "vendored.apart"]


@pytest.mark.parametrize("first", ["vendored", "vendored.sessions", "vendored.adapters", "vendored.certs"])
def test_whoever_else_imports_it_runs_it_as_ever(first: str) -> None:
    """From any of its modules on, each once; nobody but the SDK has a stand-in."""
    found = sdk("import vendored")["vendored"]
    module = importlib.import_module(first)
    assert type(module) is ModuleType
    assert ran() == WHOLE
    assert found.session == 5
    assert ran() == WHOLE


def test_a_look_into_it_while_it_is_put_off_runs_it() -> None:
    """As an SDK does that needs it for its own import."""
    assert sdk("from vendored import session")["session"] == 5
    assert importlib.import_module("vendored").session == 5
    assert ran() == WHOLE


def test_a_module_is_found_in_its_package() -> None:
    """By `from package import module`, which does not run it either."""
    names: dict[str, Any] = {}
    with postponed("vendored.apart"):
        exec("from vendored import apart", names)  # noqa: S102 - as above
    assert ran() == WHOLE
    assert names["apart"].Kept is importlib.import_module("vendored.apart").Kept


def test_what_it_does_not_have_is_missing_as_ever() -> None:
    """With the usual errors."""
    found = sdk("import vendored")["vendored"]
    with pytest.raises(AttributeError, match="nothing"):
        found.nothing  # noqa: B018 - the look is what is tested
    with pytest.raises(ImportError):
        sdk("from vendored import nothing")


def test_a_module_that_fails_fails_for_each_who_looks(vendored: Path) -> None:
    """Nobody gets half of it."""
    (vendored / "__init__.py").write_text("half = 1\n1 / 0\n")
    found = sdk("import vendored")["vendored"]
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            found.half  # noqa: B018 - as above


def test_one_that_has_run_is_left_alone() -> None:
    """Whoever imported it first needs it; also where its package imports it."""
    module = importlib.import_module("vendored")
    assert sdk("import vendored")["vendored"] is module
    with postponed("vendored.certs"):
        assert importlib.import_module("vendored.certs").depth == 5
    assert ran() == WHOLE


@pytest.mark.parametrize("name", ["vendored_nowhere", "vendored_nowhere.below", "vendored.nowhere"])
def test_one_that_does_not_exist_is_missing_as_ever(name: str) -> None:
    """For whoever imports it."""
    with postponed(name), pytest.raises(ModuleNotFoundError):
        importlib.import_module(name)


def test_an_import_that_fails_leaves_no_stand_in() -> None:
    """Neither of what is put off nor of what is below it."""
    with pytest.raises(ZeroDivisionError):
        sdk("import vendored.apart", "1 / 0")
    assert not [name for name in sys.modules if name.startswith("vendored") and name != RAN]
