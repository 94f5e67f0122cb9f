"""The chart's values: which are refused before anything is installed, and what the others make."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from consumer import __version__
from tests.deploy.chart import LEAST, NAMESPACE, PROVIDER, ROLE, RRSA, load_chart, pods, render
from tests.deploy.needed import ROOT


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"config": ""}, "/config"),
        ({"image": {"repository": ""}}, "/image/repository"),
        *(
            ({"image": {"repository": name}}, "/image/repository")
            for name in ("a/b:latest", "b:1", "reg:5000/a/b:1", "reg:5000", "a/b@sha256:0", "a//b", "a/b/", "a/B")
        ),
        ({"image": {"repository": "a.example.com/x", "tag": "latest"}}, "/image/tag"),
        ({"image": {"repository": "a.example.com/x", "digest": "sha256:abc"}}, "/image/digest"),
        ({"replica": 3}, "replica"),
        ({"monitoring": {"enabled": True, "runbookUrl": "docs/runbook.md"}}, "/monitoring/runbookUrl"),
        ({"credentials": {"source": "rrsa"}}, "/credentials/rrsa/roleArn"),
        ({"credentials": {"source": "ecs-ram-role"}}, "/credentials/ecsRamRole"),
        ({"credentials": {"source": "key"}}, "/credentials/source"),
        ({"catchUp": {"enabled": True}}, "/catchUp/roleArn"),
        ({"autoscaling": {"minReplicas": 0}}, "/autoscaling/minReplicas"),
        ({"networkPolicy": {"sharedPort": 70000}}, "/networkPolicy/sharedPort"),
        ({"config": " \n"}, "/config"),
        ({"credentials": {**RRSA, "rrsa": {**RRSA["rrsa"], "roleArn": PROVIDER}}}, "/credentials/rrsa/roleArn"),
        ({"credentials": {**RRSA, "rrsa": {**RRSA["rrsa"], "oidcProviderArn": ROLE}}}, "/rrsa/oidcProviderArn"),
        ({"credentials": {"source": "ecs-ram-role", "ecsRamRole": ROLE}}, "/credentials/ecsRamRole"),
        ({"env": [{"name": "A", "vale": "x"}]}, "vale"),
        ({"env": [{"name": "A", "value": 1}]}, "/env/0/value"),
        ({"env": [{"name": "A"}]}, "/env/0"),
        *(({"podLabels": {f"app.kubernetes.io/{mark}": "x"}}, "/podLabels") for mark in ("name", "instance")),
        ({"serviceAccount": {"name": "My Worker"}}, "/serviceAccount/name"),
        ({"networkPolicy": {"monitoringNamespace": "My_Namespace"}}, "/networkPolicy/monitoringNamespace"),
        ({"volumeMounts": [{"name": "journal"}]}, "/volumeMounts/0"),
        ({"volumes": [{"emptyDir": {}}]}, "/volumes/0"),
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, Any], named: str) -> None:
    """Before anything is installed, and by the name of the value."""
    chart = load_chart()
    from helm_python import HelmValuesError

    with pytest.raises(HelmValuesError) as refused:
        chart.render({**LEAST, **values}, name="config-remediator", namespace=NAMESPACE)
    assert named in str(refused.value)


_TOML: str = LEAST["config"]
_ONE_TOO_FEW = re.sub(r"shutdown_grace_seconds = \d+", "shutdown_grace_seconds = 111", _TOML)
_INTERNAL = _TOML.replace("[queue]\n", "[queue]\nname_ = 1\ninternal = true\n")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (
            {"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 3}},
            "autoscaling.minReplicas is 5, which is more than autoscaling.maxReplicas, 3",
        ),
        (
            {"credentials": {"source": "environment", "rrsa": {"roleArn": ROLE}}},
            "credentials.rrsa.roleArn is set, but credentials.source is environment",
        ),
        (
            {"credentials": {**RRSA, "ecsRamRole": "x"}},
            "credentials.ecsRamRole is set, but credentials.source is rrsa",
        ),
        *(
            ({"credentials": credentials, "env": [{"name": variable, "value": "x"}]}, f"env sets {variable}, but cred")
            for credentials in (RRSA, {"source": "ecs-ram-role", "ecsRamRole": "x"})
            for variable in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ECS_METADATA", "ALIBABA_CLOUD_ROLE_ARN")
        ),
        (
            {"config": _ONE_TOO_FEW},
            "terminationGracePeriodSeconds is 130; with engine.shutdown_grace_seconds = 111 in config it has to be 131",
        ),
        ({"config": f'{_TOML}\n[http]  # ours\nhost = "::"\n\n port=9200\n'}, "http.port = 9200 in config"),
        ({"config": f"{_TOML}\n[http]\nenabled = false\n"}, "http.enabled = false in config"),
        *(
            ({"env": [{"name": f"REMEDIATOR__HTTP__{key}", "value": "x"}]}, f"env sets REMEDIATOR__HTTP__{key}")
            for key in ("PORT", "HOST", "ENABLED")
        ),
        (
            {"env": [{"name": "REMEDIATOR__ENGINE__SHUTDOWN_GRACE_SECONDS", "value": "111"}]},
            "terminationGracePeriodSeconds is 130; with engine.shutdown_grace_seconds = 111 in env it has to be 131",
        ),
        ({"env": [{"name": "A", "value": "x"}, {"name": "A", "value": "y"}]}, "env sets A twice"),
        ({"config": _INTERNAL}, "queue.internal = true in config is plain http, which networkPolicy lets nobody send"),
        ({"volumeMounts": [{"name": "journal", "mountPath": "/x"}]}, "volumeMounts names journal, which volumes lacks"),
        *(
            ({"volumes": [{"name": name, "emptyDir": {}}]}, f"volumes has {name}, which is a volume of the chart")
            for name in ("config", "switch", "tmp", "rrsa-token")
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused(values: dict[str, Any], named: str) -> None:
    """Each is right by itself; together they would be installed and not work."""
    chart = load_chart()
    from helm_python import HelmError

    with pytest.raises(HelmError) as refused:
        chart.render({**LEAST, **values}, name="config-remediator", namespace=NAMESPACE)
    assert named in str(refused.value)


@pytest.mark.parametrize(
    "values",
    [
        {"autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 3}},
        {"autoscaling": {"enabled": False, "minReplicas": 5, "maxReplicas": 3}},
        {"env": [{"name": "ALIBABA_CLOUD_ACCESS_KEY_ID", "value": "x"}]},
        {"credentials": RRSA, "env": [{"name": "ALIBABA_CLOUD_STS_REGION", "value": "cn-shanghai"}]},
        {"config": _ONE_TOO_FEW, "terminationGracePeriodSeconds": 131},
        {"config": _ONE_TOO_FEW, "env": [{"name": "REMEDIATOR__ENGINE__SHUTDOWN_GRACE_SECONDS", "value": "110"}]},
        {"config": _INTERNAL, "networkPolicy": {"internalEndpoints": True}},
        {"config": _INTERNAL, "networkPolicy": {"enabled": False}},
        {"config": _INTERNAL.replace("internal", 'endpoint = "https://mns.example.com"\ninternal')},
        {"config": f"{_TOML}\n[oss]\ninternal = true\n[ecs]\ninternal = true\n"},
        {"env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "worker", "key": "id"}}}]},
        {"env": [{"name": "REMEDIATOR__ENGINE__WORKERS", "value": ""}]},
        {"config": f"{_TOML}\n[http]\nport = 9108\n[other]\nport = 9200\n"},
        {"config": f'{_TOML}\n[http]\nhost = "::"\n[other]\nport = 9200\n# shutdown_grace_seconds = 900\n'},
    ],
)
def test_values_that_go_together_are_taken(values: dict[str, Any]) -> None:
    """No refusal is wider than what cannot work."""
    assert render(values)


def test_a_journal_has_a_volume() -> None:
    """As docs/operating.md shows it for an overlay, beside the chart's own volumes."""
    page = (ROOT / "docs/operating.md").read_text("utf-8")
    (shown,) = re.findall(r"# values of the chart\n(volumes:.*?)^```", page, re.MULTILINE | re.DOTALL)
    (pod,) = [each for manifest in render(yaml.safe_load(shown)) for each in pods(manifest)]
    (mount,) = [each for each in pod["containers"][0]["volumeMounts"] if each["name"] == "journal"]
    assert mount["mountPath"] == "/var/lib/config-remediator"
    assert [each["name"] for each in pod["volumes"]] == ["config", "switch", "tmp", "journal"]


