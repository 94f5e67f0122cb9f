"""`python -m deploy.grafana`: writes the dashboards for compose, for the sidecar on a cluster, and into the chart."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana import internals, overview
from deploy.grafana.panels import board

_DEPLOY = Path(__file__).parents[1]
FOLDERS = (
    _DEPLOY / "grafana" / "dashboards",
    _DEPLOY / "kubernetes" / "components" / "dashboards",
    _DEPLOY / "helm" / "config-remediator" / "files" / "dashboards",
)


def dashboards() -> dict[str, str]:
    """Dashboard JSON by file name."""
    return {
        "overview.json": _json(overview, rules=True),
        "internals.json": _json(internals, rules=False),
    }


def _json(module: Any, *, rules: bool) -> str:
    made = board(module.UID, module.TITLE, module.DESCRIPTION, module.ROWS, rules=rules)
    return json.dumps(made.build(), cls=JSONEncoder, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write every dashboard into every folder."""
    for folder in FOLDERS:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in dashboards().items():
            (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
