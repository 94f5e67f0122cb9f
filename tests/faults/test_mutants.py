"""The proof can fail: careless changes to the worker are caught, and the worker as it is passes the same scenes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.mutants import MUTANTS, Mutant
from tests.faults.scenarios import EVERY, Scenario
from tests.faults.stage import Stage, staged


@pytest.mark.parametrize("scenario", EVERY, ids=lambda scenario: scenario.__name__)
def test_the_worker_passes(scenario: Scenario, stage: Stage) -> None:
    """Nothing goes wrong with the code as it is."""
    assert scenario(stage) == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_mutant_is_caught(mutant: Mutant, tmp_path: Path) -> None:
    """The same scene shows what is wrong with a careless change."""
    code = mutant.apply(tmp_path / "code")
    with staged(tmp_path, code=code) as stage:
        assert mutant.scenario(stage) != []


def test_a_mutant_whose_text_is_gone_is_an_error(tmp_path: Path) -> None:
    """A refactoring cannot disarm a mutant without anybody noticing."""
    gone = Mutant("gone", "engine/settler.py", "no such text", "", EVERY[0])
    with pytest.raises(ValueError, match="0 times"):
        gone.apply(tmp_path)
