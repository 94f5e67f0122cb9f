"""Programs and packages that some of these tests need beyond the development lock.

Where one is missing, a test is skipped and says what to install. In CI, where CI=true, it fails instead, as every other
skip does there (tests/skips.py).
"""

from __future__ import annotations

import os
import shutil
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def program(name: str, install: str) -> str:
    """Path of a program, from the virtual environment or the system."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=beside) or shutil.which(name)
    return found if found is not None else _missing(f"{name} is not installed: {install}")


def package(name: str) -> ModuleType:
    """An importable package."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        _missing(f"the package {name} is not installed: make test installs it from requirements/dev.txt")
        raise


def _missing(what: str) -> str:
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(what)
    pytest.skip(what)
