#!/usr/bin/env python3
"""Writes requirements/requires.json: what each locked distribution's own metadata asks for; `make lock` runs it.

tests/deploy/test_locks.py reads it, because no environment holds everything that is locked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

_FOLDER = Path(__file__).resolve().parents[1] / "requirements"


def _metadata(lock: Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--dry-run"]
    command += ["--ignore-installed", "--require-hashes", "--no-build-isolation", "--report", "-", "-r", str(lock)]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 - pip
    return [each["metadata"] for each in report["install"]]


def main() -> None:
    """Record what applies on this interpreter."""
    found = [each for lock in sorted(_FOLDER.glob("*.txt")) for each in _metadata(lock)]
    record = {f"{canonicalize_name(each['name'])}=={each['version']}": each.get("requires_dist", []) for each in found}
    text = json.dumps(record, indent=1, sort_keys=True)
    (_FOLDER / "requires.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
