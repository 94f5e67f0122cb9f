"""A remediation from somebody's own package: installed beside this one, configured by name, repairing a bucket."""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.config import load
from consumer.core.errors import ConfigurationError
from consumer.remediations.catalogue import ENTRY_POINT_GROUP, catalogue
from tests.integration.remediations.workbench import Case, Workbench, repaired_and_undone

_PACKAGE = Path(__file__).parents[2] / "example_plugin"
_MODULE = "example_remediations"
QUARANTINE = Case("example.quarantine", {"tagging": {"owner": "web"}}, options={"reason": "public"})


@pytest.fixture
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example package as an installer leaves it: its module, and its metadata beside it."""
    project = tomllib.loads((_PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copytree(_PACKAGE / _MODULE, tmp_path / _MODULE, ignore=shutil.ignore_patterns("__pycache__"))
    metadata = tmp_path / f"{_MODULE}-{project['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8"
    )
    entries = project["entry-points"][ENTRY_POINT_GROUP]
    lines = [f"[{ENTRY_POINT_GROUP}]", *(f"{name} = {value}" for name, value in entries.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    catalogue.cache_clear()
    yield
    catalogue.cache_clear()
    sys.modules.pop(_MODULE, None)


_CONFIGURATION = """\
account_id = "1234567890123456"

[queue]
region = "cn-hangzhou"
name = "config-events"

[[rules]]
name = "quarantine"
remediation = "example.quarantine"
mode = "enforce"
rule_names = ["*"]
options = { reason = "public" }
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A configuration with a rule for the example."""
    path = tmp_path / "config.toml"
    path.write_text(_CONFIGURATION, encoding="utf-8")
    return path


@pytest.mark.usefixtures("_installed")
def test_it_repairs_and_is_undone_like_one_of_ours(bench: Workbench) -> None:
    """From the entry point through the pipeline and the SDK to the bucket, and back."""
    ending = repaired_and_undone(bench, QUARANTINE)

    assert ending.after == '{"owner":"web","quarantine":"public"}'


@pytest.mark.usefixtures("_installed")
def test_a_rule_can_name_it_and_its_options(configuration: Path) -> None:
    """The configuration knows it, and refuses options that it does not have."""
    [rule] = load(configuration, {}).rules
    assert rule.remediation == "example.quarantine"

    configuration.write_text(_CONFIGURATION.replace("reason =", "raeson ="), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="raeson"):
        load(configuration, {})


def test_without_the_package_the_name_is_unknown(configuration: Path) -> None:
    """A rule whose remediation is not installed stops the worker at start."""
    with pytest.raises(ConfigurationError, match=r"example\.quarantine"):
        load(configuration, {})
