"""The manifests: valid by schema, fit for restricted namespaces, and in step with the worker's configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from consumer.cli.main import cli
from consumer.config import Config, load
from tests.deploy.manifests import FOLDERS, Manifest, configuration, only, pod_specs, rendered, with_component
from tests.deploy.needed import DEPLOY, package

_SCHEMAS = Path(__file__).parent / "schemas"
_CUSTOM = {"PodMonitor", "PrometheusRule", "ScaledObject"}
_MARGIN_SECONDS = 20
_MOST_BYTES_APPLIED = 262_144
"""`kubectl apply` keeps the whole manifest in an annotation, which may not be larger."""

_WORKER = "Deployment/config-remediator"


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest) -> str:
    """Everything that somebody may apply."""
    return str(request.param)


def _config(folder: str, tmp_path: Path) -> Config:
    return load(configuration(folder, tmp_path), {})


def test_built_in_kinds_are_valid(folder: str) -> None:
    """Every built-in resource fits Kubernetes' own schema, without a field that it does not know."""
    validate = package("kubernetes_validate")
    version = validate.latest_version()
    built_in = [manifest for manifest in rendered(folder) if manifest["kind"] not in _CUSTOM]
    assert built_in
    for manifest in built_in:
        validate.validate(manifest, version, strict=True)


def test_custom_kinds_are_valid(folder: str) -> None:
    """Every custom resource fits the schema of what is used of it, and none is without a schema."""
    validator = package("jsonschema").Draft202012Validator
    for manifest in rendered(folder):
        if manifest["kind"] in _CUSTOM:
            schema = json.loads((_SCHEMAS / f"{manifest['kind'].lower()}.json").read_text(encoding="utf-8"))
            validator.check_schema(schema)
            assert [error.message for error in validator(schema).iter_errors(manifest)] == []


def test_the_schemas_refuse_typing_errors() -> None:
    """A schema that takes everything would prove nothing."""
    validator = package("jsonschema").Draft202012Validator
    spoilt = only("overlays/production", "ScaledObject")
    spoilt["spec"]["triggers"][0]["metadata"]["ignoreNullValue"] = "false"
    schema = json.loads((_SCHEMAS / "scaledobject.json").read_text(encoding="utf-8"))
    assert list(validator(schema).iter_errors(spoilt))


def test_containers_are_as_small_as_they_can_be(folder: str) -> None:
    """Besides what Pod Security asks (test_pod_security): a root that cannot be written, and a user by number."""
    for name, pod in pod_specs(folder).items():
        assert pod["securityContext"]["runAsUser"] > 0, name
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name


def test_volumes_are_of_allowed_kinds(folder: str) -> None:
    """No path of the node, and no secret."""
    for pod in pod_specs(folder).values():
        for volume in pod.get("volumes", []):
            assert set(volume) - {"name"} <= {"configMap", "emptyDir", "projected"}


def test_namespaces_enforce_what_the_pods_fulfil(folder: str) -> None:
    """A namespace of ours is a restricted one."""
    for manifest in rendered(folder):
        if manifest["kind"] == "Namespace":
            labels = manifest["metadata"]["labels"]
            assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
            # The oldest that the chart takes, too.
            oldest = yaml.safe_load((DEPLOY / "helm/config-remediator/Chart.yaml").read_text("utf-8"))["kubeVersion"]
            assert f">={labels['pod-security.kubernetes.io/enforce-version'].removeprefix('v')}.0-0" == oldest


def test_another_image_can_be_applied_over_it(folder: str) -> None:
    """A Job's template cannot be changed, so `kubectl apply` of the next version would be refused."""
    assert [name for name in pod_specs(folder) if name.startswith("Job/")] == []


def test_selectors_stay_what_they_were(folder: str) -> None:
    """An API server refuses another one: the field is immutable."""
    for name in (name for name in pod_specs(folder) if name.startswith("Deployment/")):
        selector = only(folder, "Deployment", name.partition("/")[2])["spec"]["selector"]
        assert selector == {"matchLabels": {"app.kubernetes.io/name": name.partition("/")[2]}}


def test_no_pod_may_talk_to_the_cluster(folder: str) -> None:
    """The only token is the one that RRSA exchanges, and it is good for STS alone."""
    assert all(pod["automountServiceAccountToken"] is False for pod in pod_specs(folder).values())
    worker = pod_specs(folder)[_WORKER]
    sources = [source for volume in worker["volumes"] for source in volume.get("projected", {}).get("sources", [])]
    tokens = [source["serviceAccountToken"] for source in sources]
    assert all(token["audience"] == "sts.aliyuncs.com" for token in tokens)
    assert len(tokens) == (1 if folder == "overlays/production" else 0)


