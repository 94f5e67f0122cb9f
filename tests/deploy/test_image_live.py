"""A built image at work on the emulator, locked down as far as a container can be.

Runs when IMAGE_UNDER_TEST names one, for it needs a container engine:
`docker build -t config-remediator . && IMAGE_UNDER_TEST=config-remediator make check`. EMULATOR_IMAGE_UNDER_TEST names
the other target.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from consumer import __version__
from emulator.client import Emulator
from emulator.provisioning import setup_channel
from tests import worker_toml
from tests.deploy.needed import ROOT, program
from tests.emulation import eventually

_IMAGE = os.environ.get("IMAGE_UNDER_TEST", "")
_EMULATOR_IMAGE = os.environ.get("EMULATOR_IMAGE_UNDER_TEST", "")
_BUCKETS = 150
_LOCKED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")

pytestmark = pytest.mark.skipif(not _IMAGE, reason="IMAGE_UNDER_TEST names no image")

_CONFIG = (
    worker_toml.QUEUE
    + """\
wait_seconds = 2
[oss.endpoints]
"*" = "{oss}"
[engine]
workers = 2
slots = 64
[http]
port = 19108
[[rules]]
name = "public-read"
remediation = "oss.bucket-acl"
mode = "enforce"
source_identifiers = ["oss-bucket-public-read-prohibited"]
rule_names = ["*"]
"""
)


@dataclass(frozen=True, slots=True)
class Container:
    """One that runs, and how it ended."""

    identity: str

    def logs(self) -> str:
        return _docker("logs", self.identity)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        _docker("kill", "--signal", "TERM", self.identity)
        return int(_docker("wait", self.identity))


def _docker(*arguments: str) -> str:
    docker = program("docker", "apt-get install docker.io")
    done = subprocess.run([docker, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip() or done.stderr.strip()


@pytest.fixture
def configuration(emulator_process: Emulator, tmp_path: Path) -> Path:
    """A queue full of broken buckets, and a configuration for it that the container's user can read."""
    setup_channel(emulator_process, dead_letter_queue="config-events-dead")
    known = emulator_process.endpoints
    path = tmp_path / "config.toml"
    text = _CONFIG.format(account=known.account_id, region=known.region, mns=known.mns, oss=known.oss)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
    return path


@pytest.fixture
def container(configuration: Path, emulator_process: Emulator) -> Iterator[Container]:
    """The image with nothing but its configuration: nowhere to write, no rights, no root."""
    known = emulator_process.endpoints
    identity = _docker(
        *("run", "--detach", *_LOCKED, "--network=host"),
        *("--volume", f"{configuration}:/etc/config-remediator/config.toml:ro"),
        *("--env", f"ALIBABA_CLOUD_ACCESS_KEY_ID={known.access_key_id}"),
        *("--env", f"ALIBABA_CLOUD_ACCESS_KEY_SECRET={known.access_key_secret}"),
        *("--env", "REMEDIATOR__HTTP__HOST=127.0.0.1"),
        _IMAGE,
    )
    yield Container(identity)
    _docker("rm", "--force", identity)


def test_it_works_locked_down_and_drains_in_the_middle_of_work(
    container: Container, emulator_process: Emulator
) -> None:
    """SIGTERM with work in flight: exit status 0, every repair begun is settled, and nothing is left behind a lease."""
    eventually(lambda: "service.started" in container.logs())
    emulator_process.faults.add("latency", "PutBucketAcl", seconds=0.2)  # so that there is a middle
    names = emulator_process.create_buckets(count=_BUCKETS, prefix="broken-", acl="public-read")
    eventually(lambda: "private" in [emulator_process.acls()[name] for name in names])
    assert container.stop() == 0
    lines = [json.loads(line) for line in container.logs().splitlines() if line.startswith("{")]
    fixed = [line for line in lines if line.get("outcome") == "fixed"]
    private = [name for name in names if emulator_process.acls()[name] == "private"]
    assert lines[-1]["exit_reason"] == "drained"
    assert 0 < len(fixed) == len(private) < len(names)
    emulator_process.advance(2)  # what was released is hidden for a second
    state = emulator_process.state()["mns"]["queues"]["config-events"]
    assert int(state["inactive"]) == 0
    assert int(state["active"]) == len(names) - len(private)


