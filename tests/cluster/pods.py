"""The pods that the workloads of a namespace make: accepted by the API server, and restricted by Pod Security."""

from __future__ import annotations

import json

from tests.cluster.kubectl import Kubectl, Manifest, Refused
from tests.deploy.pod_security import violations

MAKERS = ("Deployment", "Job", "CronJob", "StatefulSet", "DaemonSet")


def refused_pods(kubectl: Kubectl, namespace: str) -> list[str]:
    """One pod of each template, made directly without being kept, and looked at with the server's defaults."""
    return [
        f"{maker['kind']}/{maker['metadata']['name']}: {each}"
        for maker in kubectl.get(",".join(f"{kind.lower()}s" for kind in MAKERS), namespace)
        for each in _refused(kubectl, namespace, maker)
    ]


def template(maker: Manifest) -> Manifest:
    """Of a Deployment, a Job or a CronJob."""
    made: Manifest = maker["spec"]["jobTemplate"]["spec"] if maker["kind"] == "CronJob" else maker["spec"]
    pod: Manifest = made["template"]
    return pod


def _refused(kubectl: Kubectl, namespace: str, maker: Manifest) -> list[str]:
    pod = template(maker)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": pod["metadata"]["labels"], "name": "tried", "namespace": namespace},
        "spec": pod["spec"],
    }
    try:
        said = kubectl("create", "--filename", "-", "--dry-run=server", "--output", "json", stdin=json.dumps(pod))
    except Refused as refusal:
        return [str(refusal)]
    return violations(json.loads(said)["spec"])
