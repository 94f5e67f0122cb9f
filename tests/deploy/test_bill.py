"""The list of what is in an image: the product itself, and what is installed beside it."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from consumer import __version__
from tests.deploy.needed import ROOT, package

_VERSION_FILE = ROOT / "consumer/__init__.py"


def _bill(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "deploy/image/bill.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _ours() -> dict[str, Any]:
    done = _bill("config-remediator", str(_VERSION_FILE), sys.prefix)
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def test_it_names_the_product() -> None:
    """By name, version and licence."""
    product = _ours()["metadata"]["component"]
    assert (product["type"], product["name"], product["version"]) == ("application", "config-remediator", __version__)
    assert product["licenses"] == [{"license": {"id": "Apache-2.0"}}]


def test_it_lists_what_is_installed() -> None:
    """Every distribution of the environment under its name on the index, and the Python that runs it."""
    listed = {each["purl"] for each in _ours()["components"]}
    assert f"pkg:generic/python@{platform.python_version()}" in listed
    assert f"pkg:pypi/aliyun-mns-sdk@{metadata.version('aliyun-mns-sdk')}" in listed
    assert f"pkg:pypi/pydantic-core@{metadata.version('pydantic_core')}" in listed


def test_it_is_cyclonedx() -> None:
    """By the format's own schema, in its strict form; and the same each time."""
    package("cyclonedx")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = json.dumps(_ours())
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert text == json.dumps(_ours())


def test_a_file_without_a_version_is_refused(tmp_path: Path) -> None:
    """Rather than a product without one."""
    (tmp_path / "empty.py").touch()
    done = _bill("it", str(tmp_path / "empty.py"), sys.prefix)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"bill: {tmp_path / 'empty.py'} names no version\n"
