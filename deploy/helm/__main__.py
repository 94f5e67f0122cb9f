"""`python -m deploy.helm`: puts alert rules and dashboards into the chart, which reads no file from above itself."""

from __future__ import annotations

from pathlib import Path

_DEPLOY = Path(__file__).parents[1]
CHART = _DEPLOY / "helm" / "config-remediator"


def copies() -> dict[Path, Path]:
    """What is copied, by where it goes."""
    boards = sorted((_DEPLOY / "grafana" / "dashboards").glob("*.json"))
    return {
        CHART / "files" / "alerts.yml": _DEPLOY / "prometheus" / "rules" / "config-remediator.yml",
        **{CHART / "files" / "dashboards" / path.name: path for path in boards},
    }


def main() -> None:
    """Copy everything."""
    for target, source in copies().items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())


if __name__ == "__main__":
    main()
