"""A module that is put off runs when somebody looks into it, once, and is then what it always was."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from consumer.aliyun.postponed import postpone

RAN = "vendored_ran"
"""The module that counts who ran."""


@pytest.fixture(autouse=True)
def vendored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A vendor's package `vendored` with a module `below` that it imports, and one `apart` that it does not.

    Each says in `vendored_ran.names` that it runs.
    """
    package = tmp_path / "vendored"
    package.mkdir()
    (tmp_path / f"{RAN}.py").write_text("names = []\n")
    (package / "__init__.py").write_text(f"import {RAN}\n{RAN}.names.append(__name__)\nfrom .below import depth\n")
    (package / "below.py").write_text(f"import {RAN}\n{RAN}.names.append(__name__)\ndepth = 2\n")
    (package / "apart.py").write_text(f"import {RAN}\n{RAN}.names.append(__name__)\ndepth = 4\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    for name in [name for name in sys.modules if name.startswith("vendored")]:
        del sys.modules[name]


def ran() -> list[str]:
    """Which modules have run, in their order."""
    names: list[str] = importlib.import_module(RAN).names
    return names


def imported(name: str) -> ModuleType:
    """What `import name` brings."""
    return importlib.import_module(name)


def test_importing_it_runs_nothing_and_looking_into_it_does() -> None:
    """By whatever form of import; a second look finds what is there."""
    postpone("vendored")
    exec("import vendored", {})  # noqa: S102 - the statement itself, whose way is another one than import_module's
    module = imported("vendored")
    assert ran() == []
    assert module.depth == 2
    assert module.depth == 2
    assert ran() == ["vendored", "vendored.below"]
    assert type(module) is ModuleType


def test_a_module_below_it_runs_alone() -> None:
    """And is the same that the one above finds later."""
    postpone("vendored")
    below = imported("vendored.below")
    assert ran() == ["vendored.below"]
    below.depth = 3
    assert imported("vendored").depth == 3
    assert ran() == ["vendored.below", "vendored"]


def test_a_module_is_found_in_its_package() -> None:
    """By `from package import module`, which does not run it either."""
    postpone("vendored.apart")
    names: dict[str, ModuleType] = {}
    exec("from vendored import apart", names)  # noqa: S102 - as above
    assert "vendored.apart" not in ran()
    assert names["apart"].depth == 4
    assert ran().count("vendored.apart") == 1


def test_what_it_does_not_have_is_missing_as_ever() -> None:
    """Once it has run, and with the usual error."""
    postpone("vendored")
    with pytest.raises(AttributeError, match="nothing"):
        imported("vendored").nothing  # noqa: B018 - the look is what is tested
    with pytest.raises(ImportError):
        exec("from vendored import nothing", {})  # noqa: S102 - as above
    assert ran() == ["vendored", "vendored.below"]


def test_it_runs_once_for_many_threads(vendored: Path) -> None:
    """Each waits until it is whole."""
    (vendored / "__init__.py").write_text(
        f"import time, {RAN}\n{RAN}.names.append(__name__)\ntime.sleep(0.05)\nlast = 'whole'\n"
    )
    postpone("vendored")
    module = imported("vendored")
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: module.last, range(32))) == {"whole"}
    assert ran() == ["vendored"]


def test_its_own_code_may_look_for_what_is_not_there_yet(vendored: Path) -> None:
    """As a module does that asks whether a name is defined already."""
    (vendored / "__init__.py").write_text("import sys\nfound = hasattr(sys.modules[__name__], 'later')\nlater = 1\n")
    postpone("vendored")
    assert (imported("vendored").found, imported("vendored").later) == (False, 1)


def test_a_module_that_fails_fails_for_each_who_looks(vendored: Path) -> None:
    """Nobody gets half of it."""
    (vendored / "__init__.py").write_text(f"import {RAN}\n{RAN}.names.append(__name__)\nhalf = 1\n1 / 0\n")
    postpone("vendored")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            imported("vendored").whole  # noqa: B018 - as above
    assert ran() == ["vendored", "vendored"]


def test_one_that_has_run_is_left_alone() -> None:
    """Whoever imported it first needs it."""
    module = imported("vendored")
    postpone("vendored", "vendored.below")
    assert imported("vendored") is module
    assert ran() == ["vendored", "vendored.below"]


def test_one_that_its_package_runs_is_left_alone() -> None:
    """It has run by the time that it could be put off."""
    postpone("vendored.below")
    assert imported("vendored.below").depth == 2
    assert ran() == ["vendored", "vendored.below"]


@pytest.mark.parametrize("name", ["vendored_nowhere", "vendored_nowhere.below", "vendored.nowhere"])
def test_one_that_does_not_exist_is_missing_as_ever(name: str) -> None:
    """For whoever imports it."""
    postpone(name)
    with pytest.raises(ModuleNotFoundError):
        imported(name)
