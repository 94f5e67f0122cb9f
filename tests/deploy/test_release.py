"""`make release`: what people download, the same bytes from the same commit, and the workflow that publishes it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from consumer import __version__
from tests.deploy.locks import read
from tests.deploy.needed import ROOT, package, program

_EPOCH = "1750000000"
_WORKFLOW = ROOT / ".github/workflows/release.yml"
_LEFT_OUT = (".git", ".venv", ".*_cache", ".hypothesis", ".coverage*", "__pycache__", "dist", "mutants", "results")
_NAMES = [
    "SHA256SUMS",
    f"config-remediator-{__version__}-reevaluate.lock.txt",
    f"config-remediator-{__version__}-worker.lock.txt",
    f"config-remediator-{__version__}.cdx.json",
    f"config-remediator-{__version__}.tgz",
    f"config_remediator-{__version__}-py3-none-any.whl",
    f"config_remediator-{__version__}.tar.gz",
]


def _build(source: Path, out: Path, *arguments: str, umask: int = 0o022) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "scripts/release.py", "--source", str(source), "--out", str(out), *arguments]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _EPOCH}
    return subprocess.run(
        command, cwd=source, env=environment, capture_output=True, text=True, check=False, umask=umask
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree without its history, as somebody unpacks it."""
    for name in ("hatchling", "cyclonedx_py"):
        package(name)
    folder = tmp_path_factory.mktemp("source") / "tree"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    return folder


@pytest.fixture(scope="module")
def released(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a release consists of."""
    out = tmp_path_factory.mktemp("released") / "dist"
    done = _build(copy, out)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == _NAMES
    return out


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_it_consists_of_this(released: Path) -> None:
    """Nothing is missing and nothing was left behind by a step."""
    assert sorted(path.name for path in released.iterdir()) == _NAMES


def test_the_checksums_are_those_of_the_files(released: Path) -> None:
    """`sha256sum --check` agrees, and no file stays out of it."""
    listed = dict(reversed(line.split("  ")) for line in (released / "SHA256SUMS").read_text("utf-8").splitlines())
    assert listed == {name: digest for name, digest in _digests(released).items() if name != "SHA256SUMS"}


def test_the_same_commit_gives_the_same_bytes(released: Path, copy: Path, tmp_path: Path) -> None:
    """Also from a checkout, under another umask, later, and with byte code and notes of somebody's lying about."""
    again = tmp_path / "again"
    shutil.copytree(copy, again, copy_function=shutil.copyfile)  # with modes and times of its own
    for path in ("scripts/environment", "scripts/release.py", ".ci/run"):
        (again / path).chmod(0o700)
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
        subprocess.run([*git, *command], cwd=again, check=True)
    (again / "consumer/__pycache__").mkdir()
    for stray in ("consumer/__pycache__/left.cpython-311.pyc", "demo/left.pyc", "emulator/notes.txt"):
        (again / stray).write_bytes(b"not in it")
    done = _build(again, tmp_path / "dist", umask=0o077)
    assert done.returncode == 0, done.stderr
    assert _digests(tmp_path / "dist") == _digests(released)


def test_the_source_gives_the_same_wheel(released: Path, tmp_path: Path) -> None:
    """Who builds from the sdist installs what is published."""
    with tarfile.open(released / _NAMES[-1]) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.3 and older have none
        archive.extractall(tmp_path)  # noqa: S202 - our own
    (tree,) = tmp_path.iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path / "dist")]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _EPOCH}
    subprocess.run(command, cwd=tree, env=environment, capture_output=True, check=True)
    wheel = f"config_remediator-{__version__}-py3-none-any.whl"
    assert (tmp_path / "dist" / wheel).read_bytes() == (released / wheel).read_bytes()


def test_both_archives_have_the_license(released: Path) -> None:
    """Whole, as the licence itself demands of who passes it on."""
    text = (ROOT / "LICENSE").read_bytes()
    with ZipFile(released / _NAMES[-2]) as wheel, tarfile.open(released / _NAMES[-1]) as source:
        assert wheel.read(f"config_remediator-{__version__}.dist-info/licenses/LICENSE") == text
        file = source.extractfile(f"config_remediator-{__version__}/LICENSE")
        assert file is not None
        assert file.read() == text