def test_the_token_is_where_the_worker_looks() -> None:
    """The variable names the file in the mounted folder."""
    worker = pod_specs("overlays/production")[_WORKER]
    (container,) = worker["containers"]
    environ = {entry["name"]: entry.get("value") for entry in container["env"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    (volume,) = [volume for volume in worker["volumes"] if "projected" in volume]
    token = volume["projected"]["sources"][0]["serviceAccountToken"]
    assert environ["ALIBABA_CLOUD_OIDC_TOKEN_FILE"] == f"{mounts[volume['name']]}/{token['path']}"


def test_a_pod_is_given_the_time_that_a_stop_takes(folder: str, tmp_path: Path) -> None:
    """The cluster kills later than the worker ends by itself, which is later than all that a stop waits for."""
    config = _config(folder, tmp_path)
    grace = config.engine.shutdown_grace_seconds
    needed = config.queue.wait_seconds + config.engine.work_budget_seconds + 2 * config.queue.call_timeout_seconds
    assert grace >= needed
    assert pod_specs(folder)[_WORKER]["terminationGracePeriodSeconds"] >= grace + _MARGIN_SECONDS


def test_probes_differ_as_their_meanings_do(folder: str, tmp_path: Path) -> None:
    """Liveness asks no dependency, readiness does, and all ask the port that the worker listens on."""
    (container,) = pod_specs(folder)[_WORKER]["containers"]
    paths = {kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
    (port,) = container["ports"]
    assert port == {"name": "http", "containerPort": _config(folder, tmp_path).http.port}


def test_a_wedged_worker_is_replaced_soon(folder: str) -> None:
    """Nothing is drained by an engine that makes no progress, so nobody waits out the grace of a stop for it."""
    pod = pod_specs(folder)[_WORKER]
    (container,) = pod["containers"]
    assert container["livenessProbe"]["terminationGracePeriodSeconds"] < pod["terminationGracePeriodSeconds"]


def test_a_pod_tells_why_it_ended(folder: str) -> None:
    """The last line on stderr names the key or the right that is wrong; `kubectl describe pod` shows it."""
    (container,) = pod_specs(folder)[_WORKER]["containers"]
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_starting_may_take_as_long_as_its_first_requests(folder: str, tmp_path: Path) -> None:
    """Before the server answers there is one look at each queue, each of which may run into its time limit."""
    (container,) = pod_specs(folder)[_WORKER]["containers"]
    probe = container["startupProbe"]
    queue = _config(folder, tmp_path).queue
    patience = probe["periodSeconds"] * probe["failureThreshold"]
    assert patience >= 2 * (queue.connect_timeout_seconds + queue.call_timeout_seconds) + 30


def test_rollouts_never_drop_below_capacity(folder: str) -> None:
    """The new replica polls before the old one stops; one that is never ready stops the rollout."""
    spec = only(folder, "Deployment")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert spec["minReadySeconds"] > 0


def test_replicas_spread(folder: str) -> None:
    """Over zones and nodes, as far as there are any, and without regard to those that a rollout ends."""
    rules = pod_specs(folder)[_WORKER]["topologySpreadConstraints"]
    assert {rule["topologyKey"] for rule in rules} == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    assert all(rule["matchLabelKeys"] == ["pod-template-hash"] for rule in rules)


def test_nodes_can_be_scaled_away(folder: str) -> None:
    """A pod with an emptyDir holds its node for ever, unless it says that what is in there may go."""
    template = only(folder, "Deployment")["spec"]["template"]
    local = [volume["name"] for volume in template["spec"]["volumes"] if "emptyDir" in volume]
    expendable = template["metadata"]["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"]
    assert expendable.split(",") == local


def test_memory_is_bounded_and_cpu_is_not(folder: str) -> None:
    """A throttled thread loses its leases; a leak must not take the node."""
    (container,) = pod_specs(folder)[_WORKER]["containers"]
    resources = container["resources"]
    assert {"cpu", "memory"} <= set(resources["requests"])
    assert "memory" in resources["limits"]
    assert "cpu" not in resources["limits"]


@pytest.mark.parametrize("kind", ["PodDisruptionBudget", "NetworkPolicy", "PodMonitor"])
def test_selectors_find_the_pods(kind: str) -> None:
    """A selector that finds nothing is valid, and worth nothing."""
    spec = only("overlays/production", kind)["spec"]
    selector = spec.get("podSelector") or spec["selector"]
    labels = only("overlays/production", "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert selector["matchLabels"].items() <= labels.items()


def test_drains_are_never_blocked() -> None:
    """One at a time, whatever the number of replicas."""
    spec = only("overlays/production", "PodDisruptionBudget")["spec"]
    assert spec["maxUnavailable"] == 1
    assert "minAvailable" not in spec


def test_the_network_is_closed_but_for_what_is_needed() -> None:
    """In: the metrics port. Out: names and HTTPS."""
    spec = only("overlays/production", "NetworkPolicy")["spec"]
    assert sorted(spec["policyTypes"]) == ["Egress", "Ingress"]
    assert [port["port"] for rule in spec["ingress"] for port in rule["ports"]] == ["http"]
    assert {port["port"] for rule in spec["egress"] for port in rule["ports"]} == {53, 443}


def test_autoscaling_neither_ends_polling_nor_takes_silence_for_rest() -> None:
    """At least one replica, a fallback, no answer is a failure, and the Deployment does not fight over the number."""
    scaled = only("overlays/production", "ScaledObject")["spec"]
    (trigger,) = scaled["triggers"]
    assert scaled["minReplicaCount"] >= 1
    assert scaled["fallback"]["replicas"] >= 1
    assert trigger["metadata"]["ignoreNullValues"] == "false"
    deployment = only("overlays/production", "Deployment")
    assert scaled["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert "replicas" not in deployment["spec"]


def test_scaling_begins_before_the_slots_are_full(tmp_path: Path) -> None:
    """What a replica has in flight never exceeds its slots, so a threshold near them would never scale."""
    (trigger,) = only("overlays/production", "ScaledObject")["spec"]["triggers"]
    assert float(trigger["metadata"]["threshold"]) <= _config("overlays/production", tmp_path).engine.slots / 2


def test_the_alerts_find_the_job() -> None:
    """They name job="config-remediator", which is what the PodMonitor's label gives."""
    monitor = only("overlays/production", "PodMonitor")["spec"]
    labels = only("overlays/production", "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert labels[monitor["jobLabel"]] == "config-remediator"
    assert monitor["podMetricsEndpoints"][0]["port"] == "http"


def test_a_new_configuration_is_a_rollout(folder: str) -> None:
    """The ConfigMap's name has a hash of its content."""
    volumes = {volume["name"]: volume for volume in pod_specs(folder)[_WORKER]["volumes"]}
    assert volumes["config"]["configMap"]["name"].startswith("config-remediator-")


def test_the_switch_can_be_thrown(folder: str, tmp_path: Path) -> None:
    """The pause file lies in an optional ConfigMap that no manifest contains, so that no deployment takes it back."""
    worker = pod_specs(folder)[_WORKER]
    volumes = {volume["name"]: volume for volume in worker["volumes"]}
    mounts = {mount["name"]: mount for mount in worker["containers"][0]["volumeMounts"]}
    assert volumes["switch"]["configMap"] == {"name": "config-remediator-switch", "optional": True}
    assert "subPath" not in mounts["switch"]
    assert _config(folder, tmp_path).pause.file == f"{mounts['switch']['mountPath']}/pause"
    assert "config-remediator-switch" not in {manifest["metadata"]["name"] for manifest in rendered(folder)}


def test_every_resource_can_be_applied(folder: str) -> None:
    """Small enough for kubectl's annotation."""
    assert all(len(json.dumps(manifest)) < _MOST_BYTES_APPLIED for manifest in rendered(folder))


def test_references_lead_somewhere(folder: str) -> None:
    """Every ConfigMap that a pod cannot start without is in the folder."""
    present = {manifest["metadata"]["name"] for manifest in rendered(folder) if manifest["kind"] == "ConfigMap"}
    wanted = {name for pod in pod_specs(folder).values() for name in _config_maps(pod)}
    assert wanted <= present


def _config_maps(pod: Manifest) -> list[str]:
    volumes: list[Any] = [volume["configMap"] for volume in pod.get("volumes", []) if "configMap" in volume]
    sources = [source["configMapRef"] for container in pod["containers"] for source in container.get("envFrom", [])]
    return [reference["name"] for reference in volumes + sources if not reference.get("optional")]


_CATCH_UP = "config-remediator-catch-up"


def test_catch_up_runs_alone_and_ends() -> None:
    """Never two at a time, none for ever, and none of old ones kept for long."""
    spec = only("overlays/production", "CronJob", _CATCH_UP)["spec"]
    job = spec["jobTemplate"]["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert 0 < spec["startingDeadlineSeconds"] <= 6 * 3600
    assert 0 < job["activeDeadlineSeconds"] < 6 * 3600
    assert job["backoffLimit"] == 0, "a second try would send everything again that the first one did"
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (1, 3)
    assert job["template"]["spec"]["restartPolicy"] == "Never"


def test_catch_up_is_expected_as_often_as_it_runs(tmp_path: Path) -> None:
    """The worker misses a run after two that did not come."""
    schedule = only("overlays/production", "CronJob", _CATCH_UP)["spec"]["schedule"]
    _, hours, *rest = schedule.split()
    assert rest == ["*", "*", "*"]
    expected = _config("overlays/production", tmp_path).catch_up.expected_within_seconds
    assert expected == 2 * 3600 * int(hours.removeprefix("*/"))


def test_catch_up_has_an_identity_of_its_own() -> None:
    """Its service account and its role are not the worker's, and its token is where the process looks."""
    pod = pod_specs("overlays/production")[f"CronJob/{_CATCH_UP}"]
    (container,) = pod["containers"]
    assert pod["serviceAccountName"] == _CATCH_UP != pod_specs("overlays/production")[_WORKER]["serviceAccountName"]
    assert only("overlays/production", "ServiceAccount", _CATCH_UP)["automountServiceAccountToken"] is False
    roles = {
        each["data"]["ALIBABA_CLOUD_ROLE_ARN"]
        for each in rendered("overlays/production")
        if each["kind"] == "ConfigMap" and "ALIBABA_CLOUD_ROLE_ARN" in each["data"]
    }
    assert len(roles) == 2
    environ = {entry["name"]: entry.get("value") for entry in container["env"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    (volume,) = [volume for volume in pod["volumes"] if "projected" in volume]
    (source,) = volume["projected"]["sources"]
    token = source["serviceAccountToken"]
    assert token["audience"] == "sts.aliyuncs.com"
    assert environ["ALIBABA_CLOUD_OIDC_TOKEN_FILE"] == f"{mounts[volume['name']]}/{token['path']}"


def test_nothing_that_is_about_workers_takes_a_job_for_one() -> None:
    """A disruption budget that selects a pod of a job is broken, and a monitor would miss its metrics."""
    labels = only("overlays/production", "CronJob", _CATCH_UP)["spec"]["jobTemplate"]["spec"]["template"]["metadata"]
    for kind in ("PodDisruptionBudget", "NetworkPolicy", "PodMonitor", "Deployment"):
        spec = only("overlays/production", kind)["spec"]
        selector = spec.get("podSelector") or spec["selector"]
        assert not selector["matchLabels"].items() <= labels["labels"].items(), kind
    closed = only("overlays/production", "NetworkPolicy", _CATCH_UP)["spec"]
    assert closed["podSelector"]["matchLabels"].items() <= labels["labels"].items()
    assert "ingress" not in closed
    assert {port["port"] for rule in closed["egress"] for port in rule["ports"]} == {53, 443}


def test_catch_up_is_called_as_it_can_be() -> None:
    """Its arguments are those of the command line, with --apply and without what would make it no whole run."""
    (container,) = pod_specs("overlays/production")[f"CronJob/{_CATCH_UP}"]["containers"]
    name, *arguments = container["args"]
    context = cli.commands[name].make_context(name, list(arguments))
    assert context.params["apply"] is True
    assert not [context.params[each] for each in ("rules", "regions", "accounts", "limit") if context.params[each]]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert str(context.params["path"]) == f"{mounts['config']}/config.toml"
    assert container["image"] == pod_specs("overlays/production")[_WORKER]["containers"][0]["image"]


def test_the_shared_store_is_a_memory_of_what_catch_up_sent(tmp_path: Path) -> None:
    """The job finds it where the worker does, with the same password, and may reach it."""
    found = {(each["kind"], each["metadata"]["name"]): each for each in _with_shared("overlays/production", tmp_path)}
    worker = found["Deployment", "config-remediator"]["spec"]["template"]
    job = found["CronJob", _CATCH_UP]["spec"]["jobTemplate"]["spec"]["template"]
    variables = [_shared_variables(each["spec"]) for each in (worker, job)]
    assert variables[0] == variables[1] != {}
    assert {each["name"] for each in job["spec"]["containers"]} == {"catch-up"}
    opened = found["NetworkPolicy", "config-remediator-shared-guards"]["spec"]
    (selected,) = opened["podSelector"]["matchExpressions"]
    labels = [each["metadata"]["labels"][selected["key"]] for each in (worker, job)]
    assert (selected["operator"], selected["values"]) == ("In", labels)
    assert 6379 in [port["port"] for rule in opened["egress"] for port in rule["ports"]]


def test_the_shared_store_needs_no_catch_up(tmp_path: Path) -> None:
    """The component is as good where the other is not in use."""
    kinds = [each["kind"] for each in _with_shared("base", tmp_path)]
    assert "Deployment" in kinds
    assert "CronJob" not in kinds


def _with_shared(folder: str, into: Path) -> list[Manifest]:
    """Valid in every kind that is built in."""
    validate = package("kubernetes_validate")
    found = with_component(folder, "shared-guards", into)
    for manifest in found:
        if manifest["kind"] not in _CUSTOM:
            validate.validate(manifest, validate.latest_version(), strict=True)
    return found


def _shared_variables(pod: Manifest) -> dict[str, Any]:
    (container,) = pod["containers"]
    return {each["name"]: each for each in container["env"] if "SHARED" in each["name"]}
