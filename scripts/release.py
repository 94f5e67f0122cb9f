#!/usr/bin/env python3
"""Builds what a release consists of; `make release` runs it. Whoever builds the same commit gets the same bytes.

    wheel and sdist      with LICENSE, examples, dashboards, alert rules, and the demonstration with its emulator
    locks                what `pip install --require-hashes` takes beside the wheel
    chart                what `helm install` takes
    bill of materials    CycloneDX, of the product by its name and version and of every package in the largest lock
    SHA256SUMS           of all of these

It builds from an export of the commit: what is not committed does not get in, be it byte code or somebody's notes.
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

_ROOT = Path(__file__).resolve().parents[1]
_LOCKS = ("worker", "reevaluate")
"""The locks that are published; the last one holds the others."""
_WITHOUT_GIT = (".git", ".venv", "dist", "mutants", "*.egg-info", "__pycache__", "*.pyc", ".*_cache", ".hypothesis")


class ReleaseError(Exception):
    """What keeps a release from being built, in one line."""


def main() -> None:
    """Build into the folder that was asked for, dist/ by default, and list what is in it."""
    parser = argparse.ArgumentParser(description="Build wheel, sdist, locks, bill of materials and checksums.")
    parser.add_argument("--source", type=Path, default=_ROOT, help="the checkout, or a copy of one")
    parser.add_argument("--out", type=Path, default=_ROOT / "dist", help="made anew")
    parser.add_argument("--tag", default="", help="refuse to build unless the version is that of this tag, as v0.1.0")
    chosen = parser.parse_args()
    try:
        names = release(chosen.source.resolve(), chosen.out.resolve(), chosen.tag)
    except ReleaseError as error:
        sys.exit(f"release: {error}")
    sys.stdout.write("".join(f"{name}\n" for name in names))


def release(source: Path, out: Path, tag: str = "") -> list[str]:
    """Build everything; returns the files' names.

    Raises:
        ReleaseError: the tag is another version's, or a step failed.
    """
    with tempfile.TemporaryDirectory(prefix="config-remediator-release-") as name:
        tree, built = Path(name) / "tree", Path(name) / "built"
        built.mkdir()
        os.environ["SOURCE_DATE_EPOCH"] = _epoch(source)
        _export(source, tree)
        version = _version(tree)
        if tag and tag != f"v{version}":
            raise ReleaseError(f"the tag {tag} is not that of version {version}, which would be v{version}")
        for target in ("sdist", "wheel"):
            _run([sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(built)], tree)
        for lock in _LOCKS:
            shutil.copyfile(
                tree / "requirements" / f"{lock}.txt", built / f"config-remediator-{version}-{lock}.lock.txt"
            )
        _chart(tree / "deploy/helm/config-remediator", version, built)
        _bill_of_materials(tree, version, built / f"config-remediator-{version}.cdx.json")
        _checksums(built)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(built, out)
    return sorted(path.name for path in out.iterdir())


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
    _run(["git", "archive", "--format=tar", f"--output={archive}", "HEAD"], source)
    with tarfile.open(archive) as packed:
        packed.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.3 and older have none
        packed.extractall(tree)  # noqa: S202 - git's own archive


def _git(source: Path, *arguments: str) -> str:
    """What git prints; empty where `source` is not the top of a checkout."""
    if not (source / ".git").exists():
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
    _run([*command, "--output-reproducible", "--validate", "--output-file", str(out)], tree)


def _checksums(folder: Path) -> None:
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.iterdir()))
    text = "".join(lines)
    (folder / "SHA256SUMS").write_text(text, encoding="utf-8")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - the tools of the lock
    if done.returncode != 0:
        raise ReleaseError(f"{' '.join(command[:4])} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
