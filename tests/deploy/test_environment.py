"""scripts/environment: .venv is made anew whenever it does not fit, and each failure is said with its own cause.

The Pythons here are shell scripts that note how they are called; nothing is installed and no index is asked. The one
that sleeps starts no process of its own after it has said so: dash loses a signal that comes while it starts one.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.needed import ROOT
from tests.emulation import eventually
from tests.patience import PATIENCE_SECONDS
from tests.signals import as_under_a_terminal

_TOOLS = ("cat", "cksum", "cp", "dirname", "flock", "grep", "ls", "mkdir", "rm", "sed", "sh", "sleep", "tail", "touch")
_PYTHON = """\
#!/bin/sh
printf '%s\\n' "$*" >>calls
case "$*" in
  "-m venv .venv") [ -z "$VENV_SAYS" ] || {{ echo "$VENV_SAYS" >&2; exit 1; }}
    mkdir -p .venv/bin .venv/lib/python3/site-packages && cp "$0" .venv/bin/python ;;
  *"import venv"*) [ -z "$NO_VENV" ] ;;
  "-m pip"*) [ -z "$PIP_SLEEPS" ] || {{ : >sleeping; exec sleep 600; }}
    [ -z "$PIP_TOUCHES" ] || touch .venv/lib/python3/site-packages/half
    [ -z "$PIP_SAYS" ] || {{ echo "$PIP_SAYS" >&2; exit 1; }} ;;
  *version_info*) echo {version} ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A folder with the script, three locks, and the Pythons that a test puts on the path."""

    folder: Path

    def python(self, version: str, name: str = "python3") -> Path:
        """Put a Python of this version on the path."""
        path = self.folder / "bin" / name
        path.write_text(_PYTHON.format(version=version), encoding="utf-8")
        path.chmod(0o755)
        return path

    def start(self, lock: str, environment: dict[str, str]) -> subprocess.Popen[str]:
        with as_under_a_terminal():
            return subprocess.Popen(
                [str(self.folder / "scripts" / "environment"), lock],
                env={"PATH": str(self.folder / "bin"), **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )

    def run(self, lock: str = "dev", **environment: str) -> tuple[int, str, str]:
        """Exit status, standard output, and the last line on standard error."""
        (self.folder / "calls").unlink(missing_ok=True)
        process = self.start(lock, environment)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
        return process.returncode, out, (err.splitlines() or [""])[-1]

    def installed(self) -> list[str]:
        """The locks that the last run has installed, in their order."""
        calls = (self.folder / "calls").read_text(encoding="utf-8").splitlines()
        return [Path(call.split()[-1]).stem for call in calls if "pip install" in call]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """One with Python 3.12 on its path."""
    for name in ("bin", "scripts", "requirements"):
        (tmp_path / name).mkdir()
    for tool in _TOOLS:
        found = shutil.which(tool)
        if found is not None:
            (tmp_path / "bin" / tool).symlink_to(found)
    shutil.copy(ROOT / "scripts" / "environment", tmp_path / "scripts")
    for lock in ("installer", "emulator", "dev"):
        (tmp_path / "requirements" / f"{lock}.txt").write_text(f"{lock}==1\n", encoding="utf-8")
    made = Checkout(tmp_path)
    made.python("3.12.1")
    return made


def test_it_is_made_once(checkout: Checkout) -> None:
    """The installer first, then the lock; and nothing the second time."""
    assert checkout.run()[0] == 0
    assert checkout.installed() == ["installer", "dev"]
    assert checkout.run() == (0, "", "")
    assert checkout.installed() == []


def test_the_installer_is_not_fetched_by_a_build(checkout: Checkout) -> None:
    """Everything is checked against hashes, and builds happen with what is there."""
    checkout.run()
    calls = [call for call in (checkout.folder / "calls").read_text().splitlines() if "pip install" in call]
    assert all("--require-hashes" in call for call in calls)
    assert "--no-build-isolation" in calls[-1]


def test_the_development_environment_serves_the_demo(checkout: Checkout) -> None:
    """It holds all that the emulator needs; the other way about, what is missing is added."""
    checkout.run("emulator")
    assert checkout.installed() == ["installer", "emulator"]
    checkout.run("dev")
    assert checkout.installed() == ["dev"]
    checkout.run("emulator")
    assert checkout.installed() == []


Damage = Callable[[Checkout], object]


def _change_the_lock(checkout: Checkout) -> None:
    (checkout.folder / "requirements" / "dev.txt").write_text("dev==2\n", encoding="utf-8")


def _change_the_installer(checkout: Checkout) -> None:
    (checkout.folder / "requirements" / "installer.txt").write_text("installer==2\n", encoding="utf-8")


def _upgrade_python_beneath_it(checkout: Checkout) -> None:
    shutil.copy(checkout.python("3.12.9"), checkout.folder / ".venv" / "bin" / "python")


def _remove_python_beneath_it(checkout: Checkout) -> None:
    (checkout.folder / ".venv" / "bin" / "python").unlink()


def _make_it_by_hand(checkout: Checkout) -> None:
    shutil.rmtree(checkout.folder / ".venv")
    (checkout.folder / ".venv" / "bin").mkdir(parents=True)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (_change_the_lock, "requirements/dev.txt has changed"),
        (_change_the_installer, "requirements/installer.txt has changed"),
        (_upgrade_python_beneath_it, "it was made with another Python than 3.12.9"),
        (_remove_python_beneath_it, "its Python or its pip does not start"),
        (_make_it_by_hand, "it was not completed"),
    ],
)
def test_what_does_not_fit_is_made_anew(checkout: Checkout, damage: Damage, why: str) -> None:
    """Whatever is wrong with it, the next run ends with an environment from the locks."""
    checkout.run()
    damage(checkout)
    status, out, _ = checkout.run()
    assert status == 0
    assert f"Removing .venv: {why}.\n" in out
    assert checkout.installed() == ["installer", "dev"]
    assert checkout.run() == (0, "", "")


def test_a_newer_date_alone_is_no_change(checkout: Checkout) -> None:
    """A checkout touches files; what they say counts."""
    checkout.run()
    os.utime(checkout.folder / "requirements" / "dev.txt", (2**31, 2**31))
    assert checkout.run() == (0, "", "")


def test_another_python_that_is_wanted_is_taken(checkout: Checkout) -> None:
    """PYTHON decides, also over an environment that would do."""
    checkout.run()
    other = str(checkout.python("3.13.0", "other"))
    status, out, _ = checkout.run(PYTHON=other)
    assert status == 0
    assert f"it has Python 3.12.1, and PYTHON={other} is 3.13.0" in out
    assert checkout.run(PYTHON=other) == (0, "", "")
    assert checkout.run() == (0, "", "")


def test_an_interrupted_installation_is_begun_again(checkout: Checkout) -> None:
    """Ctrl-C says so in one line, with exit status 130."""
    process = checkout.start("dev", {"PIP_SLEEPS": "1"})
    try:
        eventually(lambda: (checkout.folder / "sleeping").exists() or process.poll() is not None)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, err) == (130, "make: interrupted; what is missing is installed the next time\n")
    status, out, _ = checkout.run()
    assert status == 0
    assert "it was not completed" in out


@pytest.mark.parametrize(("touches", "again"), [("", ["dev"]), ("1", ["installer", "dev"])])
def test_what_there_was_outlives_a_failed_addition(checkout: Checkout, touches: str, again: list[str]) -> None:
    """The demo runs on without an index, unless the failure left packages of another lock behind."""
    checkout.run("emulator")
    assert checkout.run("dev", PIP_SAYS="ConnectionError", PIP_TOUCHES=touches)[0] == 1
    checkout.run("dev")
    assert checkout.installed() == again


@pytest.mark.parametrize(
    ("environment", "cause"),
    [
        ({"PIP_SAYS": "Retrying (NewConnectionError: [Errno 111] Connection refused)"}, "index cannot be reached"),
        ({"PIP_SAYS": "Retrying (NameResolutionError: Name or service not known)"}, "index cannot be reached"),
        (
            {"PIP_SAYS": "SSLError(certificate verify failed)"},
            "does not trust the certificate",
        ),
        ({"PIP_SAYS": "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM"}, "its hash differs"),
        ({"PIP_SAYS": "ERROR: [Errno 28] No space left on device"}, "no space is left on the disk"),
        ({"PIP_SAYS": "ERROR: No matching distribution found for x==1"}, "lacks a locked release"),
        ({"PIP_SAYS": "ERROR: Failed building wheel for x"}, "could not be built for this Python"),
        ({"PIP_SAYS": "ERROR: something nobody has thought of"}, "ERROR: something nobody has thought of"),
        ({"VENV_SAYS": "Error: [Errno 28] No space left on device"}, "no space is left on the disk"),
        ({"VENV_SAYS": "Error: [Errno 13] Permission denied: '.venv'"}, "Permission denied: '.venv'"),
        ({"NO_VENV": "1"}, "apt-get install python3.12-venv"),
        ({"PYTHON": "/no/such"}, "PYTHON=/no/such: there is no such program"),
        ({"PYTHON": "/"}, "PYTHON=/ is no Python that starts: "),
        (
            {"PYTHON": "/bin/false"},
            "PYTHON=/bin/false is no Python that starts: it ends with status 1 and prints nothing",
        ),
    ],
)
def test_a_failure_is_reported_with_its_cause(checkout: Checkout, environment: dict[str, str], cause: str) -> None:
    """The last line names what is really wrong, and nothing else."""
    status, _, line = checkout.run(**environment)
    assert status == 1
    assert line.startswith("make: ")
    assert cause in line


def test_a_wrong_python_is_named_although_the_environment_is_there(checkout: Checkout) -> None:
    """Whoever sets PYTHON is not left to believe that it was used."""
    checkout.run()
    assert checkout.run(PYTHON="/no/such")[0] == 1


@pytest.mark.parametrize("version", ["2.7.18", "3.1.5", "3.9.2", "3.10.13"])
def test_an_old_python_is_no_python(checkout: Checkout, version: str) -> None:
    """It is said which one was found, or which one PYTHON is."""
    old = checkout.python(version)
    assert f"python3 is {version}" in checkout.run()[2]
    assert f"PYTHON={old} is Python {version}; 3.11 or newer is needed" in checkout.run(PYTHON=str(old))[2]
    checkout.python("3.11.2", "python3.11")
    assert checkout.run()[0] == 0


def test_a_lock_that_is_not_there(checkout: Checkout) -> None:
    """Named, before anything is touched."""
    assert checkout.run("nope")[2] == "make: there is no requirements/nope.txt"
