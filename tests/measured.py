"""Starts this project's commands so that a coverage run counts what they execute in their own process."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def python_module(name: str) -> list[str]:
    """The beginning of a command line that runs a module, measured if the tests themselves are."""
    coverage = sys.modules.get("coverage")
    if coverage is None or coverage.Coverage.current() is None:
        return [sys.executable, "-m", name]
    measure = ["-m", "coverage", "run", "--parallel-mode", f"--rcfile={ROOT / 'pyproject.toml'}"]
    return [sys.executable, *measure, f"--data-file={ROOT / '.coverage'}", "-m", name]
