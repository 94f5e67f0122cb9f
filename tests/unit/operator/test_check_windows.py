"""When `check` says that a rule may make changes again, also in the night in which clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumer.operator.check.configuration import look
from tests.unit.config_files import SMALLEST, loaded


@pytest.mark.parametrize(
    ("window", "now", "again"),
    [
        ("Sun 01:30-02:30 Europe/Berlin", "2026-10-25T00:35", "2026-10-25T02:00+01:00"),  # the clock goes back into it
        ("Sun 02:15-02:45 Europe/Berlin", "2026-10-25T00:50", "2026-10-25T02:15+01:00"),  # and shows it twice
        ("Sun 02:15-04:00 Europe/Berlin", "2026-03-28T12:00", "2026-03-29T03:00+02:00"),  # it skips the beginning
        ("Sun 02:15-02:45 Europe/Berlin", "2026-03-28T12:00", "2026-04-05T02:15+02:00"),  # and all of it
        ("Mon-Fri 09:00-17:00 Asia/Shanghai", "2026-11-29T12:00", "2026-11-30T09:00+08:00"),
    ],
)
def test_it_is_said_by_the_clock_of_the_place(window: str, now: str, again: str, tmp_path: Path) -> None:
    """With the offset, since the clock may show the same twice in that night."""
    config = loaded(tmp_path, f'{SMALLEST}windows = ["{window}"]\n')
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp()

    (found,) = [each for each in look(config, moment) if each.check == "windows"]

    assert found.message == f"public-read makes no changes now; again from {again}"
