"""What Prometheus would make of a real worker's metrics: scraped while a fault lasts, judged by promtool and our rules.

Minutes and days that a rule waits for are not waited for: the last scrape stands for as long as the test says. Moments
(`_timestamp_seconds`) are moved with it, because promtool's time begins at 0.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.deploy.needed import program
from tests.faults.replica import REPOSITORY, Replica

_RULES = REPOSITORY / "deploy" / "prometheus" / "rules" / "config-remediator.yml"
_SERIES = re.compile(r"^(remediator_\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_GOT = re.compile(r"Labels:\{(?P<labels>[^\n]*)\}\n\s*Annotations:\{(?P<annotations>[^\n]*)\}")
_PAIR = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_MOMENT = "_timestamp_seconds"


@dataclass(frozen=True, slots=True)
class Fired:
    """One alert that fires."""

    labels: dict[str, str]
    summary: str


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one look at all replicas brought; `up` is 0 where nothing answered."""

    at: float
    values: dict[str, float]

    @classmethod
    def of(cls, replicas: Sequence[Replica]) -> Scrape:
        """Scrape each replica as an instance of its own."""
        values: dict[str, float] = {}
        for replica in replicas:
            target = f'job="config-remediator",instance="{replica.name}"'
            status, page = replica.get("/metrics")
            values[f"up{{{target}}}"] = float(status == 200)
            for name, labels, value in _SERIES.findall(page if status == 200 else ""):
                values[f"{name}{{{target},{labels}}}" if labels else f"{name}{{{target}}}"] = float(value)
        return cls(time.time(), values)


def fired(folder: Path, alert: str, scrapes: Sequence[Scrape], minutes: int, interval_minutes: int = 1) -> list[Fired]:
    """How an alert fires when each scrape but the last one was of one interval, and the last of so many minutes."""
    steps = max(1, minutes // interval_minutes)
    series = sorted({name for scrape in scrapes for name in scrape.values})
    case = {
        "interval": f"{interval_minutes}m",
        "input_series": [
            {"series": name, "values": _values(name, scrapes, steps, interval_minutes)} for name in series
        ],
        "alert_rule_test": [{"eval_time": f"{minutes}m", "alertname": alert, "exp_alerts": []}],
    }
    test = {"rule_files": [str(_RULES)], "evaluation_interval": f"{interval_minutes}m", "tests": [case]}
    path = folder / "scraped.yml"
    path.write_text(yaml.safe_dump(test), encoding="utf-8")
    promtool = program("promtool", "apt-get install prometheus")
    done = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    found = [
        Fired(dict(_PAIR.findall(got["labels"])), dict(_PAIR.findall(got["annotations"])).get("summary", ""))
        for got in _GOT.finditer(said)
    ]
    if not found and "SUCCESS" not in said:
        pytest.fail(said)
    return found


def _values(name: str, scrapes: Sequence[Scrape], steps: int, interval_minutes: int) -> str:
    """A series in promtool's notation: one value for each scrape, the last one repeated."""
    moves = name.partition("{")[0].endswith(_MOMENT)
    written = []
    for number, scrape in enumerate(scrapes):
        value = scrape.values.get(name)
        if value is not None and moves and value > 0:
            value += number * interval_minutes * 60 - scrape.at
        times = f"x{steps}" if scrape is scrapes[-1] else ""
        written.append(f"_{times}" if value is None else f"{value!r}{'+0' + times if times else ''}")
    return " ".join(written)
