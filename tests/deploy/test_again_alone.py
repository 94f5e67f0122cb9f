"""`scripts/again-alone`: what passes alone is named, what fails alone fails, and nothing else is forgiven."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.needed import ROOT

_UNSTABLE = """
from pathlib import Path

def test_{name}():
    mark = Path("seen-{name}")
    before = mark.exists()
    mark.touch()
    assert before
"""
_BROKEN = """
def test_broken():
    assert False
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A checkout as the script sees one."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/again-alone", tmp_path / "scripts")
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    (tmp_path / "test_it.py").write_text("def test_sound():\n    pass\n", encoding="utf-8")
    return tmp_path


def _run(suite: Path, *tests: str, command: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    with (suite / "test_it.py").open("a", encoding="utf-8") as file:
        file.writelines(tests)
    environment = {**os.environ, "UNSTABLE": str(suite / "unstable"), "PYTEST_ADDOPTS": ""}
    for name in [name for name in environment if name.startswith(("COV_", "PYTEST_XDIST"))]:
        del environment[name]
    return subprocess.run(
        ["scripts/again-alone", *(command or (".venv/bin/python", "-m", "pytest", "-q"))],
        cwd=suite,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_passes_alone_is_named(suite: Path) -> None:
    """On the standard output and in the file that CI prints at its end."""
    done = _run(suite, *(_UNSTABLE.format(name=name) for name in "abc"))
    assert done.returncode == 0, done.stdout
    named = [f"UNSTABLE, passed alone: test_it.py::test_{name}" for name in "abc"]
    assert (suite / "unstable").read_text(encoding="utf-8").splitlines() == named
    assert done.stdout.splitlines()[-3:] == named


def test_what_passes_at_once_runs_once(suite: Path) -> None:
    """And nothing is named."""
    done = _run(suite)
    assert done.returncode == 0
    assert "1 passed" in done.stdout
    assert not (suite / "unstable").exists()


def test_what_fails_alone_has_failed(suite: Path) -> None:
    """Also beside one that passes then."""
    done = _run(suite, _UNSTABLE.format(name="a"), _BROKEN)
    assert done.returncode == 1
    assert not (suite / "unstable").exists()


def test_many_failures_are_no_accident(suite: Path) -> None:
    """So none of them runs again."""
    done = _run(suite, *(_UNSTABLE.format(name=name) for name in "abcd"))
    assert done.returncode == 1
    assert done.stderr == "again-alone: 4 tests failed, which is more than 3, so none runs again\n"


def test_a_file_that_cannot_be_read_fails(suite: Path) -> None:
    """Pytest notes it like a test that failed."""
    assert _run(suite, "import nothing_of_that_name\n").returncode not in (0, None)


def test_what_is_no_test_is_not_tried_again(suite: Path) -> None:
    """A linter, or failures of an earlier run."""
    assert _run(suite, _UNSTABLE.format(name="a"), command=(".venv/bin/python", "-m", "pytest")).returncode == 0
    done = _run(suite, _BROKEN, command=("sh", "-c", "exit 7"))
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "")


def test_too_little_coverage_is_not_forgiven(suite: Path) -> None:
    """The bound of pyproject.toml counts for the whole run."""
    (suite / "covered.py").write_text("def never():\n    return 1\n" * 9, encoding="utf-8")
    (suite / ".coveragerc").write_text("[report]\nfail_under = 90\n", encoding="utf-8")
    covered = (".venv/bin/python", "-m", "pytest", "--cov=covered", "-p", "no:xdist")
    done = _run(suite, "import covered\n", _UNSTABLE.format(name="a"), command=covered)
    assert done.returncode == 1, done.stdout
    assert not (suite / "unstable").exists()
