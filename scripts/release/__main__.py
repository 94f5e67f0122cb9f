"""`python -m scripts.release`: builds what a release consists of, from the commit that is checked out.

    wheel and sdist      with LICENSE, examples, dashboards, alert rules, and the demonstration with its emulator
    locks                what `pip install --require-hashes` takes beside the wheel
    chart                what `helm install` takes
    bill of materials    CycloneDX, of the product by its name and version and of every package in the largest lock
    images               as OCI archives, where a docker daemon answers
    CHANGELOG.md         what an upgrade brings
    provenance           of what and with what all of these were made
    SHA256SUMS           of all of these

It builds from an export of the commit: what is not committed does not get in, be it byte code or somebody's notes.
Only the README's links are made absolute in it, where the environment says where the source is published.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from scripts.release import images as built_images
from scripts.release import links, provenance
from scripts.release.images import Commit
from scripts.release.steps import ReleaseError, run

_ROOT = Path(__file__).resolve().parents[2]
_LOCKS = ("worker", "reevaluate")
"""The locks that are published; the last one holds the others."""
_WITHOUT_GIT = (
    *(".git", ".venv", "dist", "mutants", "*.egg-info"),
    *("__pycache__", "*.pyc", ".*_cache", ".hypothesis", ".coverage*"),  # come and go while tests run
)


def main() -> None:
    """Build into the folder that was asked for, dist/ by default, and list what is in it."""
    parser = argparse.ArgumentParser(description="Build wheel, sdist, locks, images, bill of materials and checksums.")
    parser.add_argument("--source", type=Path, default=_ROOT, help="the checkout, or a copy of one")
    parser.add_argument("--out", type=Path, default=_ROOT / "dist", help="made anew")
    parser.add_argument("--tag", default="", help="refuse to build unless the version is that of this tag, as v0.1.0")
    parser.add_argument(
        "--images", choices=("auto", "yes", "no"), default="auto", help="auto: where a docker daemon answers"
    )
    chosen = parser.parse_args()
    try:
        names = release(chosen.source.resolve(), chosen.out.resolve(), chosen.tag, chosen.images)
    except ReleaseError as error:
        sys.exit(f"release: {error}")
    sys.stdout.write("".join(f"{name}\n" for name in names))


def release(source: Path, out: Path, tag: str, images: str) -> list[str]:
    """Build everything; returns the files' names.

    Raises:
        ReleaseError: the tag is another version's, images are demanded where no engine is, or a step failed.
    """
    engine = _engine(images)
    with tempfile.TemporaryDirectory(prefix="config-remediator-release-") as name:
        tree, built = Path(name) / "tree", Path(name) / "built"
        built.mkdir()
        os.environ["SOURCE_DATE_EPOCH"] = _epoch(source)
        _export(source, tree)
        commit = _commit(source, _version(tree))
        if tag and tag != f"v{commit.version}":
            raise ReleaseError(
                f"the tag {tag} is not that of version {commit.version}, which would be v{commit.version}"
            )
        links.make_absolute(tree, commit.source, commit.version)
        for target in ("sdist", "wheel"):
            run([sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(built)], tree)
        for lock in _LOCKS:
            shutil.copyfile(
                tree / "requirements" / f"{lock}.txt", built / f"config-remediator-{commit.version}-{lock}.lock.txt"
            )
        shutil.copyfile(tree / "CHANGELOG.md", built / "CHANGELOG.md")
        _chart(tree / "deploy/helm/config-remediator", commit.version, built)
        _bill_of_materials(tree, commit.version, built / f"config-remediator-{commit.version}.cdx.json")
        base = built_images.build(tree, commit, built) if engine else None
        stated = built / f"config-remediator-{commit.version}.provenance.json"
        provenance.write(built, commit, engine, base, stated)
        _checksums(built)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(built, out)
    return sorted(path.name for path in out.iterdir())


def _engine(images: str) -> str:
    """The engine that builds the images; empty for none."""
    engine = "" if images == "no" else built_images.engine()
    if images == "yes" and not engine:
        raise ReleaseError("no images can be built: no docker daemon answers `docker version`")
    if images == "auto" and not engine:
        sys.stderr.write("release: no images: no docker daemon answers `docker version`\n")
    return engine


def _commit(source: Path, version: str) -> Commit:
    """Of the checkout; `SOURCE_REVISION` names the commit of a copy without history, `SOURCE` where it is published."""
    revision = os.environ.get("SOURCE_REVISION") or _git(source, "rev-parse", "HEAD") or "unknown"
    address = os.environ.get("SOURCE") or "unknown"
    return Commit(version, revision, address, int(os.environ["SOURCE_DATE_EPOCH"]))


def _epoch(source: Path) -> str:
    """The moment that every file of an archive gets: of the commit, unless the environment names one."""
    given = os.environ.get("SOURCE_DATE_EPOCH") or _git(source, "log", "-1", "--format=%ct")
    if not re.fullmatch(r"[0-9]{1,12}", given):
        raise ReleaseError(f"{source} is no git checkout: set SOURCE_DATE_EPOCH, in seconds since 1970")
    return given


def _export(source: Path, tree: Path) -> None:
    if not _git(source, "rev-parse", "HEAD"):
        shutil.copytree(source, tree, ignore=shutil.ignore_patterns(*_WITHOUT_GIT))
        return
    if _git(source, "status", "--porcelain", "--untracked-files=no"):
        sys.stderr.write("release: what is not committed is not in it\n")
    tree.mkdir()
    archive = tree.with_suffix(".tar")
    run(["git", "archive", "--format=tar", f"--output={archive}", "HEAD"], source)
    with tarfile.open(archive) as packed:
        packed.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.3 and older have none
        packed.extractall(tree)  # noqa: S202 - git's own archive


def _git(source: Path, *arguments: str) -> str:
    """What git prints; empty where `source` is not the top of a checkout, or there is no git."""
    if not (source / ".git").exists() or shutil.which("git") is None:
        return ""
    done = subprocess.run(["git", *arguments], cwd=source, capture_output=True, text=True, check=False)  # noqa: S603, S607 - git
    return done.stdout.strip() if done.returncode == 0 else ""


def _version(tree: Path) -> str:
    found = re.search(
        r'^__version__ = "([0-9][^"]*)"$', (tree / "consumer/__init__.py").read_text("utf-8"), re.MULTILINE
    )
    if found is None:
        raise ReleaseError("consumer/__init__.py names no version")
    return found[1]


def _chart(folder: Path, version: str, out: Path) -> None:
    """As `helm package` does, but with the commit's time and in order."""
    if f"\nversion: {version}\nappVersion: {version}\n" not in (folder / "Chart.yaml").read_text("utf-8"):
        raise ReleaseError(f"the chart is not of version {version}")
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    with (
        (out / f"config-remediator-{version}.tgz").open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=int(os.environ["SOURCE_DATE_EPOCH"])) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in names:
            data = (folder / name).read_bytes()
            entry = tarfile.TarInfo(f"config-remediator/{name}")
            entry.size, entry.mode, entry.mtime = len(data), 0o644, int(os.environ["SOURCE_DATE_EPOCH"])
            archive.addfile(entry, io.BytesIO(data))


def _bill_of_materials(tree: Path, version: str, out: Path) -> None:
    """CycloneDX, without a random serial number; its time is SOURCE_DATE_EPOCH."""
    # The version is dynamic there, and the product would be listed without one.
    project = (tree / "pyproject.toml").read_text("utf-8")
    named = tree / "named.toml"
    named.write_text(project.replace('dynamic = ["version"]', f'version = "{version}"'), encoding="utf-8")
    lock = tree / "requirements" / f"{_LOCKS[-1]}.txt"
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(lock), "--pyproject", str(named)]
    run([*command, "--output-reproducible", "--validate", "--output-file", str(out)], tree)


def _checksums(folder: Path) -> None:
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.iterdir()))
    text = "".join(lines)
    (folder / "SHA256SUMS").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
