"""The chart's releases: what two of them keep apart, and what an upgrade and a restart may rely on."""

from __future__ import annotations

import json
import re

import pytest

from tests.deploy.chart import EVERYTHING, LEAST, NAMESPACE, PROVIDER, ROLE, load_chart, pods, render
from tests.deploy.manifests import Manifest


def test_two_releases_share_nothing() -> None:
    """Neither a name nor a pod that both would select."""
    first, second = (render(EVERYTHING, name) for name in ("one", "two"))
    names = [{(each["kind"], each["metadata"]["name"]) for each in found} for found in (first, second)]
    assert not names[0] & names[1]
    for kind in ("Deployment", "PodDisruptionBudget", "NetworkPolicy", "PodMonitor"):
        selectors = [
            [
                json.dumps(each["spec"].get("selector") or each["spec"]["podSelector"])
                for each in found
                if each["kind"] == kind
            ]
            for found in (first, second)
        ]
        assert selectors[0]
        assert not set(selectors[0]) & set(selectors[1])


def _jobs(manifests: list[Manifest]) -> dict[str, set[str]]:
    """The jobs that each kind names in its queries, and the job that the PodMonitor gives to what it scrapes."""
    named = {
        each["kind"]: set(re.findall(r'job="([^"]+)"', json.dumps(each).replace('\\"', '"'))) for each in manifests
    }
    (monitor,) = [each for each in manifests if each["kind"] == "PodMonitor"]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    given = {each["replacement"] for each in endpoint.get("relabelings", []) if each["targetLabel"] == "job"}
    assert monitor["spec"]["jobLabel"] == "app.kubernetes.io/name"  # which is config-remediator, unless it is replaced
    return {"PodMonitor": given or {"config-remediator"}, **{kind: jobs for kind, jobs in named.items() if jobs}}


@pytest.mark.parametrize("name", ["one", "config-remediator-eu", "config-remediator"])
def test_each_release_has_a_job_of_its_own(name: str) -> None:
    """Two in one namespace: neither hides that the other is down, and neither counts as the other's replicas."""
    job = {"one": "one-config-remediator"}.get(name, name)
    assert _jobs(render(EVERYTHING, name)) == {"PodMonitor": {job}, "PrometheusRule": {job}, "ScaledObject": {job}}


def test_long_names_that_begin_alike_stay_apart() -> None:
    """What is cut is replaced by a digest of the whole."""
    first, second = (
        {(each["kind"], each["metadata"]["name"]) for each in render(EVERYTHING, f"{'r' * 50}{end}")} for end in "ab"
    )
    assert not first & second


def test_what_no_upgrade_may_change() -> None:
    """A Deployment's selector is as it was in 0.1.0, or an API server refuses the upgrade: the field is immutable."""
    labels = {"podLabels": {"team": "security"}, "image": {**LEAST["image"], "tag": "9.9.9"}}
    for values in (EVERYTHING, {**EVERYTHING, **labels}):
        (deployment,) = [each for each in render(values, "one") if each["kind"] == "Deployment"]
        assert deployment["spec"]["selector"] == {
            "matchLabels": {"app.kubernetes.io/name": "config-remediator", "app.kubernetes.io/instance": "one"}
        }


def test_names_are_not_too_long() -> None:
    """A CronJob may have 52 characters, a ConfigMap 253, everything else 63; Helm lets a release have 53."""
    for each in render(EVERYTHING, name="r" * 53):
        most = {"CronJob": 52, "ConfigMap": 253}.get(each["kind"], 63)
        assert len(each["metadata"]["name"]) <= most, each["metadata"]["name"]


@pytest.mark.parametrize("ending", ["catch-up", "dashboards", "identity", "switch"])
def test_a_release_is_not_called_like_a_part_of_another(ending: str) -> None:
    """The pause of one would be the configuration of the other."""
    chart = load_chart()
    from helm_python import HelmError

    with pytest.raises(HelmError, match="choose one that does not end so"):
        chart.render(dict(LEAST), name=f"config-remediator-{ending}", namespace=NAMESPACE)


def test_a_pod_that_starts_anew_reads_what_it_was_rolled_out_with() -> None:
    """Or the old replicas of a rollout that is stuck would break, too, one restart after the other."""
    other = {
        "config": f"{LEAST['config']}\n# changed\n",
        "credentials": {"source": "rrsa", "rrsa": {"roleArn": f"{ROLE}-2", "oidcProviderArn": PROVIDER}},
        "catchUp": {"enabled": True, "roleArn": f"{ROLE}-3"},
    }
    before, after = (_configured(render(values)) for values in (EVERYTHING, {**EVERYTHING, **other}))
    assert len(before) == len(after) == 3
    assert not set(before) & set(after)


def _configured(manifests: list[Manifest]) -> list[str]:
    """Every ConfigMap that pods read, each of which is among the manifests."""
    made = {each["metadata"]["name"] for each in manifests if each["kind"] == "ConfigMap"}
    found = [pod for each in manifests for pod in pods(each)]
    volumes = [volume["configMap"] for pod in found for volume in pod["volumes"] if "configMap" in volume]
    variables = [source["configMapRef"] for pod in found for source in pod["containers"][0].get("envFrom", [])]
    read = {each["name"] for each in [*volumes, *variables] if not each.get("optional")}
    assert read <= made
    return sorted(read)
