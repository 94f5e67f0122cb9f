"""For how long an observed violation stays open whose message was deleted: until catch-up must have brought it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumer.app.status_board import brought_back_seconds
from consumer.telemetry.exposure import BROUGHT_BACK_SECONDS
from tests.unit.config_files import SMALLEST, loaded


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ("", BROUGHT_BACK_SECONDS),
        ("resend_after_seconds = 3600", BROUGHT_BACK_SECONDS),
        ("expected_within_seconds = 43200", 43_200 + 86_400),
        ("expected_within_seconds = 43200\nresend_after_seconds = 3600", 43_200 + 3_600),
    ],
)
def test_it_is_open_until_a_run_that_remembers_has_sent_it_again(more: str, seconds: float, tmp_path: Path) -> None:
    """A run within that time may leave it, because one before has sent it not long ago; only the next brings it back.

    Closed before, it would be called safe while nobody has looked.
    """
    assert brought_back_seconds(loaded(tmp_path, f"{SMALLEST}\n[catch_up]\n{more}\n")) == seconds
