"""The custom kinds that some manifests are of, for a cluster that has not their operators.

A definition made here takes every field, so it proves that the API server stores, compares and deletes such a resource,
and nothing about its fields: tests/deploy/schemas is about those.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import yaml

from tests.cluster.kubectl import Kubectl, Manifest

_KINDS = {
    "podmonitors.monitoring.coreos.com": ("PodMonitor", "v1"),
    "prometheusrules.monitoring.coreos.com": ("PrometheusRule", "v1"),
    "scaledobjects.keda.sh": ("ScaledObject", "v1alpha1"),
}
FOLDERS_THAT_NEED = {
    "monitoring": frozenset({"podmonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com"}),
    "autoscaling": frozenset({"scaledobjects.keda.sh"}),
    "production": frozenset(_KINDS),
}


@contextmanager
def provided(kubectl: Kubectl, *, make: bool) -> Iterator[frozenset[str]]:
    """The kinds that the cluster does not serve; with make, none is lacking within the block."""
    lacking = frozenset(_KINDS) - kubectl.resources()
    if not (make and lacking):
        yield lacking
        return
    text = yaml.safe_dump_all([_definition(name, *_KINDS[name]) for name in sorted(lacking)])
    try:
        kubectl("create", "--filename", "-", stdin=text)
        kubectl("wait", "--for=condition=Established", "--filename", "-", stdin=text)
        yield frozenset()
    finally:
        kubectl("delete", "--ignore-not-found", "--filename", "-", stdin=text)


def _definition(name: str, kind: str, version: str) -> Manifest:
    plural, group = name.split(".", 1)
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": anything, "status": anything}}
    served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [served],
        },
    }
