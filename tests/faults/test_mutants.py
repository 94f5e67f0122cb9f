"""The proof can fail: careless changes to the worker are caught, and the worker as it is passes the same scenes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.mutants import CHANGES, MUTANTS, Mutant, module
from tests.faults.replica import REPOSITORY
from tests.faults.scenarios import EVERY, Scenario
from tests.faults.stage import Stage, staged
from tests.patience import PATIENCE_SECONDS


@pytest.mark.parametrize("scenario", EVERY, ids=lambda scenario: scenario.__name__)
def test_the_worker_passes(scenario: Scenario, stage: Stage) -> None:
    """Nothing goes wrong with the code as it is."""
    assert scenario(stage) == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_mutant_is_caught(mutant: Mutant, tmp_path: Path) -> None:
    """The same scene shows what is wrong with a careless change."""
    with staged(tmp_path, module=module(mutant.change)) as stage:
        problems = mutant.scenario(stage)
    assert any(mutant.shows in problem for problem in problems), problems


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_mutant_still_finds_what_it_replaces(change: object) -> None:
    """A process that cannot even start would look like one that was caught."""
    started = subprocess.run(
        [sys.executable, *module(change), "--version"],  # type: ignore[arg-type]
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert (started.returncode, started.stderr) == (0, "")


def test_a_mutant_whose_place_is_gone_is_an_error() -> None:
    """A refactoring cannot disarm a mutant without anybody noticing."""
    from tests.faults.mutants import substitute

    with pytest.raises(AttributeError):
        substitute(EVERY, "no_such_name", lambda original: original)
