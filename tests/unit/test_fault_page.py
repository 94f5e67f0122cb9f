"""docs/faults.md: every row names a test that exists, and metrics that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
_ROW = re.compile(
    r"^\| (?P<fault>[^|]+) \| (?P<does>[^|]+) \| (?P<shows>[^|]+) \| `(?P<test>[^`|]+)` \|$", re.MULTILINE
)
ROWS = [found for found in _ROW.finditer(PAGE) if found["fault"] != "fault"]


def test_no_row_is_overlooked() -> None:
    """Each line of a table that is no heading was read as a row."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| fault |")]
    assert len(lines) == len(ROWS) >= 15


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["test"].partition("::")[2])
def test_the_test_of_a_fault_is_there(row: re.Match[str]) -> None:
    """The file holds a test of that name."""
    path, _, name = row["test"].partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), row["test"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["test"].partition("::")[2])
def test_what_shows_a_fault_is_there(row: re.Match[str]) -> None:
    """Metrics and alerts are those of docs/metrics.md and of the rules."""
    metrics = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    rules = (ROOT / "deploy/prometheus/rules/config-remediator.yml").read_text(encoding="utf-8")
    for name in re.findall(r"`([a-z]+(?:_[a-z]+)+)(?:\{[^`]*\})?`", row["shows"]):
        assert f"`remediator_{name}`" in metrics or name in ("reads_back_old", "taken_back"), name
    for alert in re.findall(r"alert (\w+)", row["shows"]):
        assert f"alert: {alert}\n" in rules, alert
