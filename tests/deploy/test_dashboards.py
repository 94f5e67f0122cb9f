"""The dashboards: as their code makes them, made of metrics that exist, and complete."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.deploy import metrics
from tests.deploy.boards import FILES, PanelQuery, dashboard, filled, panels, queries
from tests.deploy.needed import DEPLOY, package

NOT_SHOWN = {
    "remediator_window_open": "absent for rules without windows; what waits is shown as held",
    "remediator_announcements_total": "absent without announce.topic; has an alert, and nothing is repaired by it",
    "remediator_announcements_waiting": "absent without announce.topic; has an alert",
    "remediator_announcements_waiting_seconds": "absent without announce.topic; has an alert",
    "remediator_catch_up_unmatched": "a mistake in the configuration; no run is whole, and its log names the entry",
    "remediator_credentials_expiry_timestamp_seconds": "absent for keys that do not end; has an alert",
    "remediator_event_times_corrected_total": "a forged or very late event; nothing to watch, and the log names it",
    "remediator_journal_bytes": "absent unless journal.path is set; the volume that it lies on is watched elsewhere",
    "remediator_journal_gaps_total": "absent unless journal.path is set; has an alert",
    "remediator_journal_unwritable": "absent unless journal.path is set; has an alert",
    "remediator_queue_retention_seconds": "a setting of the queue; log and status page name it where it matters",
    "remediator_rule_info": "names to join by; every panel goes by the rule",
    "remediator_shared_store_errors_total": "absent without [shared]; what it holds is shown as held",
    "remediator_shared_store_up": "absent without [shared]; has an alert",
    "remediator_notifications_total": "MissedUpstream compares it with what catch-up has found listed",
    "remediator_catch_up_recent_violations": "likewise, with what of it was notified",
    "remediator_reevaluations_total": "absent unless reevaluate.enabled; a fix does not depend on it",
}
"""Metrics that no panel shows on purpose, and why."""


@pytest.mark.parametrize(
    "folder", ["grafana/dashboards", "kubernetes/components/dashboards", "helm/config-remediator/files/dashboards"]
)
def test_the_json_is_what_the_code_makes(folder: str) -> None:
    """`python -m deploy.grafana` writes it; nobody edits it by hand."""
    package("grafana_foundation_sdk")
    from deploy.grafana import __main__ as generator

    made = generator.dashboards()
    assert set(made) == {path.name for path in (DEPLOY / folder).glob("*.json")} == set(FILES)
    for name, text in made.items():
        assert (DEPLOY / folder / name).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("query", queries(), ids=str)
def test_every_query_is_promql(query: PanelQuery) -> None:
    """It can be parsed once its variables are filled in."""
    parser = package("promql_parser")
    assert isinstance(parser.parse(filled(query.expr, interval="1m", time_range="6h")), parser.Expr)


def _one_series(expr: Any) -> bool:
    """Whether an expression gives one series at most, whatever is scraped."""
    parser = package("promql_parser")
    match expr:
        case parser.NumberLiteral():
            return True
        case parser.ParenExpr() | parser.UnaryExpr():
            return _one_series(expr.expr)
        case parser.AggregateExpr():
            return expr.modifier is None
        case parser.BinaryExpr():
            # Of `and` and `unless` the first side is what is shown.
            return _one_series(expr.lhs) and (str(expr.op) in {"and", "unless"} or _one_series(expr.rhs))
        case parser.Call() if expr.func.name == "histogram_quantile":
            return [str(label) for label in expr.args[1].modifier.labels] == ["le"]
        case parser.Call():
            return all(_one_series(argument) for argument in expr.args)
        case _:
            return False


def test_a_legend_without_a_label_stands_for_one_series() -> None:
    """Or two lines would have the same name: the figures of one replica or job and those of another."""
    parser = package("promql_parser")
    named = [
        (panel["title"], target["expr"])
        for file in FILES
        for panel in panels(file)
        for target in panel["targets"]
        if panel["type"] == "timeseries" and "{{" not in target["legendFormat"]
    ]
    assert len(named) >= 3
    several = [
        title for title, expr in named if not _one_series(parser.parse(filled(expr, interval="1m", time_range="6h")))
    ]
    assert several == []


@pytest.mark.parametrize("query", queries(), ids=str)
def test_every_metric_used_exists(query: PanelQuery) -> None:
    """A renamed metric would leave a panel empty for good."""
    used = metrics.used(query.expr)
    assert used
    assert used <= metrics.exported()


def test_every_metric_is_shown_or_left_out_on_purpose() -> None:
    """What nobody looks at need not be exported."""
    shown = {metrics.family(name) for query in queries() for name in metrics.used(query.expr)}
    assert metrics.documented() - shown == set(NOT_SHOWN)


@pytest.mark.parametrize("file", FILES)
def test_every_panel_can_be_understood(file: str) -> None:
    """Title, description and unit; a name for each series where there are several."""
    for panel in panels(file):
        assert panel["title"]
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


@pytest.mark.parametrize("file", FILES)
def test_boards_fit_any_grafana(file: str) -> None:
    """A stable uid, the data source as a variable everywhere, and no instance by name."""
    board = dashboard(file)
    assert board["uid"] == f"config-remediator-{file.removesuffix('.json')}"
    assert "datasource" in {variable["name"] for variable in board["templating"]["list"]}
    assert _sources(board) == {"${datasource}"}
    assert not re.search(r"instance=~?\"|pod=~?\"", str(board))
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))


def _sources(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["datasource"]["uid"]} if isinstance(node.get("datasource"), dict) else set()
        return own.union(*(_sources(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(_sources(value) for value in node))
    return set()


@pytest.mark.parametrize("query", queries(), ids=str)
def test_rates_follow_the_scrape_interval(query: PanelQuery) -> None:
    """$__rate_interval, or a stretch of time that somebody chose; never a fixed short window.

    Whether a series is new is another question: whether anything was seen of it in the hour before.
    """
    windows = re.findall(r"\[([^\]]+)\](?! offset)", query.expr)
    assert set(windows) <= {"$__rate_interval", "$__range", "24h"}


def test_the_first_row_answers_the_four_questions() -> None:
    """Is anything exposed, for how long, may it be repaired, are we keeping up; without scrolling."""
    first = [panel["title"] for panel in panels("overview.json") if panel["gridPos"]["y"] == 0]
    assert first == ["Is anything exposed?", "For how long?", "May it be repaired?", "Keeping up? Slots in use"]


@pytest.mark.parametrize("file", FILES)
def test_panels_do_not_overlap(file: str) -> None:
    """Each field of the grid belongs to one panel at most, and none is wider than the screen."""
    taken: set[tuple[int, int]] = set()
    for panel in dashboard(file)["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        fields = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not fields & taken
        taken |= fields


def _defaults(panel: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = panel["fieldConfig"]["defaults"]
    return found


@pytest.mark.parametrize("file", FILES)
def test_what_is_counted_is_whole(file: str) -> None:
    """No 2.03 messages, no 1 K for 1,234, and a rule is called one."""
    shown = {panel["title"]: _defaults(panel) for panel in panels(file) if "fieldConfig" in panel}
    assert not [title for title, each in shown.items() if each.get("unit") in ("short", "cps")]
    counted = [each for each in shown.values() if each.get("unit") == "none" or each.get("unit") == "suffix:rules"]
    assert len(counted) > 5
    assert all(each["decimals"] == 0 for each in counted)


def test_rules_are_called_rules() -> None:
    """The first figure that anybody looks at counts rules, not resources."""
    (first, *_) = panels("overview.json")
    assert _defaults(first)["unit"] == "suffix:rules"
    assert first["options"]["textMode"] == "auto"
    (mapping,) = _defaults(first)["mappings"]
    assert {value: each["text"] for value, each in mapping["options"].items()} == {
        "0": "nothing",
        "1": "1 rule",
        "-1": "unknown",
    }


@pytest.mark.parametrize("file", FILES)
def test_names_beside_bars_are_not_cut(file: str) -> None:
    """In a size of their own, above the bars; only many bars with short names have them beside."""
    for panel in panels(file):
        if panel["type"] == "bargauge":
            assert panel["options"]["text"]["valueSize"] <= 20, panel["title"]
            if panel["title"] != "Where the time goes":
                assert panel["options"]["text"]["titleSize"] <= 16, panel["title"]
                assert panel["options"]["namePlacement"] == "top", panel["title"]
