"""docs/metrics.md and the registry say the same."""

from __future__ import annotations

import re
from pathlib import Path

from consumer.engine.poll_board import PollState
from consumer.telemetry.exposure import OpenExposures
from tests.unit.telemetry.records import SETTLED_AT_MS
from tests.unit.telemetry.scrape import families, metrics, tell_everything

_DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"
_ROW = re.compile(r"^\| `(remediator_\w+)` \| (\w+) \| ([^|]+) \| [^|]+ \| [^|]+ \| [^|]+ \|$", re.MULTILINE)
_NONE = "\N{EN DASH}"
_SUFFIXES = {"counter": "_total", "info": "_info"}


def _documented() -> dict[str, tuple[str, frozenset[str]]]:
    rows = _ROW.findall(_DOCUMENT.read_text(encoding="utf-8"))
    return {name: (kind, frozenset(labels.replace(_NONE, "").replace(",", " ").split())) for name, kind, labels in rows}


def _exported() -> dict[str, tuple[str, frozenset[str]]]:
    exposures = OpenExposures(wall=lambda: SETTLED_AT_MS / 1000)
    found = metrics(poll_state=lambda: PollState(1_790_000_000.0), exposures=exposures)
    tell_everything(found, exposures)
    return {
        name + _SUFFIXES.get(family.type, ""): (
            family.type,
            frozenset(label for sample in family.samples for label in sample.labels) - {"le"},
        )
        for name, family in families(found).items()
    }


def test_every_metric_is_documented_as_it_is() -> None:
    """Name, type and labels of every row are those of a scrape, and no metric lacks its row."""
    assert _documented() == _exported()
