"""Renders the chart by Helm itself, with the least values that it takes and with everything that it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from tests.deploy.manifests import KUBERNETES, Manifest
from tests.deploy.needed import DEPLOY, package

CHART = DEPLOY / "helm/config-remediator"
NAMESPACE = "observed"
ROLE = "acs:ram::1234567890123456:role/config-remediator"
PROVIDER = "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0"
LEAST: dict[str, Any] = {
    "image": {"repository": "registry.example.com/team/config-remediator"},
    "config": (KUBERNETES / "base/config.toml").read_text("utf-8"),
}
"""Values without which there is no installation."""
RRSA = {"source": "rrsa", "rrsa": {"roleArn": ROLE, "oidcProviderArn": PROVIDER}}
EVERYTHING: dict[str, Any] = {
    "credentials": RRSA,
    "monitoring": {"enabled": True},
    "dashboards": {"enabled": True},
    "autoscaling": {"enabled": True},
    "catchUp": {"enabled": True, "roleArn": f"{ROLE}-catch-up"},
}
"""Values that switch every optional part on."""


def load_chart() -> Any:
    """The chart; the test is skipped where the binding to Helm is missing."""
    package("helm_python")
    from helm_python import Chart

    return Chart.load(CHART)


def render(values: dict[str, Any], name: str = "config-remediator") -> list[Manifest]:
    """Every resource of a release with these values beside the least ones."""
    files = load_chart().render({**LEAST, **values}, name=name, namespace=NAMESPACE)
    manifests = (yaml.safe_load_all(text) for path, text in sorted(files.items()) if path.endswith(".yaml"))
    return [each for file in manifests for each in file if each]


def pods(manifest: Manifest) -> Iterator[Manifest]:
    """The specification of the pods that a resource makes, if it makes some."""
    spec = manifest.get("spec", {})
    template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    if template:
        yield template["spec"]
