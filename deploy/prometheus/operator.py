"""Writes the rules as a PrometheusRule, the form in which the Prometheus operator of a cluster takes them.

`python -m deploy.prometheus.operator` writes deploy/kubernetes/components/monitoring/prometheusrule.yaml, which a test
compares.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_DEPLOY = Path(__file__).parents[1]
RULES = _DEPLOY / "prometheus" / "rules" / "config-remediator.yml"
TARGET = _DEPLOY / "kubernetes" / "components" / "monitoring" / "prometheusrule.yaml"
_HEAD = "# Generated from deploy/prometheus/rules by `python -m deploy.prometheus.operator`; edit those.\n"


def manifest() -> str:
    """The custom resource as YAML."""
    groups: dict[str, Any] = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "config-remediator"},
        "spec": groups,
    }
    return _HEAD + yaml.safe_dump(resource, sort_keys=False, width=110, allow_unicode=True)


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(manifest(), encoding="utf-8")
