"""Every pod that the manifests or the chart make is one that a namespace with Pod Security `restricted` takes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.folders import Folder, folders, write
from tests.cluster.pods import MAKERS, template
from tests.deploy.manifests import Manifest, kustomized
from tests.deploy.needed import package
from tests.deploy.pod_security import violations

_GOOD: Manifest = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "one",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            "livenessProbe": {"httpGet": {"path": "/livez", "port": 1}},
            "ports": [{"containerPort": 1}],
        }
    ],
    "volumes": [{"name": "v", "emptyDir": {}}],
}


def _pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {
        f"{each['kind']}/{each['metadata']['name']}": template(each)["spec"]
        for each in manifests
        if each["kind"] in MAKERS
    }


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_folders_make_restricted_pods(folder: Folder, tmp_path: Path) -> None:
    """Of base, overlays and every component, as somebody's own folder names them."""
    write(folder, "somewhere", tmp_path)
    pods = _pods(kustomized(tmp_path))
    assert "Deployment/config-remediator" in pods
    assert {name: violations(pod) for name, pod in pods.items()} == {name: [] for name in pods}


def test_the_chart_makes_restricted_pods() -> None:
    """With every part of it."""
    package("helm_python")
    from helm_python import Chart

    from tests.cluster.releases import CHART, everything

    files = Chart.load(CHART).render(everything(custom=True), name="one", namespace="somewhere")
    pods = _pods(_manifests(files))
    assert len(pods) == 2
    assert {name: violations(pod) for name, pod in pods.items()} == {name: [] for name in pods}


def _manifests(files: dict[str, str]) -> list[Manifest]:
    import yaml

    return [each for path, text in files.items() if path.endswith(".yaml") for each in yaml.safe_load_all(text) if each]


def test_a_restricted_pod_is_taken() -> None:
    """Or the next test would prove nothing."""
    assert violations(_GOOD) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("hostNetwork",), True),
        (("hostPID",), True),
        (("hostIPC",), True),
        (("volumes", 0), {"name": "v", "hostPath": {"path": "/"}}),
        (("securityContext", "runAsNonRoot"), None),
        (("securityContext", "runAsUser"), 0),
        (("securityContext", "seccompProfile"), None),
        (("securityContext", "seccompProfile"), {"type": "Unconfined"}),
        (("securityContext", "appArmorProfile"), {"type": "Unconfined"}),
        (("securityContext", "sysctls"), [{"name": "kernel.msgmax", "value": "1"}]),
        (("containers", 0, "securityContext", "allowPrivilegeEscalation"), None),
        (("containers", 0, "securityContext", "capabilities"), None),
        (("containers", 0, "securityContext", "capabilities", "add"), ["SYS_ADMIN"]),
        (("containers", 0, "securityContext", "privileged"), True),
        (("containers", 0, "securityContext", "runAsNonRoot"), False),
        (("containers", 0, "securityContext", "runAsUser"), 0),
        (("containers", 0, "securityContext", "procMount"), "Unmasked"),
        (("containers", 0, "securityContext", "seLinuxOptions"), {"type": "spc_t"}),
        (("containers", 0, "securityContext", "windowsOptions"), {"hostProcess": True}),
        (("containers", 0, "ports", 0, "hostPort"), 80),
        (("containers", 0, "livenessProbe", "httpGet", "host"), "127.0.0.1"),
        (("containers", 0, "lifecycle"), {"preStop": {"tcpSocket": {"host": "127.0.0.1", "port": 1}}}),
        (("initContainers",), [{"name": "first"}]),
    ],
)
def test_what_is_not_restricted_is_found(path: tuple[str | int, ...], value: Any) -> None:
    """Each control of the standard, broken once."""
    spoilt: Any = copy.deepcopy(_GOOD)
    place: Any = spoilt
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    assert violations(spoilt)
