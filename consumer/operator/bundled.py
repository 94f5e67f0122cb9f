"""What an installation brings besides the worker: demonstration, emulator, files for other programs, completion.

A wheel has them in `consumer/bundled`, a checkout where they are made; the image has neither of the first two.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import click
from click.shell_completion import get_completion_class

import consumer
from consumer.core.errors import ConfigurationError
from consumer.core.exit_codes import CommandExit

_PACKAGE = Path(consumer.__file__).parent
_BUNDLED = _PACKAGE / "bundled"
_CHECKOUT = _PACKAGE.parent
FILES = {
    "alerts/config-remediator.yml": "deploy/prometheus/rules/config-remediator.yml",
    "config.example.toml": "config.example.toml",
    "dashboards/internals.json": "deploy/grafana/dashboards/internals.json",
    "dashboards/overview.json": "deploy/grafana/dashboards/overview.json",
    "ram/trust.json": "deploy/ram/trust.json",
    "ros/config-remediator.yml": "deploy/ros/config-remediator.yml",
    "terraform/README.md": "deploy/terraform/README.md",
    "terraform/catch-up-policy.json.tftpl": "deploy/terraform/catch-up-policy.json.tftpl",
    "terraform/identity.tf": "deploy/terraform/identity.tf",
    "terraform/main.tf": "deploy/terraform/main.tf",
    "terraform/outputs.tf": "deploy/terraform/outputs.tf",
    "terraform/variables.tf": "deploy/terraform/variables.tf",
    "terraform/versions.tf": "deploy/terraform/versions.tf",
    "terraform/worker-policy.json.tftpl": "deploy/terraform/worker-policy.json.tftpl",
}
"""Where each file stands that `files` offers, before a wheel is made of it."""
RUNBOOK = "https://config-remediator.example/docs/runbook.md"
"""Where the alerts lead until somebody says where the runbook is read."""
_ABSOLUTE = re.compile(r"https?://[^\s#\"]+")
DEMO_NEEDS = ("uvicorn", "uvloop", "starlette", "httptools", "alibabacloud_config20200907", "alibabacloud_tea_openapi")
_WHAT = {"demo": "the demonstration", "emulator": "the emulator"}


def demo(buckets: int) -> NoReturn:
    """Become the demonstration.

    Raises:
        ConfigurationError: this installation lacks it, or what it needs.
    """
    _become("demo", [], {"DEMO_BUCKETS": str(buckets)})


def emulator(host: str, ports: Mapping[str, int]) -> NoReturn:
    """Become the emulator of the cloud services; `ports` is by the service's name, 0 for any free one.

    Raises:
        ConfigurationError: this installation lacks it, or what it needs.
    """
    numbers = [word for name, port in ports.items() for word in (f"--{name}-port", str(port))]
    _become("emulator", ["--host", host, *numbers], {})


def _become(module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    places = (_BUNDLED, _CHECKOUT)
    found = [folder for folder in places if (folder / "demo").is_dir() and (folder / "emulator").is_dir()]
    what = _WHAT[module]
    if not found:
        raise ConfigurationError(f"{what} is not in {_BUNDLED}", "the wheel has it; the image of the worker does not")
    missing = [name for name in DEMO_NEEDS if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"what {what} needs is not installed ({', '.join(missing)} missing)",
            "install the extra: pip install '.[demo]' in a checkout, pip install 'FILE.whl[demo]' for a wheel,"
            f" or once only: pipx run --spec './FILE.whl[demo]' config-remediator {module}",
        )
    path = os.pathsep.join(filter(None, (str(found[0]), os.environ.get("PYTHONPATH"))))
    # In this process's place, so that signals and the exit status are the program's own.
    # Safe: a folder of the same name where it is started is not taken for it.
    own = {"PYTHONPATH": path, "PYTHONSAFEPATH": "1", "CALLED_AS": f"config-remediator {module}", **environment}
    os.execve(sys.executable, [sys.executable, "-m", module, *arguments], {**os.environ, **own})  # noqa: S606 - ourselves


def files(name: str | None, folder: Path | None, runbook: str | None) -> CommandExit:
    """List the files, print one, or write all of them; alerts lead to the runbook at `runbook`, an absolute URL.

    Raises:
        ConfigurationError: there is no such file, or it can be neither read nor written.
    """
    if name is not None and name not in FILES:
        raise ConfigurationError(f"there is no file {name!r}", f"there are: {', '.join(FILES)}")
    if runbook is not None and not _ABSOLUTE.fullmatch(runbook):
        raise ConfigurationError(f"--runbook {runbook!r} is no absolute URL", "begin with https://, end before the #")
    if folder is not None:
        for each in [name] if name else FILES:
            _write(folder / each, _read(each).replace(RUNBOOK, runbook or RUNBOOK))
    elif name is not None:
        sys.stdout.write(_read(name).replace(RUNBOOK, runbook or RUNBOOK))
    else:
        sys.stdout.write("".join(f"{each}\n" for each in FILES))
    return CommandExit.DONE


def completion(command: click.Command, shell: str) -> CommandExit:
    """Print the script of a shell."""
    known = get_completion_class(shell)
    assert known is not None
    name = "config-remediator"
    sys.stdout.write(known(command, {}, name, "_CONFIG_REMEDIATOR_COMPLETE").source())
    return CommandExit.DONE


def _read(name: str) -> str:
    places = (_BUNDLED / "files" / name, _PACKAGE / name, _CHECKOUT / FILES[name])
    found = [path for path in places if path.is_file()]
    if not found:
        raise ConfigurationError(f"{places[0]} is missing", "the wheel has it; the image of the worker does not")
    return found[0].read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
    sys.stdout.write(f"{path}\n")