def test_the_configuration_arrives_as_it_is() -> None:
    """Word for word: what looks like a template, quotes, backslashes and tabs."""
    text = 'a = "{{ .Values.image }}"\n# \\ "quoted" \t\n[table]\n'
    (found,) = [
        each["data"]["config.toml"] for each in render({"config": text}) if "config.toml" in each.get("data", {})
    ]
    assert found == text


@pytest.mark.parametrize(("least", "most", "replicas"), [(1, 6, 2), (1, 1, 1), (4, 6, 4)])
def test_without_an_answer_there_are_no_more_replicas_than_allowed(least: int, most: int, replicas: int) -> None:
    """What KEDA falls back to lies between both."""
    autoscaling = {"enabled": True, "minReplicas": least, "maxReplicas": most}
    (scaled,) = [each for each in render({"autoscaling": autoscaling}) if each["kind"] == "ScaledObject"]
    assert scaled["spec"]["fallback"]["replicas"] == replicas


@pytest.mark.parametrize("name", ["b", "a/b", "reg:5000/a/b", "localhost:5000/b", "a-b.example.com/c_d/e__f/g--h.i"])
def test_a_repository_may_be_at_a_port(name: str) -> None:
    """The colon of a port is none of a tag."""
    (deployment,) = [each for each in render({"image": {"repository": name}}) if each["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"{name}:{__version__}"


def test_the_larger_image_may_be_named() -> None:
    """The tag under which a release publishes what catch-up needs: docs/install.md."""
    image = {"repository": "a/b", "tag": f"{__version__}-reevaluate"}
    (deployment,) = [each for each in render({"image": image}) if each["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"a/b:{__version__}-reevaluate"


def test_the_runbook_is_where_somebody_says() -> None:
    """Every alert leads there, to its own entry, and the notes warn while nobody has said so."""
    chart = load_chart()
    values = {"monitoring": {"enabled": True, "runbookUrl": "https://wiki.example.org/runbook"}}
    (rules,) = [each for each in render(values) if each["kind"] == "PrometheusRule"]
    alerts = [rule for group in rules["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
    assert len(alerts) > 20
    for alert in alerts:
        assert alert["annotations"]["runbook_url"] == f"https://wiki.example.org/runbook#{alert['alert'].lower()}"

    def notes(values: dict[str, Any]) -> str:
        files = chart.render({**LEAST, **values}, name="config-remediator", namespace=NAMESPACE)
        return str(files["config-remediator/templates/NOTES.txt"])

    assert "WARNING" in notes({"monitoring": {"enabled": True}})
    assert "WARNING" not in notes(values)


def test_only_the_role_of_the_node_reaches_its_address() -> None:
    """Port 80 of 100.100.100.200 gives credentials to whoever asks; internal endpoints are on port 80, too."""
    ways = {
        source: render({"credentials": credentials, "networkPolicy": {"internalEndpoints": internal}})
        for source, credentials, internal in (
            ("rrsa", RRSA, True),
            ("environment", {"source": "environment"}, True),
            ("ecs-ram-role", {"source": "ecs-ram-role", "ecsRamRole": "x"}, False),
        )
    }
    blocks: dict[str, list[Any]] = {}
    for source, manifests in ways.items():
        (policy,) = [each for each in manifests if each["kind"] == "NetworkPolicy"]
        plain = [rule for rule in policy["spec"]["egress"] if {"protocol": "TCP", "port": 80} in rule["ports"]]
        blocks[source] = [each["ipBlock"] for rule in plain for each in rule["to"]]
    everywhere_else = [{"cidr": "0.0.0.0/0", "except": ["100.100.100.200/32"]}]
    assert blocks == {
        "rrsa": everywhere_else,
        "environment": everywhere_else,
        "ecs-ram-role": [{"cidr": "100.100.100.200/32"}],
    }
