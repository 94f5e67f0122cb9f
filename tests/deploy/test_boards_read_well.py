"""What people read on the dashboards: whole numbers, names that are not cut, and nothing green that nobody knows."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.deploy.boards import FILES, PanelQuery, panels, queries
from tests.deploy.needed import ROOT

_FIGURES = ("stat", "gauge", "bargauge")
_COUNTED = ("none", "suffix:rules")
_NEUTRAL = {"#7b8794"}
"""Colours that call nothing good or bad."""

PANELS = [(file, panel) for file in FILES for panel in panels(file)]

ZERO_WITHOUT_DATA = {
    "overview Not at work": "one of two parts of a sum: that none is down; the other part, the slots, has no such zero",
}
"""Queries that take no answer for 0, and why nobody is misled."""

FEW_VALUES = {
    "rule",
    "outcome",
    "reason",
    "state",
    "stage",
    "disposition",
    "result",
    "action",
    "code",
    "exemption",
    "queue",
    "service",
    "instance",
}
"""Labels that have few values at a time: a closed set, or as many as the configuration names."""

MANY_VALUES = {"operation": 10, "resource": 6}
"""Labels with so many, or such long ones, that their names need a column of their own, and how high that has to be."""


def _named(value: Any) -> str:
    return f"{value[0].removesuffix('.json')} {value[1]['title']}"


def _defaults(panel: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = panel["fieldConfig"]["defaults"]
    return found


def _by_panel(query: PanelQuery) -> dict[str, Any]:
    (found,) = [panel for panel in panels(f"{query.board}.json") if panel["title"] == query.panel]
    return found


@pytest.mark.parametrize("query", [each for each in queries() if "increase(" in each.expr], ids=str)
def test_what_has_increased_is_whole(query: PanelQuery) -> None:
    """`increase` extrapolates: one error in the window is 1.07 of it, unless each series is rounded by itself."""
    if _defaults(_by_panel(query))["unit"] in _COUNTED:
        assert query.expr.count("increase(") == query.expr.count("round(increase("), query.expr


@pytest.mark.parametrize("query", [each for each in queries() if "round(increase(" in each.expr], ids=str)
def test_what_a_series_begins_with_is_counted(query: PanelQuery) -> None:
    """A code or reason that appears for the first time is born as 1: `increase` alone never shows the first one."""
    assert query.expr.count("increase(") == query.expr.count("offset") == query.expr.count("max_over_time(")


def test_there_are_counts() -> None:
    """The two tests above have something to look at."""
    assert sum("round(increase(" in query.expr for query in queries()) > 6


@pytest.mark.parametrize("entry", [each for each in PANELS if each[1]["type"] in _FIGURES], ids=_named)
def test_no_figure_is_coloured_without_data(entry: tuple[str, dict[str, Any]]) -> None:
    """Grafana paints a panel without data in the colour below the first threshold; by its own default that is green."""
    (file, panel) = entry
    steps = _defaults(panel)["thresholds"]["steps"]
    assert steps[0]["value"] is None
    assert steps[0]["color"] in _NEUTRAL, f"{file} {panel['title']}"


@pytest.mark.parametrize("entry", PANELS, ids=_named)
def test_every_panel_says_when_it_has_nothing(entry: tuple[str, dict[str, Any]]) -> None:
    """In words that leave open what nobody knows; a figure of the present is unknown then."""
    (_, panel) = entry
    wanted = "unknown" if panel["type"] in ("stat", "gauge", "state-timeline") else "none, or no data"
    assert _defaults(panel)["noValue"] == wanted


def test_silence_is_zero_only_where_it_says_why() -> None:
    """`or vector(0)`, or any other number that looks like an answer."""
    made_up = {str(query) for query in queries() if re.search(r"vector\(\s*\d|absent\(", query.expr)}
    assert made_up == set(ZERO_WITHOUT_DATA)


@pytest.mark.parametrize("entry", [each for each in PANELS if each[1]["type"] == "timeseries"], ids=_named)
def test_names_of_lines_have_room(entry: tuple[str, dict[str, Any]]) -> None:
    """Each is made of labels with few values and stands below; or they are many, and have a column at the side."""
    (_, panel) = entry
    labels = {name for target in panel["targets"] for name in re.findall(r"{{(\w+)}}", target["legendFormat"])}
    assert all(target["legendFormat"] != "__auto" for target in panel["targets"])
    assert labels <= FEW_VALUES | set(MANY_VALUES)
    assert panel["options"]["legend"]["placement"] == ("right" if labels & set(MANY_VALUES) else "bottom")
    for label in labels & set(MANY_VALUES):
        assert panel["gridPos"]["w"] >= 12
        assert panel["gridPos"]["h"] >= MANY_VALUES[label]


@pytest.mark.parametrize("entry", [each for each in PANELS if each[1]["type"] == "table"], ids=_named)
def test_tables_have_no_columns_that_say_nothing(entry: tuple[str, dict[str, Any]]) -> None:
    """Not the moment of the question, and no column that is called Value."""
    (_, panel) = entry
    ((organize),) = panel["transformations"]
    assert organize["id"] == "organize"
    assert "Time" in organize["options"]["excludeByName"]
    assert "Value" in {**organize["options"]["excludeByName"], **organize["options"]["renameByName"]}


@pytest.mark.parametrize("entry", [each for each in PANELS if each[1]["type"] in _FIGURES], ids=_named)
def test_figures_are_as_exact_as_people_need(entry: tuple[str, dict[str, Any]]) -> None:
    """8.9 mins rather than 8.87, a share in whole per cent, and days in which somebody plans as whole ones."""
    (_, panel) = entry
    defaults = _defaults(panel)
    if panel["type"] != "bargauge" or defaults["unit"] == "suffix: days":
        assert defaults["decimals"] == (1 if defaults["unit"] == "s" else 0)


@pytest.mark.parametrize("entry", [each for each in PANELS if each[1]["type"] == "timeseries"], ids=_named)
def test_bars_of_counts_do_not_count_one_event_many_times(entry: tuple[str, dict[str, Any]]) -> None:
    """A bar looks back as far as `$__rate_interval`; bars that stand closer than that show each event several times."""
    (_, panel) = entry
    if any("increase(" in target["expr"] for target in panel["targets"]):
        assert panel["interval"] == "2m"
        assert _defaults(panel)["custom"]["drawStyle"] == "bars"


@pytest.mark.parametrize("query", queries(), ids=str)
def test_installations_are_kept_apart(query: PanelQuery) -> None:
    """Every series of ours, and `up`, is chosen by namespace and job."""
    names = re.findall(r"(?:\w+:)?(?:remediator_\w+|(?<!\w)up(?={))(?::\w+)?", query.expr)
    assert names
    assert query.expr.count('namespace=~"$namespace",job=~"$job"') == len(names), query.expr


@pytest.mark.parametrize("entry", PANELS, ids=_named)
def test_panels_are_written_in_plain_words(entry: tuple[str, dict[str, Any]]) -> None:
    """No riddles, and a title that fits beside the sign of the description on a dashboard of 1,000 pixels."""
    (_, panel) = entry
    assert not re.search(r"\b(hand|told|asked|tells?|came of)\b", f"{panel['title']} {panel['description']}")
    assert len(panel["title"]) * 7.5 + 40 <= panel["gridPos"]["w"] * 1000 / 24, "the title is cut"


def test_the_runbook_names_panels_that_exist() -> None:
    """Whoever is paged looks for the panel by its title."""
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    named = {" ".join(name.split()) for name in re.findall(r"(?<!\*)\*(?!\*)([A-Z][^*]+)\*(?!\*)", text)}
    assert len(named) > 10
    assert named <= {panel["title"] for _, panel in PANELS}
