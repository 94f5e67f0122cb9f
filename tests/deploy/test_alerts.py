"""The alerting rules: valid, proved both ways, explained, and made of metrics that exist."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
import yaml

from deploy.prometheus import operator
from tests.deploy import metrics
from tests.deploy.needed import DEPLOY, ROOT, program

_PROMETHEUS = DEPLOY / "prometheus"
_RULES = _PROMETHEUS / "rules" / "config-remediator.yml"
_RUNBOOK = ROOT / "docs" / "runbook.md"
_INSTALL = "apt-get install prometheus"
_AGGREGATION_BY = re.compile(r"\bby\s*\(")


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(_RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in _rules() if "alert" in rule}


def _cases() -> list[dict[str, Any]]:
    files = sorted((_PROMETHEUS / "tests").glob("*.yml"))
    return [group for file in files for group in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]]


def _promtool(*arguments: str) -> str:
    promtool = program("promtool", _INSTALL)
    done = subprocess.run([promtool, *arguments], cwd=_PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_prometheus_takes_rules_and_configuration() -> None:
    """promtool finds nothing wrong with the rules and with compose's configuration."""
    assert "SUCCESS" in _promtool("check", "rules", "rules/config-remediator.yml")
    assert "SUCCESS" in _promtool("check", "config", "prometheus.yml")


@pytest.mark.parametrize("file", sorted(path.name for path in (_PROMETHEUS / "tests").glob("*.yml")))
def test_alerts_fire_when_they_should_and_only_then(file: str) -> None:
    """Every case of promtool's unit tests holds."""
    assert "SUCCESS" in _promtool("test", "rules", f"tests/{file}")


@pytest.mark.parametrize("alert", sorted(_alerts()))
def test_every_alert_is_proved_both_ways(alert: str) -> None:
    """A case in which it has to fire, and another one in which it never does."""
    groups = [
        [check["exp_alerts"] for check in group.get("alert_rule_test", ()) if check["alertname"] == alert]
        for group in _cases()
    ]
    assert any(any(checks) for checks in groups), "no case in which it has to fire"
    assert any(checks and not any(checks) for checks in groups), "no case in which it must not fire"


def test_no_case_is_about_an_alert_that_is_gone() -> None:
    """promtool takes silence of an unknown alert for success, so a renamed alert would lose its cases unseen."""
    named = {check["alertname"] for group in _cases() for check in group.get("alert_rule_test", ())}
    assert named == set(_alerts())


@pytest.mark.parametrize("alert", sorted(_alerts()))
def test_every_alert_says_what_it_means_and_where_to_look(alert: str) -> None:
    """Severity, summary, description, and the runbook's entry of its name."""
    rule = _alerts()[alert]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert {"summary", "description", "runbook_url"} == set(rule["annotations"])
    assert rule["annotations"]["runbook_url"] == f"{operator.RUNBOOK}#{alert.lower()}"


@pytest.mark.parametrize("alert", sorted(_alerts()))
def test_every_alert_has_a_whole_entry_in_the_runbook(alert: str) -> None:
    """What it means, where to look first, what helps."""
    entry = _entries().get(alert, "")
    for part in ("**Means.**", "**First look.**", "**Remedies.**"):
        assert part in entry, f"{alert} lacks {part}"


def test_the_runbook_has_no_entry_without_an_alert() -> None:
    """Nobody is paged by what does not exist."""
    assert set(_entries()) == set(_alerts())


def _entries() -> dict[str, str]:
    parts = re.split(r"^## (?=[A-Z]\w+$)", _RUNBOOK.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {part.split("\n", 1)[0].strip(): part for part in parts}


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_rules_use_metrics_that_exist(rule: dict[str, Any]) -> None:
    """A renamed metric would silence an alert for good."""
    assert metrics.used(rule["expr"]) <= metrics.exported()


def test_recorded_series_are_recorded() -> None:
    """Every name with a colon that a rule uses is one that another rule records."""
    recorded = {rule["record"] for rule in _rules() if "record" in rule}
    used = {name for rule in _rules() for name in re.findall(r"[a-z_]+:\w+:\w+", rule["expr"])}
    assert used <= recorded


def test_labels_of_other_people_stay() -> None:
    """Aggregations say what they drop, so that cluster, region and team stay on every alert."""
    assert not [rule for rule in _rules() if _AGGREGATION_BY.search(rule["expr"])]


def test_clusters_get_the_same_rules() -> None:
    """The PrometheusRule is what the rules make; `python -m deploy.prometheus.operator` writes it."""
    assert operator.TARGET.read_text(encoding="utf-8") == operator.manifest()
    assert operator.CHARTED.read_bytes() == operator.RULES.read_bytes()


def test_the_runbook_can_be_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    """Every `runbook_url` of the printed rules leads to the URL that was given, and the shipped ones stay."""
    operator.main(["--runbook", "https://wiki.internal/remediator"])
    printed = yaml.safe_load(capsys.readouterr().out)
    rules = [rule for group in printed["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
    urls = {rule["annotations"]["runbook_url"] for rule in rules}
    assert urls == {f"https://wiki.internal/remediator#{alert.lower()}" for alert in _alerts()}


def test_no_alert_looks_at_an_increase_alone() -> None:
    """`increase` does not see what a series begins with; whoever uses it says what a young series is worth."""
    careless = {
        rule.get("alert") or rule["record"]
        for rule in _rules()
        if rule["expr"].count("increase(") > len(re.findall(r"offset (?!14d)", rule["expr"]))
    }
    assert careless == GROWING_ANYWAY


GROWING_ANYWAY = {
    "HeldTooLong",  # messages that are held come back and count again
    "ObserveModeForgotten",  # as do those of a rule that observes
    "rule:remediator_exposure_seconds:within_5m_ratio1d",  # a share, and a day has many scrapes
    "rule_outcome:remediator_outcomes:increase1h",  # for people's own boards; used by no alert
}
"""Where a count that was missed at the start of a series changes nothing."""
