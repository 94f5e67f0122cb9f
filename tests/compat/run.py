"""Fetches a suite, runs it in an environment of its own against an emulator of its own, and reads what came out."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
from pathlib import Path
from urllib.parse import urlsplit

from emulator.process import in_process
from tests.compat.outcomes import Outcomes, read_outcomes
from tests.compat.suites import Suite

_NETWORK = Path(__file__).parent / "network"
_PYTEST = ("pytest==8.3.5", "pytest-timeout==2.3.1")
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
"""Of our environment, what a suite gets; no credentials and no proxies are among it."""
_TEST_SECONDS, _SUITE_SECONDS = 60, 1800


class Unobtainable(Exception):
    """A suite could not be fetched or installed; the text is the installer's last words."""


def run(suite: Suite, directory: Path) -> Outcomes:
    """The outcomes of one suite; everything is kept below `directory`.

    Raises:
        Unobtainable: the package or what it needs cannot be had.
        subprocess.TimeoutExpired: the whole suite took longer than half an hour.
    """
    source = _fetch(suite, directory)
    python = _environment(suite, directory)
    report = directory / "report.xml"
    with in_process() as emulator:
        environment = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "PYTHONPATH": str(_NETWORK),
            "COMPAT_OSS_PORT": str(urlsplit(emulator.oss).port),
            **suite.prepare(emulator),
        }
        command = [
            str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:logging", "--tb=no",
            "--show-capture=no", "-o", "addopts=", f"--timeout={_TEST_SECONDS}", f"--junitxml={report}", *suite.tests,
        ]  # fmt: skip
        log = (directory / "log.txt").open("wb")
        with log:
            subprocess.run(
                command, cwd=source, env=environment, stdout=log, stderr=log, timeout=_SUITE_SECONDS, check=False
            )
    if not report.exists():
        raise Unobtainable((directory / "log.txt").read_text(errors="replace")[-2000:])
    return read_outcomes(report.read_text())


def _fetch(suite: Suite, directory: Path) -> Path:
    """The unpacked source distribution."""
    _pip(sys.executable, "download", "--no-deps", "--no-binary", ":all:", "--dest", str(directory), suite.requirement)
    archive = next(directory.glob("*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.3 and older have none
        packed.extractall(directory / "source")  # noqa: S202 - the release that tests/compat names
    return next((directory / "source").iterdir())


def _environment(suite: Suite, directory: Path) -> Path:
    """The Python of a new virtual environment with the package and what its tests need."""
    venv.create(directory / "venv", with_pip=True)
    python = directory / "venv" / "bin" / "python"
    _pip(str(python), "install", suite.requirement, *suite.requirements, *_PYTEST)
    return python


def _pip(python: str, *arguments: str) -> None:
    command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unobtainable(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "pip failed")
