"""Base, overlays and every component: applied both ways, twice, compared, and deleted."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.cluster.kubectl import Kubectl, Manifest, Refused
from tests.cluster.namespaces import left, scratch
from tests.cluster.pods import MAKERS, refused_pods, template
from tests.deploy.manifests import KUBERNETES, kustomized

_ARNS = {
    "ALIBABA_CLOUD_ROLE_ARN": "acs:ram::1234567890123456:role/config-remediator",
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0",
}
_IDENTITIES = {"rrsa": "config-remediator-identity", "catch-up": "config-remediator-catch-up-identity"}
_BEFORE = {"ecs-ram-role": ("network-policy",), "shared-guards": ("network-policy", "catch-up")}
"""What a component says has to be listed before it."""


@dataclass(frozen=True)
class Folder:
    """What a user's own folder would name."""

    name: str
    resource: str
    components: tuple[str, ...] = ()
    own_namespace: bool = False


def folders() -> list[Folder]:
    """Everything that somebody may apply; a new component or overlay is in it by itself."""
    overlays = sorted(each.name for each in (KUBERNETES / "overlays").iterdir())
    components = sorted(each.name for each in (KUBERNETES / "components").iterdir())
    return [
        Folder("base", "base"),
        *(Folder(each, f"overlays/{each}", own_namespace=True) for each in overlays),
        *(Folder(each, "base", (*_BEFORE.get(each, ()), each)) for each in components),
    ]


def write(folder: Folder, namespace: str, into: Path, *, tag: str | None = None) -> None:
    """The one file of somebody's own folder, with another tag for every image if there is one."""
    own: Manifest = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": namespace,
        "resources": [os.path.relpath(KUBERNETES / folder.resource, into)],
        "components": [os.path.relpath(KUBERNETES / "components" / each, into) for each in folder.components],
        "configMapGenerator": [
            {"name": _IDENTITIES[each], "literals": [f"{key}={value}" for key, value in _ARNS.items()]}
            for each in folder.components
            if each in _IDENTITIES
        ],
    }
    file = into / "kustomization.yaml"
    file.write_text(yaml.safe_dump(own), encoding="utf-8")
    if tag is not None:
        images = {each["image"].rpartition(":")[0] for pod in _pods(kustomized(into)) for each in pod["containers"]}
        own["images"] = [{"name": each, "newTag": tag} for each in sorted(images)]
        file.write_text(yaml.safe_dump(own), encoding="utf-8")


def _pods(manifests: list[Manifest]) -> list[Manifest]:
    return [template(each)["spec"] for each in manifests if each["kind"] in MAKERS]


def try_folder(kubectl: Kubectl, folder: Folder, into: Path) -> list[str]:
    """What is wrong with it; nothing if the cluster takes it as it is."""
    with scratch(kubectl, folder.name, make=not folder.own_namespace) as namespace:
        try:
            write(folder, namespace, into, tag="0.0.1")
            kubectl("apply", "--kustomize", str(into), "--validate=strict")
            write(folder, namespace, into)
            return [
                *_applied(kubectl, into),
                *_compared(kubectl, into),
                *refused_pods(kubectl, namespace),
                *_rights(kubectl, namespace),
                *_deleted(kubectl, folder, namespace, into),
            ]
        except Refused as refusal:
            return [str(refusal)]


def _applied(kubectl: Kubectl, into: Path) -> list[str]:
    """Twice by the client, then twice by the server, which takes the fields over without a conflict."""
    wrong = []
    for mode in (["--validate=strict"], ["--validate=strict", "--server-side"]):
        kubectl("apply", "--kustomize", str(into), *mode)
        before = _generations(kubectl, into)
        kubectl("apply", "--kustomize", str(into), "--dry-run=server", *mode)
        kubectl("apply", "--kustomize", str(into), *mode)
        after = _generations(kubectl, into)
        wrong += [f"{name} is changed by the same manifest again" for name in before if before[name] != after[name]]
    return wrong


def _generations(kubectl: Kubectl, into: Path) -> dict[str, str]:
    """Every resource, with the generation that counts changes of its specification."""
    listed = json.loads(kubectl("get", "--kustomize", str(into), "--output", "json"))
    items = listed["items"] if listed["kind"] == "List" else [listed]
    return {
        f"{each['kind']}/{each['metadata']['name']}": str(each["metadata"].get("generation", each.get("data")))
        for each in items
    }


def _compared(kubectl: Kubectl, into: Path) -> list[str]:
    """What the cluster has is what the manifest says: a difference would come back with every deployment."""
    different = kubectl("diff", "--kustomize", str(into))
    return [f"diff after apply: {different}"] if different else []


def _rights(kubectl: Kubectl, namespace: str) -> list[str]:
    """Our accounts may do what every account may, and nothing more."""

    def rights(account: str) -> str:
        user = f"system:serviceaccount:{namespace}:{account}"
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        impersonated = [f"--as={user}", *(f"--as-group={group}" for group in groups)]
        return kubectl("auth", "can-i", "--list", "--namespace", namespace, *impersonated)

    accounts = [each["metadata"]["name"] for each in kubectl.get("serviceaccounts", namespace)]
    least = rights("default")
    return [f"service account {each} may do more than any other" for each in accounts if rights(each) != least]


def _deleted(kubectl: Kubectl, folder: Folder, namespace: str, into: Path) -> list[str]:
    """Nothing stays behind; a namespace of its own goes with all that is in it."""
    kubectl("delete", "--kustomize", str(into), "--wait=true")
    return [] if folder.own_namespace else [f"{each} is left after delete" for each in left(kubectl, namespace)]
