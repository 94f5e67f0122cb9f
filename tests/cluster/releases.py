"""The chart by Helm itself: installed, upgraded, rolled back and uninstalled, beside releases that may not notice."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.kubectl import Kubectl, Manifest, Refused
from tests.cluster.namespaces import left, scratch
from tests.cluster.pods import refused_pods, template
from tests.deploy.manifests import KUBERNETES
from tests.deploy.needed import DEPLOY

CHART = DEPLOY / "helm/config-remediator"
_ROLE = "acs:ram::1234567890123456:role/config-remediator"
_CUSTOM = ("monitoring", "autoscaling")
_KINDS = {
    "configmaps",
    "cronjobs.batch",
    "deployments.apps",
    "networkpolicies.networking.k8s.io",
    "poddisruptionbudgets.policy",
    "podmonitors.monitoring.coreos.com",
    "prometheusrules.monitoring.coreos.com",
    "scaledobjects.keda.sh",
    "serviceaccounts",
}


def least() -> Manifest:
    """What has no default."""
    return {
        "image": {"repository": "registry.example.com/team/config-remediator"},
        "config": (KUBERNETES / "base/config.toml").read_text("utf-8"),
    }


def everything(*, custom: bool) -> Manifest:
    """Every part of the chart; those of custom kinds where the cluster knows them."""
    provider = "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0"
    return {
        **least(),
        "credentials": {"source": "rrsa", "rrsa": {"roleArn": _ROLE, "oidcProviderArn": provider}},
        "dashboards": {"enabled": True},
        "catchUp": {"enabled": True, "roleArn": f"{_ROLE}-catch-up"},
        **({each: {"enabled": True} for each in _CUSTOM} if custom else {}),
    }


def unusual() -> Manifest:
    """What is off or empty by default, with the other source of credentials."""
    return {
        **least(),
        "image": {**least()["image"], "digest": f"sha256:{'a' * 64}", "pullSecrets": ["registry"]},
        "credentials": {"source": "ecs-ram-role", "ecsRamRole": "config-remediator"},
        "env": [{"name": "REMEDIATOR__LOG__LEVEL", "value": "debug"}],
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "podLabels": {"team": "security"},
        "podAnnotations": {"note": "x"},
        "serviceAccount": {"name": "own", "annotations": {"note": "x"}},
        "networkPolicy": {"internalEndpoints": True, "sharedPort": 6379, "monitoringNamespace": "eyes"},
        "replicas": 3,
    }


def try_chart(kubectl: Kubectl, *, custom: bool, before: Path) -> list[str]:
    """A release's whole life: from the chart before, to this one with everything, back, and away."""
    with scratch(kubectl, "helm") as namespace, _helm(kubectl, namespace) as helm:
        wrong = []
        helm.install(before, "config-remediator", least(), dry_run="server")
        helm.install(before, "config-remediator", least())
        first = _specs(kubectl, namespace)
        helm.upgrade(CHART, "config-remediator", everything(custom=custom))
        wrong += refused_pods(kubectl, namespace)
        second = _specs(kubectl, namespace)
        helm.upgrade(CHART, "config-remediator", everything(custom=custom))
        wrong += _differences("the same upgrade again", second, _specs(kubectl, namespace))
        helm.upgrade(CHART, "config-remediator", unusual())
        wrong += refused_pods(kubectl, namespace)
        helm.rollback("config-remediator", version=1)
        wrong += _differences("a rollback", first, _specs(kubectl, namespace))
        helm.rollback("config-remediator", version=2)
        wrong += _differences("a rollback of the rollback", second, _specs(kubectl, namespace))
        states = [each["status"] for each in helm.history("config-remediator")]
        if states != ["superseded"] * 5 + ["deployed"]:
            wrong.append(f"history: {states}")
        helm.uninstall("config-remediator")
        return [*wrong, *(f"{each} is left after uninstall" for each in left(kubectl, namespace))]


def try_two(kubectl: Kubectl, *, custom: bool) -> list[str]:
    """Two releases in one namespace and a third elsewhere: none selects, changes or removes what is another's."""
    with (
        scratch(kubectl, "two") as namespace,
        scratch(kubectl, "third") as elsewhere,
        _helm(kubectl, namespace) as helm,
        _helm(kubectl, elsewhere) as other,
    ):
        helm.install(CHART, "first", everything(custom=custom))
        helm.install(CHART, "second", everything(custom=custom))
        other.install(CHART, "first", everything(custom=custom))
        wrong = _crossed(kubectl, namespace)
        kept = {name: each for name, each in _specs(kubectl, namespace).items() if "second" in name}
        others = _specs(kubectl, elsewhere)
        helm.uninstall("first")
        wrong += _differences("uninstalling another release", kept, _specs(kubectl, namespace))
        wrong += _differences("uninstalling that of another namespace", others, _specs(kubectl, elsewhere))
        helm.uninstall("second")
        other.uninstall("first")
        gone = (*left(kubectl, namespace), *left(kubectl, elsewhere))
        return [*wrong, *(f"{each} is left after uninstall" for each in gone)]


def _specs(kubectl: Kubectl, namespace: str) -> dict[str, Any]:
    """What the cluster has of a chart, by kind and name, without what only counts."""
    found = kubectl.get(",".join(sorted(_KINDS & kubectl.resources())), namespace)
    return {
        f"{each['kind']}/{each['metadata']['name']}": each.get("spec", each.get("data"))
        for each in found
        if each["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by") == "Helm"
    }


def _differences(after: str, expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    return [
        f"{name} is not as it was, after {after}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]


def _crossed(kubectl: Kubectl, namespace: str) -> list[str]:
    """Whatever selects pods by labels selects those of one workload alone."""
    pods = {
        each["metadata"]["name"]: template(each)["metadata"]["labels"]
        for each in kubectl.get("deployments,cronjobs", namespace)
    }
    selecting = {
        f"{each['kind']}/{each['metadata']['name']}": each["spec"].get("selector") or each["spec"]["podSelector"]
        for each in kubectl.get("deployments,networkpolicies,poddisruptionbudgets", namespace)
    }
    wrong = []
    for name, selector in selecting.items():
        wanted = selector["matchLabels"].items()
        if (chosen := [pod for pod, labels in pods.items() if wanted <= labels.items()]) != [name.split("/")[1]]:
            wrong.append(f"{name} selects the pods of {', '.join(chosen) or 'nothing'}")
    return wrong


@contextmanager
def _helm(kubectl: Kubectl, namespace: str) -> Iterator[Any]:
    """Helm's own library; what it or the API server warns of is a refusal."""
    import helm_python

    records: list[str] = []

    class _Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record.getMessage())

    kept = _Kept(logging.WARNING)
    logging.getLogger("helm_python.native").addHandler(kept)
    helm_python.enable_logging(logging.WARNING)
    try:
        with _standard_error() as said, helm_python.Config(kube_context=kubectl.context, namespace=namespace) as config:
            yield config
            said.flush()
            said.seek(0)
            if records or (printed := said.read().strip()):
                raise Refused("; ".join([*records, *([printed] if not records else [])]))
    except helm_python.HelmError as error:
        raise Refused(f"helm: {error}") from error
    finally:
        helm_python.disable_logging()
        logging.getLogger("helm_python.native").removeHandler(kept)


@contextmanager
def _standard_error() -> Iterator[Any]:
    """What a library that is not Python's prints: the API server's warnings come that way."""
    with tempfile.TemporaryFile("w+") as said:
        before = os.dup(2)
        os.dup2(said.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(before, 2)
            os.close(before)
