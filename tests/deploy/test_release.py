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
from markdown_it import MarkdownIt

from consumer import __version__
from scripts.release.links import make_absolute
from scripts.release.steps import ReleaseError
from tests.deploy.locks import read
from tests.deploy.needed import ROOT, package, program

_EPOCH = "1750000000"
_REVISION = "5" * 40
_WORKFLOW = ROOT / ".github/workflows/release.yml"
_LEFT_OUT = (".git", ".venv", ".*_cache", ".hypothesis", ".coverage*", "__pycache__", "dist", "mutants", "results")
_NAMES = [
    "CHANGELOG.md",
    "SHA256SUMS",
    f"config-remediator-{__version__}-reevaluate.lock.txt",
    f"config-remediator-{__version__}-worker.lock.txt",
    f"config-remediator-{__version__}.cdx.json",
    f"config-remediator-{__version__}.provenance.json",
    f"config-remediator-{__version__}.tgz",
    f"config_remediator-{__version__}-py3-none-any.whl",
    f"config_remediator-{__version__}.tar.gz",
]


def _build(
    tree: Path, out: Path, *arguments: str, umask: int = 0o022, path: str = "", source: str = ""
) -> subprocess.CompletedProcess[str]:
    """Without images unless `path` has a docker of its own; tests/deploy/test_release_images.py is about those."""
    command = [sys.executable, "-m", "scripts.release", "--source", str(tree), "--out", str(out), *arguments]
    command += [] if path else ["--images", "no"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _EPOCH, "SOURCE_REVISION": _REVISION, "SOURCE": source}
    environment["PATH"] = f"{path}{os.pathsep * bool(path)}{os.environ['PATH']}"
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False, umask=umask)


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
    """What a release consists of where docker is installed, but its daemon is not running."""
    out = tmp_path_factory.mktemp("released") / "dist"
    (out.parent / "docker").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (out.parent / "docker").chmod(0o755)
    done = _build(copy, out, path=str(out.parent))
    assert (done.returncode, done.stderr) == (0, "release: no images: no docker daemon answers `docker version`\n")
    assert done.stdout.splitlines() == _NAMES
    return out


def _description(archive: Path) -> str:
    """What a package index shows of a wheel."""
    with ZipFile(archive) as wheel:
        metadata = wheel.read(f"config_remediator-{__version__}.dist-info/METADATA").decode("utf-8")
    return metadata.partition("\n\n")[2]


def _links(text: str) -> list[str]:
    """Every address that a link or a picture of the page leads to, by a parser that is not ours."""
    todo, found = MarkdownIt().enable("table").parse(text), []
    while todo:
        token = todo.pop(0)
        todo = [*(token.children or ()), *todo]
        found += [str(token.attrs[name]) for name in ("href", "src") if name in token.attrs]
    return found


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_it_consists_of_this(released: Path) -> None:
    """Nothing is missing and nothing was left behind by a step."""
    assert sorted(path.name for path in released.iterdir()) == _NAMES


def test_the_checksums_are_those_of_the_files(released: Path) -> None:
    """`sha256sum --check` agrees, and no file stays out of it."""
    listed = dict(reversed(line.split("  ")) for line in (released / "SHA256SUMS").read_text("utf-8").splitlines())
    assert listed == {name: digest for name, digest in _digests(released).items() if name != "SHA256SUMS"}


def _documented(page: str) -> list[str]:
    """What the page has its reader type to compare the checksums."""
    (line,) = re.findall(r"^sha256sum .*$", (ROOT / "docs" / page).read_text("utf-8"), re.MULTILINE)
    return str(line).split()


@pytest.mark.parametrize("page", ["install.md", "releasing.md"])
@pytest.mark.parametrize("name", [name for name in _NAMES if name != "SHA256SUMS"])
def test_one_file_of_a_release_is_enough_to_check_it(page: str, name: str, released: Path, tmp_path: Path) -> None:
    """Nobody has to download the rest; a changed file is found, and so is that there is none."""
    command = _documented(page)
    shutil.copyfile(released / "SHA256SUMS", tmp_path / "SHA256SUMS")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0
    shutil.copyfile(released / name, tmp_path / name)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"{name}: OK\n"), done.stderr
    with (tmp_path / name).open("ab") as file:
        file.write(b"x")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_the_provenance_names_the_commit_and_every_file(released: Path) -> None:
    """What to take to build the same again, and which bytes come out."""
    statement = json.loads((released / f"config-remediator-{__version__}.provenance.json").read_text("utf-8"))
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    digests = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}
    stated = {name for name in _NAMES if not name.startswith("SHA256") and not name.endswith(".provenance.json")}
    assert digests == {name: digest for name, digest in _digests(released).items() if name in stated}
    definition = statement["predicate"]["buildDefinition"]
    assert definition["externalParameters"] == {"version": __version__, "sourceDateEpoch": int(_EPOCH)}
    assert definition["resolvedDependencies"] == [{"uri": "git+unknown", "digest": {"gitCommit": _REVISION}}]


