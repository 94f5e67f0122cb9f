"""Installations that share a Prometheus: each has its own alerts, however it goes with the other one."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.needed import DEPLOY, program

_PROMETHEUS = DEPLOY / "prometheus"
_FILES = sorted(path.name for path in (_PROMETHEUS / "tests").glob("*.yml"))
_WELL = {
    "up": "1x3000",
    "remediator_worker_slots": "128x3000",
    "remediator_paused": "0x3000",
    "remediator_shared_store_up": "1x3000",
    'remediator_exposures_unknown{reason="not_polling"}': "0x3000",
    'remediator_exposures_unknown{reason="starting"}': "0x3000",
    'remediator_exposures_unknown{reason="dead_letters"}': "0x3000",
    'remediator_rule_mode{rule="public-read"}': "1x3000",
    'remediator_breaker_open{rule="public-read"}': "0x3000",
    'remediator_contested_resources{rule="public-read"}': "0x3000",
    'remediator_messages_in_flight{state="working"}': "0x3000",
    "remediator_messages_received_total": "0x3000",
    'remediator_messages_settled_total{disposition="deleted"}': "0x3000",
}
"""A replica of another installation that nothing is wrong with, for as long as it takes."""


def _whole(file: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((_PROMETHEUS / "tests" / file).read_text(encoding="utf-8"))
    return loaded


def _groups(file: str) -> list[dict[str, Any]]:
    return [group for group in _whole(file)["tests"] if group.get("alert_rule_test") and _about_one_installation(group)]


def _about_one_installation(group: dict[str, Any]) -> bool:
    """Those about several prove more already; and of one that was never seen there is nothing that could be named."""
    series = [each["series"] for each in group.get("input_series", ())]
    expected = [alert["exp_labels"] for check in group["alert_rule_test"] for alert in check.get("exp_alerts") or ()]
    return not any("namespace=" in each for each in series) and all(len(labels) > 1 for labels in expected)


def _in(namespace: str, series: str) -> str:
    name, _, labels = series.partition("{")
    return f'{name}{{namespace="{namespace}"{"," + labels if labels.strip("}") else "}"}'


def _named(namespace: str, alert: dict[str, Any]) -> dict[str, Any]:
    return {**alert, "exp_labels": {**alert["exp_labels"], "namespace": namespace}}


def _both(group: dict[str, Any], *, other_is_well: bool) -> dict[str, Any]:
    own = [{**each, "series": _in("one", each["series"])} for each in group["input_series"]]
    if other_is_well:
        labels = 'job="config-remediator",instance="z"'
        other = [{"series": _in("two", _with(name, labels)), "values": values} for name, values in _WELL.items()]
    else:
        other = [{**each, "series": _in("two", each["series"])} for each in group["input_series"]]
    troubled = ("one",) if other_is_well else ("one", "two")
    checks = [
        {**check, "exp_alerts": [_named(name, alert) for name in troubled for alert in check.get("exp_alerts") or ()]}
        for check in group["alert_rule_test"]
        if not (other_is_well and check["alertname"] in _OF_EVERYBODY)
    ]
    return {"interval": group.get("interval", "1m"), "input_series": own + other, "alert_rule_test": checks}


_OF_EVERYBODY = {
    "NotPolling",  # the other one has no figure of its last poll here, which would have to move with the time
}


def _with(series: str, labels: str) -> str:
    name, _, own = series.partition("{")
    return f"{name}{{{labels}{',' + own if own else '}'}"


@pytest.mark.parametrize(
    "other_is_well", [True, False], ids=["beside-one-that-is-well", "beside-one-with-the-same-trouble"]
)
@pytest.mark.parametrize("file", _FILES)
def test_each_installation_has_its_own_alerts(file: str, other_is_well: bool, tmp_path: Path) -> None:
    """As many as without the other one, with the same values, and each with the namespace that it is about."""
    groups = [_both(group, other_is_well=other_is_well) for group in _groups(file)]
    assert groups
    rules = str(_PROMETHEUS / "rules" / "config-remediator.yml")
    test = {**_whole(file), "rule_files": [rules], "tests": groups}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test), encoding="utf-8")
    promtool = program("promtool", "apt-get install prometheus")
    done = subprocess.run(
        [promtool, "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[:20_000]
