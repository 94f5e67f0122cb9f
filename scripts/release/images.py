"""The images of a release: built by whatever docker daemon answers, written as OCI archives."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from scripts.release.archive import Writer
from scripts.release.steps import ReleaseError, run

_PLATFORM = "linux/amd64"


@dataclass(frozen=True, slots=True)
class Image:
    """One of the images: a target of the Dockerfile, the lock of its packages, and what it is called."""

    target: str
    lock: str
    name: str
    suffix: str = ""
    """Of its tag."""

    def archive(self, version: str) -> str:
        """Its file in a release."""
        return f"config-remediator-{version}-{self.target}{self.suffix}.oci.tar"


IMAGES = (
    Image("worker", "worker", "config-remediator"),
    Image("worker", "reevaluate", "config-remediator", "-reevaluate"),
    Image("emulator", "worker", "config-remediator-emulator"),
)


@dataclass(frozen=True, slots=True)
class Base:
    """What the images stand on; the digest is empty where no registry named one, as on a machine without network."""

    name: str
    digest: str
    layers: tuple[str, ...]

    @property
    def reference(self) -> str:
        return f"{self.name}@{self.digest}" if self.digest else self.name


@dataclass(frozen=True, slots=True)
class Commit:
    """What is built: version, commit and where it is published (`unknown` if nobody says), and the commit's time."""

    version: str
    revision: str
    source: str
    epoch: int


def engine() -> str:
    """The version of the docker daemon; empty if none answers."""
    if shutil.which("docker") is None:
        return ""
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - docker
    return done.stdout.strip() if done.returncode == 0 else ""


def build(tree: Path, commit: Commit, out: Path) -> Base:
    """Build every image from the exported `tree` into `out`; returns the base that all of them have.

    `PYTHON_IMAGE` names another base than the Dockerfile's, such as the digest of an earlier release;
    `IMAGE_BUILD_OPTIONS` is added to each `docker build`.

    Raises:
        ReleaseError: the base cannot be had, or a build failed.
    """
    base = _base(tree)
    with tempfile.TemporaryDirectory(prefix="config-remediator-images-") as name:
        folder = Path(name)
        writer = Writer(folder, commit.epoch, base.layers)
        for image in IMAGES:
            _build(tree, image, commit, base, folder / "id")
            identity = (folder / "id").read_text("utf-8").strip()
            run(["docker", "save", "--output", str(folder / "saved.tar"), identity], tree)
            tag = f"{image.name}:{commit.version}{image.suffix}"
            writer.write(folder / "saved.tar", tag, out / image.archive(commit.version))
    return base


def _base(tree: Path) -> Base:
    found = re.search(r"^ARG PYTHON_IMAGE=(\S+)$", (tree / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise ReleaseError("the Dockerfile names no PYTHON_IMAGE")
    wanted = os.environ.get("PYTHON_IMAGE") or found[1]
    pull = ["docker", "pull", "--quiet", "--platform", _PLATFORM, wanted]
    pulled = subprocess.run(pull, capture_output=True, text=True, check=False)  # noqa: S603 - docker
    inspected = subprocess.run(["docker", "image", "inspect", wanted], capture_output=True, text=True, check=False)  # noqa: S603, S607 - docker
    if inspected.returncode != 0:
        raise ReleaseError(f"the base {wanted} can be neither pulled nor found here:\n{pulled.stderr}")
    (image,) = json.loads(inspected.stdout)
    name, _, digest = wanted.partition("@")
    if not digest:
        known = [each.partition("@")[2] for each in image.get("RepoDigests") or ()]
        digest = known[0] if known else ""
    if pulled.returncode != 0 or not digest:
        sys.stderr.write(f"release: the base {wanted} is this machine's own copy, not pulled from its registry\n")
    return Base(name, digest, tuple(image["RootFS"]["Layers"]))


def _build(tree: Path, image: Image, commit: Commit, base: Base, identity: Path) -> None:
    arguments = {
        "PYTHON_IMAGE": base.reference,
        "BASE_NAME": base.name,
        "BASE_DIGEST": base.digest or "unknown",
        "LOCK": image.lock,
        "VERSION": commit.version,
        "REVISION": commit.revision,
        "CREATED": datetime.fromtimestamp(commit.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "SOURCE": commit.source,
    }
    command = ["docker", "build", "--quiet", "--target", image.target, "--platform", _PLATFORM]
    command += ["--iidfile", str(identity)]
    for name, value in arguments.items():
        command += ["--build-arg", f"{name}={value}"]
    command += [*shlex.split(os.environ.get("IMAGE_BUILD_OPTIONS", "")), "."]
    run(command, tree, {**os.environ, "DOCKER_BUILDKIT": "1"})
