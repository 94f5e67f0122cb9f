"""The committed dashboards, taken apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.deploy.needed import DEPLOY

FILES = ("overview.json", "internals.json")


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """One query and where it stands."""

    board: str
    panel: str
    expr: str
    instant: bool

    def __str__(self) -> str:
        return f"{self.board} {self.panel}"


def dashboard(file: str) -> dict[str, Any]:
    """One dashboard's JSON."""
    loaded: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboards" / file).read_text(encoding="utf-8"))
    return loaded


def panels(file: str) -> list[dict[str, Any]]:
    """Its panels, without the headings of rows."""
    return [panel for panel in dashboard(file)["panels"] if panel["type"] != "row"]


def queries() -> list[PanelQuery]:
    """Every query of every panel."""
    return [
        PanelQuery(file.removesuffix(".json"), panel["title"], target["expr"], bool(target.get("instant")))
        for file in FILES
        for panel in panels(file)
        for target in panel["targets"]
    ]


def filled(expr: str, *, interval: str, time_range: str) -> str:
    """A query as Grafana sends it when everything is chosen."""
    for variable, value in {
        "$__rate_interval": interval,
        "$__range": time_range,
        "$namespace": ".*",
        "$job": ".*",
        "$rule": ".*",
    }.items():
        expr = expr.replace(variable, value)
    return expr
