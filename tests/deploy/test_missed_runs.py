"""CatchUpStale as it is deployed: one run of catch-up that is missing is no alert, two in a row are one.

The time in which a run is expected stands in the worker's configuration, the schedule in the job, and what is made of
both in the rule: each could be right alone.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from consumer.cli.main import cli
from consumer.config import load
from tests.deploy.manifests import configuration, only
from tests.deploy.needed import DEPLOY, ROOT, program

_MINUTE, _HOUR = 60, 3_600
_MINUTES = 72 * 60
_RUN_MINUTES = 10
_FIRES_AFTER_MINUTES = 30
"""As docs/install-ack.md and docs/runbook.md say: half an hour after the second one should have ended."""


def _kubernetes(tmp_path: Path) -> tuple[int, int]:
    """Seconds from one run to the next, and within how many one is expected."""
    hours, *_ = only("overlays/production", "CronJob", "config-remediator-catch-up")["spec"]["schedule"].split()[1:]
    config = load(configuration("overlays/production", tmp_path), {})
    return int(hours.removeprefix("*/")) * _HOUR, config.catch_up.expected_within_seconds


def _compose(_tmp_path: Path) -> tuple[int, int]:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    name, *arguments = services["catch-up"]["command"]
    every = int(cli.commands[name].make_context(name, list(arguments)).params["every"])
    return every, load(DEPLOY / "compose" / "config.toml", {}).catch_up.expected_within_seconds


@pytest.mark.parametrize("deployed", [_kubernetes, _compose])
def test_it_fires_when_two_runs_in_a_row_are_missing_and_not_when_one_is(deployed: Any, tmp_path: Path) -> None:
    """Runs take ten minutes. After the fifth one is missing, or all are; the alert is evaluated every minute."""
    every_seconds, expected_seconds = deployed(tmp_path)
    every = every_seconds // _MINUTE
    run = min(_RUN_MINUTES, every // 2)
    last = 4 * every + run
    ends = list(range(run, _MINUTES, every))
    fires = last + 2 * every + _FIRES_AFTER_MINUTES
    looked_at = range(run + 1, fires + every, max(1, every // 6))
    silent = [*(minute for minute in looked_at if minute <= fires), fires]
    cases = [
        _case([at for at in ends if at != last + every], expected_seconds, silent=looked_at),
        _case([at for at in ends if at <= last], expected_seconds, silent=silent, fires=[fires + 2]),
    ]
    rules = DEPLOY / "prometheus" / "rules" / "config-remediator.yml"
    path = tmp_path / "missed.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": cases}))
    promtool = program("promtool", "apt-get install prometheus")
    done = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _case(ends: list[int], expected_seconds: int, *, silent: Any, fires: Any = ()) -> dict[str, Any]:
    """What the worker exports, minute by minute: the end of the last whole run, in seconds."""
    latest, values = 0, []
    for minute in range(_MINUTES):
        latest = minute if minute in ends else latest
        values.append(str(latest * _MINUTE) if latest else "_")
    where = '{job="config-remediator",instance="a"}'
    series = {
        "remediator_catch_up_expected_within_seconds": f"{expected_seconds}x{_MINUTES}",
        "remediator_catch_up_last_success_timestamp_seconds": " ".join(values),
        "remediator_config_last_load_success_timestamp_seconds": f"0x{_MINUTES}",
    }
    annotations = _annotations()
    fired = [{"exp_labels": {"severity": "ticket", "job": "config-remediator"}, "exp_annotations": annotations}]
    return {
        "interval": "1m",
        "input_series": [{"series": name + where, "values": value} for name, value in series.items()],
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": "CatchUpStale", "exp_alerts": wanted}
            for minutes, wanted in ((silent, []), (fires, fired))
            for minute in minutes
        ],
    }


def _annotations() -> dict[str, str]:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "rules" / "config-remediator.yml").read_text(encoding="utf-8"))
    found = [rule for group in rules["groups"] for rule in group["rules"] if rule.get("alert") == "CatchUpStale"]
    return dict(found[0]["annotations"])
