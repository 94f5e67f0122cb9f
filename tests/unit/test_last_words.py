"""The last line of a process never waits for its reader."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from consumer.core import last_words
from tests.patience import PATIENCE_SECONDS


def test_a_line_is_reported(capfd: pytest.CaptureFixture[str]) -> None:
    """Whole, also where it is no Unicode."""
    last_words.say("the end: a\ud800b")
    assert capfd.readouterr().err == "the end: a\\ud800b\n"


def test_a_long_text_is_shown_as_far_as_it_is_taken() -> None:
    """A reader that reads gets all of it, one that does not costs the time that was given and no more."""
    script = "from consumer.core import last_words; last_words.say('x' * 300_000, 30.0)"
    done = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, check=True, timeout=PATIENCE_SECONDS)
    assert done.stderr == b"x" * 300_000 + b"\n"
    script = "from consumer.core import last_words; last_words.say('x' * 300_000)"
    read, write = os.pipe()
    try:
        assert (
            subprocess.run(
                [sys.executable, "-c", script], stderr=write, timeout=PATIENCE_SECONDS, check=False
            ).returncode
            == 0
        )
    finally:
        os.close(read)
        os.close(write)


@pytest.mark.parametrize("ending", ["os.close(2)", "os.dup2(os.open('/dev/full', os.O_WRONLY), 2)"])
def test_an_error_on_the_way_is_nobodys_concern(ending: str) -> None:
    """There is nowhere left to report it."""
    script = f"import os; from consumer.core import last_words; {ending}; last_words.say('x', 0.1)"
    assert subprocess.run([sys.executable, "-c", script], timeout=PATIENCE_SECONDS, check=False).returncode == 0
