"""`make demo` in its smallest form, as whoever sees the project for the first time runs it."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.faults.replica import REPOSITORY


def test_the_demonstration_holds_every_promise() -> None:
    """It ends by itself, says so in its last line, and nothing is wrong by the emulator's journal."""
    done = subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=REPOSITORY,
        env={**os.environ, "DEMO_BUCKETS": "20"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert done.stdout.rstrip().endswith("every promise held, by the emulator's own journal")
    assert done.stderr == ""
