"""What an alert says, as Prometheus itself renders it: whole numbers, singular and plural, no negative time."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.needed import DEPLOY, program

_RULES = DEPLOY / "prometheus" / "rules" / "config-remediator.yml"
_LABELS = {
    "rule": "public-read",
    "reason": "over_limit",
    "instance": "10.0.0.1:9108",
    "queue": "config-events",
    "action": "delete",
    "code": "AccessDenied",
    "resource": "acs:oss:*:1234567890123456:*",
    "service": "oss",
    "exemption": "static-site",
    "account": "1234567890123456",
}
"""Whatever an annotation may name."""


def _alerts() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(_RULES.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


WITH_A_VALUE = {name: rule for name, rule in _alerts().items() if "$value" in str(rule["annotations"])}
COUNTS = {name for name, rule in WITH_A_VALUE.items() if "printf" in str(rule["annotations"])}


def rendered(folder: Path, alert: str, value: float) -> str:
    """Summary and description, with such a value; promtool prints them as what it has got instead of nothing."""
    annotations = {key: text for key, text in _alerts()[alert]["annotations"].items() if key != "runbook_url"}
    labels = ",".join(f'{name}="{text}"' for name, text in _LABELS.items())
    rule = {"alert": alert, "expr": "x", "annotations": annotations}
    case = {
        "interval": "1m",
        "input_series": [{"series": f"x{{{labels}}}", "values": f"{value}x2"}],
        "alert_rule_test": [{"alertname": alert, "eval_time": "1m", "exp_alerts": []}],
    }
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}), encoding="utf-8")
    (folder / "test.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [case]}), encoding="utf-8")
    promtool = program("promtool", "apt-get install prometheus")
    done = subprocess.run(
        [promtool, "test", "rules", "test.yml"], cwd=folder, capture_output=True, text=True, check=False
    )
    found = re.search(r"Annotations:{(.*)}", done.stdout + done.stderr, re.DOTALL)
    assert found, done.stdout + done.stderr
    return found[1]


def test_there_are_some_of_each_kind() -> None:
    """The tests below have something to look at."""
    assert len(COUNTS) >= 5
    assert len(WITH_A_VALUE) > len(COUNTS)


@pytest.mark.parametrize("alert", sorted(_alerts()))
def test_a_value_has_a_form(alert: str) -> None:
    """As a duration, or as a whole number: never as Prometheus prints a float, and 1.234k is no number of messages."""
    for text in _alerts()[alert]["annotations"].values():
        for use in re.findall(r"{{([^}]*\$value[^}]*)}}", text):
            condition = use.strip().startswith(("if ", "else if "))
            assert condition or "humanizeDuration" in use or 'printf "%.0f"' in use, use


@pytest.mark.parametrize("alert", sorted(COUNTS))
def test_one_is_one(alert: str, tmp_path: Path) -> None:
    """No `1 messages were`, and no `2 message was`."""
    one, several = rendered(tmp_path, alert, 1), rendered(tmp_path, alert, 3)
    assert not re.search(r"\b1 \w+s\b|\b1 \w+ were\b", one), one
    assert re.search(r"\b3 \w+s\b", several), several
    assert not re.search(r"\b3 \w+ was\b|\b3 \w+s was\b", several), several


@pytest.mark.parametrize("alert", sorted(COUNTS))
@pytest.mark.parametrize(("value", "shown"), [(6.7, "7"), (1234567, "1234567")])
def test_counts_are_whole_and_written_out(alert: str, value: float, shown: str, tmp_path: Path) -> None:
    """An extrapolated increase is rounded, and a million is not 1.234567e+06."""
    text = rendered(tmp_path, alert, value)
    assert re.search(rf"(?<![\w.]){shown} \w+s\b", text), text
    assert not re.search(r"\d\.\d+(?![\d.:])|e\+", text.replace(_LABELS["instance"], "")), text


@pytest.mark.parametrize("alert", sorted(name for name, rule in WITH_A_VALUE.items() if "- time()" in rule["expr"]))
def test_no_time_is_negative(alert: str, tmp_path: Path) -> None:
    """What has ended has ended, and does not end in -5m 0s."""
    assert not re.search(r"(?<=\s)-\d", rendered(tmp_path, alert, -300))
