"""Where the images of a release come from, what they are labelled with, and how they are pushed; docker is played here.

tests/deploy/test_image_live.py has what was built really.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from consumer import __version__
from scripts.release.images import IMAGES
from tests.deploy.images import DOCKER, digest, save
from tests.deploy.needed import ROOT

_REVISION = "5" * 40
_SOURCE = "https://forge.example.com/team/it"
_BASE = "python:3.12-slim-bookworm"
_BUILD = """\
import sys
from pathlib import Path
from scripts.release import images
commit = images.Commit("{version}", "{revision}", "{source}", 1750000000)
print(images.build(Path(sys.argv[1]), commit, Path(sys.argv[2])).reference)
"""


@dataclass(frozen=True, slots=True)
class Docker:
    """The played one: its environment, and how it was called."""

    environment: dict[str, str]
    folder: Path

    def calls(self, command: str) -> list[str]:
        lines = (self.folder / "calls").read_text("utf-8").splitlines()
        return [line for line in lines if line.startswith(f"{command} ")]

    def build(self, **more: str) -> subprocess.CompletedProcess[str]:
        """Build every image into the folder `out`."""
        (self.folder / "out").mkdir()
        code = _BUILD.format(version=__version__, revision=_REVISION, source=_SOURCE)
        command = [sys.executable, "-c", code, str(ROOT), str(self.folder / "out")]
        return _run(command, self.environment | more)


def _run(command: list[str], environment: dict[str, str], folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    """One with a registry behind it, which builds a small image."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").write_text(DOCKER, encoding="utf-8")
    (tmp_path / "bin/docker").chmod(0o755)
    layer = save(tmp_path / "saved.tar", built=1_760_000_000)
    base = [{"RepoDigests": [f"python@sha256:{'b' * 64}"], "RootFS": {"Layers": [layer]}}]
    (tmp_path / "base.json").write_text(json.dumps(base), encoding="utf-8")
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("PYTHON_IMAGE", "IMAGE_BUILD_OPTIONS")},
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "BASE": str(tmp_path / "base.json"),
        "SAVED": str(tmp_path / "saved.tar"),
        "DOWN": "",
        "OFFLINE": "",
    }
    return Docker(environment, tmp_path)


def test_each_image_is_built_with_all_its_labels(docker: Docker) -> None:
    """Each build argument is one of the file's, none of them stays unknown, and the base is pinned by its digest."""
    done = docker.build(IMAGE_BUILD_OPTIONS="--network=host --no-cache")
    assert (done.returncode, done.stdout) == (0, f"{_BASE}@sha256:{'b' * 64}\n"), done.stderr
    archives = {path.name for path in (docker.folder / "out").iterdir()}
    prefix = f"config-remediator-{__version__}"
    assert archives == {f"{prefix}-{each}.oci.tar" for each in ("worker", "worker-reevaluate", "emulator")}
    calls = docker.calls("build")
    built = [re.findall(r"--target (\S+).* LOCK=(\S+)", call)[0] for call in calls]
    assert built == [("worker", "worker"), ("worker", "reevaluate"), ("emulator", "worker")]
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    for call in calls:
        given = dict(each.split("=", 1) for each in re.findall(r"--build-arg (\S+)", call))
        assert given["PYTHON_IMAGE"] == f"{given['BASE_NAME']}@{given['BASE_DIGEST']}" == f"{_BASE}@sha256:{'b' * 64}"
        assert (given["VERSION"], given["REVISION"], given["SOURCE"]) == (__version__, _REVISION, _SOURCE)
        assert given["CREATED"] == "2025-06-15T15:06:40Z"
        assert call.endswith(" --network=host --no-cache .")
        for target in ("emulator", "worker"):
            (stage,) = re.findall(rf"^FROM runtime AS {target}\n(.*?)^COPY", dockerfile, re.MULTILINE | re.DOTALL)
            assert set(re.findall(r"^ARG (\w+)", stage, re.MULTILINE)) == given.keys() - {"PYTHON_IMAGE", "LOCK"}
            labels = set(re.findall(r"org\.opencontainers\.image\.([\w.]+)=", stage))
            assert {"source", "revision", "version", "created", "licenses", "base.name", "base.digest"} <= labels


def test_an_earlier_base_can_be_named(docker: Docker) -> None:
    """That of a release which is to be built again."""
    earlier = f"{_BASE}@sha256:{'e' * 64}"
    done = docker.build(PYTHON_IMAGE=earlier)
    assert (done.returncode, done.stdout) == (0, f"{earlier}\n"), done.stderr
    assert f" {earlier}" in docker.calls("pull")[0]
    assert f"BASE_NAME={_BASE} " in docker.calls("build")[0]