def test_the_bill_of_materials_names_the_product_and_all_that_is_locked(released: Path) -> None:
    """By name and version, in CycloneDX; each package with the hashes of the lock."""
    bill = json.loads((released / _NAMES[3]).read_text("utf-8"))
    product = bill["metadata"]["component"]
    assert (bill["bomFormat"], product["name"], product["version"]) == ("CycloneDX", "config-remediator", __version__)
    assert product["type"] == "application"
    assert [each["license"]["id"] for each in product["licenses"] if "license" in each] == ["Apache-2.0"]
    locked = {entry.name: entry.version for entry in read((ROOT / "requirements/reevaluate.txt").read_text("utf-8"))}
    listed = {each["name"].lower().replace("_", "-").replace(".", "-"): each for each in bill["components"]}
    assert {name: each["version"] for name, each in listed.items()} == locked
    assert all(each["externalReferences"][0]["hashes"] for each in listed.values())
    worker = {entry.name for entry in read((ROOT / "requirements/worker.txt").read_text("utf-8"))}
    assert worker <= locked.keys()


def test_the_chart_installs(released: Path) -> None:
    """Helm takes the archive, and it is the folder's chart."""
    package("helm_python")
    from helm_python import Chart

    values = {"image": {"repository": "registry.example.com/it"}, "config": "account_id = 1"}
    made = [Chart.load(path) for path in (released / _NAMES[4], ROOT / "deploy/helm/config-remediator")]
    first, second = (chart.render(values, name="x", namespace="y") for chart in made)
    assert made[0].version == __version__
    assert first == second


def test_a_tag_of_another_version_is_refused(copy: Path, tmp_path: Path) -> None:
    """Before anything is built, in one line."""
    done = _build(copy, tmp_path / "dist", "--tag", "v99.0.0")
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr == f"release: the tag v99.0.0 is not that of version {__version__}, which would be v{__version__}\n"
    )
    assert not (tmp_path / "dist").exists()


def test_a_copy_without_history_needs_a_moment(copy: Path, tmp_path: Path) -> None:
    """Rather than to take the clock's, which would be another one each time."""
    command = [sys.executable, "scripts/release.py", "--source", str(copy), "--out", str(tmp_path / "dist")]
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "set SOURCE_DATE_EPOCH" in done.stderr


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    """The forge's."""
    loaded: dict[str, Any] = yaml.safe_load(_WORKFLOW.read_text("utf-8"))
    return loaded


