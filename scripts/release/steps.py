"""What the steps of a release share: how one fails, and how a program is run."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path


class ReleaseError(Exception):
    """What keeps a release from being built, in one line, with a failed program's output below it."""


def run(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """What the program prints.

    Raises:
        ReleaseError: it failed.
    """
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - the tools of the lock, git, docker
    if done.returncode != 0:
        raise ReleaseError(f"{' '.join(command[:4])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