def test_its_process_has_no_rights(container: Container) -> None:
    """No root, no capability, no way to new ones; what the engine says of the running process."""
    eventually(lambda: "service.started" in container.logs())
    status = _docker("exec", container.identity, "cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["65532"] * 4
    assert int(fields["CapEff"], 16) == 0
    assert int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    assert container.stop() == 0


def test_its_health_is_known(container: Container) -> None:
    """The health check of the image finds the worker beside it."""
    eventually(lambda: "service.started" in container.logs())
    _docker("exec", container.identity, "python", "-m", "consumer.healthcheck", "/etc/config-remediator/config.toml")
    assert container.stop() == 0


def _inside(image: str, *command: str) -> str:
    """What a program of the image prints; nothing can be reached and nothing written."""
    program_, *arguments = command
    return _docker("run", "--rm", *_LOCKED, "--network=none", f"--entrypoint={program_}", image, *arguments)


@pytest.mark.parametrize("image", [_IMAGE, _EMULATOR_IMAGE], ids=["worker", "emulator"])
def test_it_says_what_it_is(image: str) -> None:
    """Labels, licence, and a bill of materials that names the product, and what Python finds in the image."""
    if not image:
        pytest.skip("EMULATOR_IMAGE_UNDER_TEST names no image")
    labels = json.loads(_docker("image", "inspect", "--format", "{{json .Config.Labels}}", image))
    stated = {name.removeprefix("org.opencontainers.image."): value for name, value in labels.items()}
    assert {"source", "revision", "version", "created", "base.name", "base.digest"} <= stated.keys()
    assert (stated["licenses"], stated["base.name"]) == ("Apache-2.0", "python:3.12-slim-bookworm")
    assert _inside(image, "cat", "/licenses/LICENSE") == (ROOT / "LICENSE").read_text("utf-8").strip()
    bill = json.loads(_inside(image, "cat", f"/usr/share/sbom/{stated['title']}.cdx.json"))
    product = bill["metadata"]["component"]
    assert (product["name"], product["version"]) == (stated["title"], __version__)
    installed = _inside(image, "python", "-c", _INSTALLED).split()
    assert {each["purl"] for each in bill["components"]} >= {f"pkg:pypi/{name}" for name in installed}
    assert any(each["purl"].startswith("pkg:deb/debian/libc6@") for each in bill["components"])


_INSTALLED = """\
import re
from importlib.metadata import distributions
for each in distributions(path=["/opt/venv/lib/python3.12/site-packages"]):
    print(re.sub("[-_.]+", "-", each.metadata["Name"]).lower() + "@" + each.version)
"""


def test_its_commands_answer_without_network_or_rights(configuration: Path) -> None:
    """What people try first, and what only reads the configuration."""
    command = ["docker", "run", "--rm", *_LOCKED, "--network=none"]
    command += ["--volume", f"{configuration}:/etc/config-remediator/config.toml:ro", _IMAGE]
    for arguments in (["--help"], ["--version"], ["ram-policy", "--config", "/etc/config-remediator/config.toml"]):
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout


def test_it_checks_its_configuration_locked_down(configuration: Path, emulator_process: Emulator) -> None:
    """`check` in a container as the worker's, with the queue and the rights as they are."""
    known = emulator_process.endpoints
    out = _docker(
        *("run", "--rm", *_LOCKED, "--network=host"),
        *("--volume", f"{configuration}:/etc/config-remediator/config.toml:ro"),
        *("--env", f"ALIBABA_CLOUD_ACCESS_KEY_ID={known.access_key_id}"),
        *("--env", f"ALIBABA_CLOUD_ACCESS_KEY_SECRET={known.access_key_secret}"),
        *(_IMAGE, "check", "--config", "/etc/config-remediator/config.toml"),
    )
    assert "config-events" in out
