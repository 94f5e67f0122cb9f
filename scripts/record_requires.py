#!/usr/bin/env python3
"""Writes requirements/requires.json: what each locked distribution's own metadata asks for; `make lock` runs it.

tests/deploy/test_locks.py reads it, because no environment holds everything that is locked.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_FOLDER = Path(__file__).resolve().parents[1] / "requirements"
_ENTRY = re.compile(r"^[a-zA-Z0-9].*\n(?:[ ].*\n)*", re.MULTILINE)
_PIP = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", "--no-input"]
_LOOK = ["install", "--dry-run", "--ignore-installed", "--require-hashes", "--no-build-isolation", "--report", "-"]


def main() -> None:
    """Record everything that is locked, also what another system or another Python installs."""
    record: dict[str, list[str]] = {}
    for lock in sorted(_FOLDER.glob("*.txt")):
        record |= _asked_for(lock)
        for entry in _ENTRY.findall(lock.read_text(encoding="utf-8")):
            record |= _elsewhere(entry)
    text = json.dumps(record, indent=1, sort_keys=True)
    (_FOLDER / "requires.json").write_text(f"{text}\n", encoding="utf-8")


def _elsewhere(entry: str) -> dict[str, list[str]]:
    """The same of one entry that does not apply here."""
    requirement = Requirement(entry.splitlines()[0].rstrip(" \\"))
    if requirement.marker is None or requirement.marker.evaluate():
        return {}
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(re.sub(r" ;.* \\", r" \\", entry, count=1))
        file.flush()
        return _asked_for(Path(file.name), "--no-deps", "--ignore-requires-python")


def _asked_for(lock: Path, *more: str) -> dict[str, list[str]]:
    command = [*_PIP, *_LOOK, *more, "-r", str(lock)]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)  # noqa: S603 - pip
    found = [each["metadata"] for each in report["install"]]
    return {f"{canonicalize_name(each['name'])}=={each['version']}": each.get("requires_dist", []) for each in found}


if __name__ == "__main__":
    main()
