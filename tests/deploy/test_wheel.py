"""The wheel is enough for every command: built, installed into an environment of its own, and tried.

Its dependencies are lent by the environment that runs the tests, so that no index is asked; `make installs` does the
same with nothing but the lock.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner

from consumer.cli.main import cli
from consumer.operator import bundled
from deploy.prometheus import operator
from tests.deploy.needed import ROOT, package
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `make wheel` does, without a network."""
    package("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment's folder of programs, with the wheel in it and no checkout anywhere near."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python3.*/site-packages")
    (lent,) = [path for path in sys.path if path.endswith("site-packages") and Path(path).is_relative_to(sys.prefix)]
    (packages / "lent.pth").write_text(f"{lent}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
    command += ["--disable-pip-version-check", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(command, check=True)
    return folder / "bin"


def _run(installed: Path, tmp_path: Path, *arguments: str) -> str:
    done = subprocess.run([installed / arguments[0], *arguments[1:]], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert b"Warning" not in done.stderr
    return done.stdout.decode()


def test_every_command_of_it_works(installed: Path, tmp_path: Path) -> None:
    """Each module can be imported, and each command explains itself."""
    out = _run(installed, tmp_path, "python", str(ROOT / "scripts" / "every_command.py"))
    assert "config-remediator config example --help" in out.splitlines()
    assert len(out.splitlines()) > 15


def test_a_start_without_bytecode_is_silent(installed: Path, tmp_path: Path) -> None:
    """Not every installer compiles, and a warning of an SDK about itself is nothing that an operator can act on."""
    command = [installed / "python", "-X", f"pycache_prefix={tmp_path}", "-c", "import consumer.app.service"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_it_brings_the_example(installed: Path, tmp_path: Path) -> None:
    """The one file of the checkout, which is a configuration that works."""
    text = _run(installed, tmp_path, "config-remediator", "config", "example")
    assert text == (ROOT / "config.example.toml").read_text(encoding="utf-8")
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    assert "config-events" in _run(installed, tmp_path, "config-remediator", "config", "show", "-c", "config.toml")


def test_it_brings_the_files(installed: Path, tmp_path: Path) -> None:
    """Dashboards, alert rules and policies, as they stand in the checkout."""
    offered = _run(installed, tmp_path, "config-remediator", "files").splitlines()
    written = _run(installed, tmp_path, "config-remediator", "files", "--to", "mine").splitlines()
    assert written == [f"mine/{name}" for name in offered]
    for name, path in bundled.FILES.items():
        text = (ROOT / path).read_text(encoding="utf-8")
        assert (tmp_path / "mine" / name).read_text(encoding="utf-8") == text
        assert _run(installed, tmp_path, "config-remediator", "files", name) == text
    for folder in ("deploy/grafana/dashboards", "deploy/terraform", "deploy/ros"):
        assert {*bundled.FILES.values()} >= {f"{folder}/{path.name}" for path in (ROOT / folder).glob("[!.]*")}


def test_the_alerts_lead_to_a_runbook_of_one_s_own() -> None:
    """Each to its own entry; what is no absolute URL is refused."""
    name, url = "alerts/config-remediator.yml", "https://wiki.example.org/runbook"
    printed = CliRunner().invoke(cli, ["files", name, "--runbook", url])
    assert printed.exit_code == 0
    plain = (ROOT / bundled.FILES[name]).read_text("utf-8")
    assert bundled.RUNBOOK == operator.RUNBOOK
    assert printed.stdout == plain.replace(operator.RUNBOOK, url) != plain
    assert CliRunner().invoke(cli, ["files", name, "--runbook", "docs/runbook.md"]).exit_code == 2


def test_it_brings_the_demonstration(installed: Path, tmp_path: Path) -> None:
    """The whole of it, also where a folder of the same name is in the way."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/__init__.py").write_text("raise SystemExit('the wrong one')\n", encoding="utf-8")
    shown = _run(installed, tmp_path, "config-remediator", "demo", "--buckets", "10")
    assert shown.splitlines()[-1] == "✓ every promise held, by the emulator's own journal"


def test_it_brings_the_emulator(installed: Path, tmp_path: Path) -> None:
    """As a service, on the ports that were asked for; SIGTERM ends it in good order."""
    (tmp_path / "emulator").mkdir()
    (tmp_path / "emulator/__init__.py").write_text("raise SystemExit('the wrong one')\n", encoding="utf-8")
    port = free_port()
    command = [installed / "config-remediator", "emulator", "--control-port", str(port)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            process.terminate()
            assert process.wait(PATIENCE_SECONDS) == 0
        finally:
            process.kill()
    served = json.loads(line)
    assert served["control"] == f"http://127.0.0.1:{port}"
    assert {"mns", "oss", "ecs", "account_id", "access_key_id"} <= served.keys()


def test_its_errors_name_what_was_typed(installed: Path, tmp_path: Path) -> None:
    """Program and command, also of what another module does in its place."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        command = [installed / "config-remediator", "emulator", "--control-port", str(taken.getsockname()[1])]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert done.returncode == 1
    assert done.stderr.startswith("config-remediator emulator: cannot listen: "), done.stderr


@pytest.mark.parametrize(("name", "what"), [("demo", "the demonstration"), ("emulator", "the emulator")])
def test_without_its_packages_it_says_how_to_get_them(
    name: str, what: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One line with the extra, and the exit status of what cannot be used."""
    monkeypatch.setattr(bundled, "find_spec", lambda name: None if name == "uvicorn" else object())
    done = CliRunner().invoke(cli, [name], prog_name="config-remediator")
    assert done.exit_code == 2
    said = done.stderr + capfd.readouterr().err  # written to the descriptor itself
    assert said.startswith(f"config-remediator {name}: what {what} needs is not installed (uvicorn missing)")
    assert f"pipx run --spec './FILE.whl[demo]' config-remediator {name}" in said


def test_the_extra_is_what_the_demonstration_needs() -> None:
    """Each package that it is stopped without is one of an extra that `demo` takes in."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert extras["demo"] == ["config-remediator[ecs,emulator,reevaluate]"]
    asked = [each for name in ("ecs", "emulator", "reevaluate") for each in extras[name]]
    names = {re.split(r"[<>=]", each)[0].replace("-", "_") for each in asked}
    assert names == set(bundled.DEMO_NEEDS)


def test_it_brings_nothing_else(wheel: Path) -> None:
    """No tests, no emulator where it could be imported, no other package that could be in somebody's way."""
    with ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"consumer"}


def test_a_checkout_prints_the_same() -> None:
    """There the file is read from its own place."""
    command = [sys.executable, "-m", "consumer", "config", "example"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == (ROOT / "config.example.toml").read_text(encoding="utf-8")
