"""The job of catch-up has no memory by default: its own figures keep apart what two runs of it send."""

from __future__ import annotations

from typing import Any

from consumer.config.sections.catch_up import CatchUpConfig
from tests.deploy.manifests import only

_HOUR = 3_600
_APART_SECONDS = 3 * _HOUR
"""As docs/catch-up.md says it."""


def apart_seconds(job: dict[str, Any]) -> int:
    """From the last moment in which one run can send to the first one in which the next can."""
    _minute, hours, *rest = job["schedule"].split()
    assert rest == ["*"] * 3
    late, long = job["startingDeadlineSeconds"], job["jobTemplate"]["spec"]["activeDeadlineSeconds"]
    return int(hours.removeprefix("*/")) * _HOUR - late - long


def test_two_runs_are_hours_apart() -> None:
    """Never two at a time, none twice, and each of them over long before the next one."""
    job = only("overlays/production", "CronJob", "config-remediator-catch-up")["spec"]
    run = job["jobTemplate"]["spec"]
    assert (job["concurrencyPolicy"], run["backoffLimit"], run["template"]["spec"]["restartPolicy"]) == (
        "Forbid",
        0,
        "Never",
    )
    assert {run.get("parallelism", 1), run.get("completions", 1)} == {1}
    assert apart_seconds(job) >= _APART_SECONDS
    assert apart_seconds(job) > CatchUpConfig().min_age_seconds
