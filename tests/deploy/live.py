"""Processes of an installation at work, and a real Prometheus that scrapes them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deploy.boards import PanelQuery, filled
from tests.deploy.needed import DEPLOY, program
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port

_PROMETHEUS = """\
global:
  scrape_interval: {seconds}s
  evaluation_interval: {seconds}s
rule_files: [{rules}]
scrape_configs:
  - job_name: config-remediator
    static_configs: [{{targets: {targets}}}]
"""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """One that is running."""

    url: str
    since: float

    def data(self, query: PanelQuery) -> bool:
        """Whether a panel shows at least one number, now or at any moment since the start."""
        expr = filled(query.expr, interval="15s", time_range="10m")
        if query.instant:
            return _numbers(self.ask("query", query=expr))
        return _numbers(self.ask("query_range", query=expr, start=self.since, end=time.time(), step=1))

    def value(self, expr: str) -> float | None:
        """The one value of an expression, if it has one now."""
        found = self.ask("query", query=expr)
        return float(found[0]["value"][1]) if found else None

    def ask(self, what: str, **parameters: object) -> list[dict[str, Any]]:
        """The result of a query.

        Raises:
            OSError: it is refused, or nobody answers.
        """
        with urllib.request.urlopen(
            f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}", timeout=PATIENCE_SECONDS
        ) as got:
            result: list[dict[str, Any]] = json.load(got)["data"]["result"]
            return result


def _numbers(result: list[dict[str, Any]]) -> bool:
    values = [value for series in result for value in series.get("values", [series.get("value")])]
    return any(value[1] != "NaN" for value in values)


@contextmanager
def started(*command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended, and waited for, at the end."""
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


@contextmanager
def scraping(folder: Path, *scraped: int, seconds: int = 1) -> Iterator[Prometheus]:
    """A Prometheus that scrapes these ports so often, with the shipped rules."""
    binary = program("prometheus", "apt-get install prometheus")
    port, path = free_port(), folder / "prometheus.yml"
    path.write_text(
        _PROMETHEUS.format(
            rules=DEPLOY / "prometheus" / "rules" / "config-remediator.yml",
            seconds=seconds,
            targets=json.dumps([f"127.0.0.1:{each}" for each in scraped]),
        ),
        encoding="utf-8",
    )
    options = (
        f"--config.file={path}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    with started(binary, *options):
        yield Prometheus(f"http://127.0.0.1:{port}", time.time())
