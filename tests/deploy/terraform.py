"""Runs the real Terraform on the module, with a stand-in for the provider."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.needed import DEPLOY
from tests.deploy.terraform_provider import Cloud, provider
from tests.patience import PATIENCE_SECONDS

MODULE = DEPLOY / "terraform"
_INSTALL = "terraform is not installed: https://developer.hashicorp.com/terraform/install"


@dataclass(frozen=True, slots=True)
class Plan:
    """What `terraform show -json` says of a plan."""

    document: Mapping[str, Any]

    def resource(self, address: str) -> dict[str, Any]:
        """A resource's arguments as planned; below a module by the whole address."""
        (found,) = [each for each in self._resources() if each["address"].endswith(address)]
        return dict(found["values"])

    def has(self, address: str) -> bool:
        """Whether there is such a resource."""
        return any(each["address"].endswith(address) for each in self._resources())

    def actions(self) -> dict[str, list[str]]:
        """What would be done to each resource."""
        return {each["address"]: each["change"]["actions"] for each in self.document["resource_changes"]}

    def outputs(self) -> dict[str, Any]:
        """The outputs that are known before anything is applied."""
        return {name: each.get("value") for name, each in self.document["planned_values"]["outputs"].items()}

    def _resources(self) -> Iterator[dict[str, Any]]:
        root = self.document["planned_values"]["root_module"]
        for module in (root, *root.get("child_modules", ())):
            yield from module.get("resources", ())


@dataclass(frozen=True, slots=True)
class Terraform:
    """One folder with a root module, initialised."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command's output, whatever its status."""
        return subprocess.run(
            ["terraform", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    def validate(self) -> list[dict[str, Any]]:
        """Errors and warnings, each with severity and summary."""
        return list(json.loads(self.run("validate", "-json").stdout)["diagnostics"])

    def plan(self, **variables: Any) -> Plan:
        """The plan with these variables."""
        done = self.refused(**variables)
        assert done.returncode == 0, done.stderr
        return Plan(json.loads(self.run("show", "-json", "plan").stdout))

    def refused(self, **variables: Any) -> subprocess.CompletedProcess[str]:
        """The same, for a plan that comes to nothing."""
        (self.folder / "given.auto.tfvars.json").write_text(json.dumps(variables), encoding="utf-8")
        return self.run("plan", "-input=false", "-lock=false", "-no-color", "-out=plan")


@contextmanager
def module(
    folder: Path, cloud: Cloud | None = None, root: str | None = None, changes: Mapping[str, str] | None = None
) -> Iterator[Terraform]:
    """A copy of the module with these changes of its text, or a root of one's own that says `source = "./module"`."""
    if shutil.which("terraform") is None:
        pytest.skip(_INSTALL)
    place = folder if root is None else folder / "module"
    shutil.copytree(MODULE, place, dirs_exist_ok=True)
    for old, new in (changes or {}).items():
        (path,) = [each for each in place.glob("*.tf*") if old in each.read_text("utf-8")]
        path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")
    if root is not None:
        (folder / "main.tf").write_text(root, encoding="utf-8")
    with provider(cloud or Cloud()) as environment:
        terraform = Terraform(folder, environment)
        done = terraform.run("init", "-backend=false", "-input=false", "-no-color")
        assert done.returncode == 0, done.stdout + done.stderr
        yield terraform
