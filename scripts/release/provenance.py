"""Of what a release was made, and with what: an in-toto statement with the predicate of SLSA's provenance, version 1.

It is not signed. Whoever publishes signs one of their own (.github/workflows/release.yml); this one says what to take
to build the same bytes again. It names no time and no machine, so that it is itself the same each time.
"""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path

from scripts.release.images import Base, Commit

_OURS = "urn:config-remediator:make-release"


def write(folder: Path, commit: Commit, engine: str, base: Base | None, out: Path) -> None:
    """Write the statement about every file in `folder`; `base` and `engine` are of the images, if there are any."""
    subjects = [
        {"name": path.name, "digest": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}}
        for path in sorted(folder.iterdir())
    ]
    materials: list[dict[str, object]] = [
        {"uri": f"git+{commit.source}", "digest": {"gitCommit": commit.revision}},
    ]
    if base is not None:
        kind, _, digest = base.digest.partition(":")
        # Without a digest of a registry the layers say what it was.
        which: dict[str, object] = {"digest": {kind: digest}} if digest else {"annotations": {"layers": base.layers}}
        materials.append({"uri": f"docker://{base.name}", **which})
    parameters = {"version": commit.version, "sourceDateEpoch": commit.epoch}
    tools = {"python": platform.python_version()} | ({"docker": engine} if base is not None else {})
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": f"{_OURS}:1",
                "externalParameters": parameters,
                "resolvedDependencies": materials,
            },
            "runDetails": {"builder": {"id": _OURS, "version": tools}},
        },
    }
    out.write_text(json.dumps(statement, indent=2, sort_keys=True) + "\n", encoding="utf-8")
