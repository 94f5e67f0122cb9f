"""The chart's own files: its version, its copies of dashboards and rules, its README and what the linter says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from consumer import __version__
from consumer.config import load
from deploy.grafana.__main__ import FOLDERS
from deploy.prometheus import operator
from tests.deploy.chart import CHART, LEAST, render
from tests.deploy.manifests import KUBERNETES
from tests.deploy.needed import ROOT, package


def test_the_linter_has_no_objection() -> None:
    """`helm lint --strict`."""
    package("helm_python")
    from helm_python import chart

    report = chart.lint(CHART, LEAST, strict=True)
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
    manifests = render(yaml.safe_load(example))
    assert {"Deployment", "ConfigMap", "ServiceAccount"} <= {each["kind"] for each in manifests}
    (text,) = [each["data"]["config.toml"] for each in manifests if "config.toml" in each.get("data", {})]
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    config = load(tmp_path / "config.toml", {})
    (deployment,) = [each for each in manifests if each["kind"] == "Deployment"]
    grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace >= config.engine.shutdown_grace_seconds + 20