def test_a_base_of_this_machine_is_used_and_said_so(docker: Docker) -> None:
    """Where the registry does not answer; without a digest the label says that nobody knows it."""
    layers = [digest(b"other")]
    Path(docker.environment["BASE"]).write_text(
        json.dumps([{"RepoDigests": [], "RootFS": {"Layers": layers}}]), "utf-8"
    )
    done = docker.build(OFFLINE="1")
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"release: the base {_BASE} is this machine's own copy, not pulled from its registry\n"
    assert f"PYTHON_IMAGE={_BASE} " in docker.calls("build")[0]
    assert "BASE_DIGEST=unknown " in docker.calls("build")[0]


def test_without_a_base_nothing_is_built(docker: Docker) -> None:
    """And the reason is the registry's own."""
    Path(docker.environment["BASE"]).unlink()
    done = docker.build(OFFLINE="1")
    assert done.returncode != 0
    assert f"the base {_BASE} can be neither pulled nor found here:\nno route to the registry" in done.stderr
    assert docker.calls("build") == []


@pytest.mark.parametrize("missing", [False, True], ids=["down", "missing"])
def test_images_cannot_be_demanded_where_no_daemon_answers(missing: bool, docker: Docker) -> None:
    """`--images yes` fails before anything is built. tests/deploy/test_release.py builds the rest without them."""
    environment = docker.environment | {"DOWN": "1", "SOURCE_DATE_EPOCH": "1750000000", "SOURCE_REVISION": _REVISION}
    if missing:
        environment["PATH"] = str(docker.folder)
    command = [sys.executable, "-m", "scripts.release", "--out", str(docker.folder / "dist"), "--images", "yes"]
    done = _run(command, environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert "release: no images can be built: no docker daemon answers `docker version`\n" in done.stderr
    assert not (docker.folder / "dist").exists()


_SKOPEO = """\
#!/bin/sh
printf '%s\\n' "$*" >>"$CALLS"
while [ "$1" != --digestfile ]; do shift; done
printf sha256:{image} >"$2"
""".format(image="c" * 64)


@pytest.mark.parametrize(
    "arguments",
    [(), ("worker",), ("other", "x"), ("emulator", "x", "reevaluate"), ("worker", "x", "dev"), ("worker", "x", "", "")],
)
def test_an_image_that_is_none_is_refused(arguments: tuple[str, ...]) -> None:
    """Before anything is pushed."""
    done = _run([str(ROOT / "scripts/push-image"), *arguments], dict(os.environ))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: scripts/push-image worker|emulator NAME")


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.target + image.suffix)
def test_an_image_is_pushed_as_it_was_built(image: object, tmp_path: Path) -> None:
    """The very archive, under its version; without one it says how to get it."""
    (which,) = [each for each in IMAGES if each is image]
    (tmp_path / "skopeo").write_text(_SKOPEO, encoding="utf-8")
    (tmp_path / "skopeo").chmod(0o755)
    tree = tmp_path / "tree"
    (tree / "consumer").mkdir(parents=True)
    (tree / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/push-image", tree / "scripts/push-image")
    shutil.copyfile(ROOT / "consumer/__init__.py", tree / "consumer/__init__.py")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls")}
    environment |= {"GITHUB_OUTPUT": str(tmp_path / "output")}
    command = ["scripts/push-image", which.target, "registry.example.com/it", *which.suffix.split("-")[1:]]
    done = _run(command, environment, tree)
    archive = f"dist/{which.archive(__version__)}"
    assert done.returncode == 1
    assert done.stderr == f"push-image: there is no {archive}: make release builds it where a docker daemon answers\n"
    (tree / "dist").mkdir()
    (tree / archive).touch()
    done = _run(command, environment, tree)
    pushed = f"registry.example.com/it:{__version__}{which.suffix}"
    assert (done.returncode, done.stdout) == (0, f"{pushed}@sha256:{'c' * 64}\n"), done.stderr
    (call,) = (tmp_path / "calls").read_text("utf-8").splitlines()
    assert "--preserve-digests" in call
    assert call.endswith(f"oci-archive:{archive} docker://{pushed}")
    assert (tmp_path / "output").read_text("utf-8") == f"name=registry.example.com/it\ndigest=sha256:{'c' * 64}\n"