def test_the_workflow_is_one(workflow: dict[str, Any]) -> None:
    """By the schema that editors and linters use."""
    check = program("check-jsonschema", "make test installs it from requirements/dev.txt")
    command = [check, "--builtin-schema", "vendor.github-workflows", str(_WORKFLOW)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_workflow_is_safe() -> None:
    """The linter of such files finds nothing, in its strictest mood and without a network."""
    zizmor = program("zizmor", "make test installs it from requirements/dev.txt")
    command = [zizmor, "--offline", "--no-progress", "--no-config", "--persona", "auditor", str(_WORKFLOW)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_has_least_rights(workflow: dict[str, Any]) -> None:
    """None by itself; each job names its own, and what builds and tests can write nothing and prove no identity."""
    assert workflow["permissions"] == {}
    rights = {name: job["permissions"] for name, job in workflow["jobs"].items()}
    assert rights == {
        "build": {"contents": "read"},
        "release": {"contents": "write", "id-token": "write", "attestations": "write"},
        "index": {"id-token": "write"},
        "chart": {"packages": "write"},
        "images": {"contents": "read", "packages": "write", "id-token": "write", "attestations": "write"},
    }
    assert all("environment" in job for name, job in workflow["jobs"].items() if "id-token" in rights[name])
    assert "secrets." not in _WORKFLOW.read_text("utf-8")


def test_every_action_is_pinned_by_commit() -> None:
    """A tag can be moved; the comment says which version the commit is, for people and for update bots."""
    used = re.findall(r"uses: (.*)", _WORKFLOW.read_text("utf-8"))
    assert len(used) >= 8
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[0-9.]+", each)] == []
    pins: dict[str, set[str]] = {}
    for each in used:
        pins.setdefault(each.partition("@")[0], set()).add(each)
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}


def test_everything_is_tested_before_anything_is_published(workflow: dict[str, Any]) -> None:
    """Each job that publishes waits for the one that runs the suite; only a version's tag starts any."""
    jobs = workflow["jobs"]
    assert workflow[True] == {"push": {"tags": ["v[0-9]*"]}}  # `on`, as YAML 1.1 reads it
    assert any(".ci/run" in step.get("run", "") for step in jobs["build"]["steps"])
    needs = {name: job["needs"] for name, job in jobs.items() if name != "build"}
    assert needs == {"release": "build", "index": "release", "chart": "release", "images": "build"}
    called = set(re.findall(r"(?:^|[ ;])((?:scripts|\.ci)/[\w.-]+)", _WORKFLOW.read_text("utf-8"), re.MULTILINE))
    assert called == {".ci/run", "scripts/push-image", "scripts/release.py"}
    assert all(os.access(ROOT / path, os.X_OK) for path in called)


_DOCKER = """\
#!/bin/sh
printf '%s\\n' "$*" >>"$CALLS"
case "$*" in
  "buildx imagetools inspect"*) echo sha256:{base} ;;
  "buildx create"*) echo one ;;
  "buildx build"*)
    while [ "$1" != --metadata-file ]; do shift; done
    printf '{{\\n  "containerimage.digest": "sha256:{image}"\\n}}\\n' >"$2" ;;
esac
""".format(base="b" * 64, image="c" * 64)


def test_every_image_that_the_pages_name_is_published(workflow: dict[str, Any]) -> None:
    """The worker with either lock, and the emulator; nobody has to build one for what needs the extras."""
    images = workflow["jobs"]["images"]
    assert [(each["target"], each["name"], each["lock"]) for each in images["strategy"]["matrix"]["include"]] == [
        ("worker", "config-remediator", ""),
        ("worker", "config-remediator", "reevaluate"),
        ("emulator", "config-remediator-emulator", ""),
    ]


@pytest.mark.parametrize(
    "arguments",
    [(), ("worker",), ("other", "x"), ("emulator", "x", "reevaluate"), ("worker", "x", "dev"), ("worker", "x", "", "")],
)
def test_an_image_that_is_none_is_refused(arguments: tuple[str, ...]) -> None:
    """Before anything is built."""
    command = [str(ROOT / "scripts/push-image"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: scripts/push-image worker|emulator NAME")


@pytest.mark.parametrize(("more", "tag"), [((), __version__), (("reevaluate",), f"{__version__}-reevaluate")])
def test_an_image_is_pushed_with_all_its_labels(more: tuple[str, ...], tag: str, tmp_path: Path) -> None:
    """Each build argument is one of the file's, none of them stays unknown, and the result is a digest."""
    (tmp_path / "docker").write_text(_DOCKER, encoding="utf-8")
    (tmp_path / "docker").chmod(0o755)
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "scripts", tree / "scripts")
    (tree / "consumer").mkdir()
    shutil.copyfile(ROOT / "consumer/__init__.py", tree / "consumer/__init__.py")
    shutil.copyfile(ROOT / "Dockerfile", tree / "Dockerfile")
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
        subprocess.run([*git, *command], cwd=tree, check=True)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls")}
    environment |= {"SOURCE": "https://forge.example.com/team/it", "GITHUB_OUTPUT": str(tmp_path / "output")}
    done = subprocess.run(
        ["scripts/push-image", "worker", "registry.example.com/it", *more],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"registry.example.com/it:{tag}@sha256:{'c' * 64}\n"
    (call,) = [line for line in (tmp_path / "calls").read_text("utf-8").splitlines() if "buildx build" in line]
    given = dict(each.split("=", 1) for each in re.findall(r"--build-arg (\S+)", call))
    assert given["PYTHON_IMAGE"] == f"{given['BASE_NAME']}@sha256:{'b' * 64}"
    assert f"--tag registry.example.com/it:{tag} " in call
    assert (given["LOCK"], given["VERSION"]) == (more[0] if more else "worker", __version__)
    assert given["SOURCE"] == "https://forge.example.com/team/it"
    assert re.fullmatch(r"[0-9a-f]{40}", given["REVISION"])
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert "\nARG LOCK=worker\n" in dockerfile
    for target in ("emulator", "worker"):
        (stage,) = re.findall(rf"^FROM runtime AS {target}\n(.*?)^COPY", dockerfile, re.MULTILINE | re.DOTALL)
        assert set(re.findall(r"^ARG (\w+)", stage, re.MULTILINE)) == given.keys() - {"PYTHON_IMAGE", "LOCK"}
        labels = set(re.findall(r"org\.opencontainers\.image\.([\w.]+)=", stage))
        assert {"source", "revision", "version", "created", "licenses", "base.name", "base.digest"} <= labels
    assert (tmp_path / "output").read_text("utf-8") == (f"name=registry.example.com/it\ndigest=sha256:{'c' * 64}\n")
