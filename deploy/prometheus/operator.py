"""Writes the rules as a PrometheusRule, the form in which the Prometheus operator of a cluster takes them.

`python -m deploy.prometheus.operator` writes deploy/kubernetes/components/monitoring/prometheusrule.yaml, and a copy of
the rules into the chart, which reads no file from above itself; tests compare both. With `--runbook URL` it prints a
PrometheusRule instead, whose alerts lead to the runbook at that URL.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

_DEPLOY = Path(__file__).parents[1]
RULES = _DEPLOY / "prometheus" / "rules" / "config-remediator.yml"
TARGET = _DEPLOY / "kubernetes" / "components" / "monitoring" / "prometheusrule.yaml"
CHARTED = _DEPLOY / "helm" / "config-remediator" / "files" / "alerts.yml"
_HEAD = "# Generated from deploy/prometheus/rules by `python -m deploy.prometheus.operator`; edit those.\n"


RUNBOOK = "https://config-remediator.example/docs/runbook.md"
"""Where `runbook_url` leads in the rules as they are shipped: nowhere, until somebody says where the runbook is."""


def manifest(runbook: str = RUNBOOK) -> str:
    """The custom resource as YAML."""
    groups: dict[str, Any] = yaml.safe_load(RULES.read_text(encoding="utf-8").replace(RUNBOOK, runbook))
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "config-remediator"},
        "spec": groups,
    }
    return _HEAD + yaml.safe_dump(resource, sort_keys=False, width=110, allow_unicode=True)


def main(arguments: Sequence[str]) -> None:
    """Write the shipped manifest, or print one for a runbook of somebody's own."""
    parser = ArgumentParser(prog="python -m deploy.prometheus.operator", description=__doc__)
    parser.add_argument("--runbook", metavar="URL", help="where your runbook is read, without the alert's name")
    own = parser.parse_args(arguments).runbook
    if own:
        sys.stdout.write(manifest(own))
    else:
        TARGET.write_text(manifest(), encoding="utf-8")
        CHARTED.write_bytes(RULES.read_bytes())


if __name__ == "__main__":
    main(sys.argv[1:])