def test_the_same_commit_gives_the_same_bytes(released: Path, copy: Path, tmp_path: Path) -> None:
    """Also from a checkout, under another umask, later, and with byte code and notes of somebody's lying about."""
    again = tmp_path / "again"
    shutil.copytree(copy, again, copy_function=shutil.copyfile)  # with modes and times of its own
    for path in ("scripts/environment", ".ci/run"):
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
    """Who builds from the sdist, with the moment that the provenance names, installs what is published."""
    with tarfile.open(released / _NAMES[-1]) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.3 and older have none
        archive.extractall(tmp_path)  # noqa: S202 - our own
    (tree,) = tmp_path.iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path / "dist")]
    statement = json.loads((released / f"config-remediator-{__version__}.provenance.json").read_text("utf-8"))
    moment = statement["predicate"]["buildDefinition"]["externalParameters"]["sourceDateEpoch"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(moment)}
    subprocess.run(command, cwd=tree, env=environment, capture_output=True, check=True)
    wheel = f"config_remediator-{__version__}-py3-none-any.whl"
    assert (tmp_path / "dist" / wheel).read_bytes() == (released / wheel).read_bytes()


def test_the_links_of_the_description_lead_to_the_source_of_that_version(copy: Path, tmp_path: Path) -> None:
    """An index shows the README without the files beside it; the sdist has the same, and so has what is built of it."""
    done = _build(copy, tmp_path / "dist", source="https://forge.example/owner/it/")
    assert done.returncode == 0, done.stderr
    shown = _description(tmp_path / "dist" / _NAMES[-2])
    with tarfile.open(tmp_path / "dist" / _NAMES[-1]) as archive:
        file = archive.extractfile(f"config_remediator-{__version__}/README.md")
        assert file is not None
        assert file.read().decode("utf-8") == shown
    before, after = _links((ROOT / "README.md").read_text("utf-8")), _links(shown)
    base, tag = "https://forge.example/owner/it", f"v{__version__}"
    assert f"{base}/blob/{tag}/docs/operating.md#health" in after
    assert f"{base}/raw/{tag}/docs/images/dashboard-overview.png" in after
    assert f"{base}/tree/{tag}/docs/decisions" in after
    assert after == [each if "://" in each else f"{base}/{_kind_of_view(each)}/{tag}/{each}" for each in before]
    assert (copy / "README.md").read_bytes() == (ROOT / "README.md").read_bytes()


def _kind_of_view(target: str) -> str:
    return "tree" if (ROOT / target).is_dir() else "raw" if target.endswith(".png") else "blob"


def test_without_an_address_no_link_is_made_up(released: Path) -> None:
    """Nobody but the publisher knows where the source is."""
    assert _description(released / _NAMES[-2]) == (ROOT / "README.md").read_text("utf-8")


def test_a_link_of_the_description_to_nothing_ends_the_release(tmp_path: Path) -> None:
    """Before anything is built, and by name; what leads elsewhere anyway is left alone."""
    page = tmp_path / "README.md"
    page.write_text("[a](https://a.example/x) [b](#b) [c](docs/gone.md#x)\n", "utf-8")
    with pytest.raises(ReleaseError, match=r"README\.md links to docs/gone\.md#x, which does not exist"):
        make_absolute(tmp_path, "https://forge.example/it", "1.0")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/gone.md").touch()
    make_absolute(tmp_path, "https://forge.example/it", "1.0")
    link = "https://forge.example/it/blob/v1.0/docs/gone.md#x"
    assert page.read_text("utf-8") == f"[a](https://a.example/x) [b](#b) [c]({link})\n"


def test_the_changelog_lies_beside_the_files(released: Path) -> None:
    """Whoever upgrades without a checkout reads the version's entry first, as docs/install.md says."""
    assert (released / "CHANGELOG.md").read_bytes() == (ROOT / "CHANGELOG.md").read_bytes()


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
    bill = json.loads((released / _NAMES[4]).read_text("utf-8"))
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
    made = [
        Chart.load(path)
        for path in (released / f"config-remediator-{__version__}.tgz", ROOT / "deploy/helm/config-remediator")
    ]
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
    command = [sys.executable, "-m", "scripts.release", "--source", str(copy), "--out", str(tmp_path / "dist")]
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
    assert called == {".ci/run", "scripts/push-image"}
    assert all(os.access(ROOT / path, os.X_OK) for path in called)


def test_the_images_that_are_pushed_are_those_that_were_built_and_tested(workflow: dict[str, Any]) -> None:
    """Built twice, the second time without a cache, then tested, and handed on: the job that pushes builds nothing."""
    build, push = workflow["jobs"]["build"]["steps"], workflow["jobs"]["images"]["steps"]
    names = [step.get("name", step.get("uses", "").partition("@")[0]) for step in build]
    twice, tested, kept = (
        names.index(each)
        for each in (
            "Build, once more somewhere else, and compare",
            "Test the images that were built",
            "actions/upload-artifact",
        )
    )
    assert twice < tested < kept
    assert build[twice]["env"]["RELEASE_IMAGES"] == "yes"
    assert "IMAGE_BUILD_OPTIONS=--no-cache" in build[twice]["run"]
    assert "IMAGE_UNDER_TEST=" in build[tested]["run"]
    assert "tests/deploy/test_image_live.py" in build[tested]["run"]
    assert [step["with"]["path"] for step in push if "download-artifact" in step.get("uses", "")] == ["dist"]
    assert not any("docker build" in step.get("run", "") or "make" in step.get("run", "") for step in push)


def test_every_image_that_the_pages_name_is_published(workflow: dict[str, Any]) -> None:
    """The worker with either lock, and the emulator; nobody has to build one for what needs the extras."""
    images = workflow["jobs"]["images"]
    assert [(each["target"], each["name"], each["lock"]) for each in images["strategy"]["matrix"]["include"]] == [
        ("worker", "config-remediator", ""),
        ("worker", "config-remediator", "reevaluate"),
        ("emulator", "config-remediator-emulator", ""),
    ]
