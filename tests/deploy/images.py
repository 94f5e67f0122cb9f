"""An image as `docker save` writes it, small enough to look at, and a docker that knows nothing but it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LABELS = {"org.opencontainers.image.title": "it"}
BASE_TIME = 1_700_000_000


def _layer(names: Iterable[str], mtime: float) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.mtime, entry.mode, entry.uid, entry.uname = mtime, 0o640, 65532, "somebody"
            entry.pax_headers = {"SCHILY.xattr.user.kept": "yes", "atime": str(mtime + 1)}
            entry.size = len(name)
            archive.addfile(entry, io.BytesIO(name.encode()))
        link = tarfile.TarInfo("link")
        link.type, link.linkname, link.mtime = tarfile.SYMTYPE, "usr/first", mtime
        archive.addfile(link)
    return data.getvalue()


def digest(data: bytes) -> str:
    """As images name content."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def save(path: Path, *, built: float, compressed: bool = False, wrong: bool = False) -> str:
    """Write an image whose second layer and history were made at `built`; returns the digest of its base's layer."""
    layers = [_layer(["usr/base"], BASE_TIME), _layer(["usr/first", "usr/.wh.base"], built)]
    created = datetime.fromtimestamp(built, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    config: dict[str, Any] = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": LABELS, "User": "65532:65532", "Healthcheck": {"Test": ["CMD", "true"]}},
        "created": created,
        "docker_version": f"of {built}",
        "history": [{"created": "2023-11-14T22:13:20.000000001Z"}, {"created": created, "created_by": "COPY usr usr"}],
        "rootfs": {"type": "layers", "diff_ids": [digest(each + b"x" * wrong) for each in layers]},
    }
    files = {f"{number}/layer.tar": gzip.compress(each) if compressed else each for number, each in enumerate(layers)}
    manifest = [{"Config": "config.json", "RepoTags": None, "Layers": list(files)}]
    files |= {"config.json": json.dumps(config).encode(), "manifest.json": json.dumps(manifest).encode()}
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return digest(layers[0])


def contents(archive: Path) -> dict[str, bytes]:
    """The files of an archive."""
    with tarfile.open(archive) as opened:
        return {each.name: opened.extractfile(each).read() for each in opened}  # type: ignore[union-attr]


DOCKER = """\
#!/bin/sh
printf '%s\\n' "$*" >>"$CALLS"
case "$1 $2" in
  "version "*) [ -z "$DOWN" ] || { echo "Cannot connect to the Docker daemon" >&2; exit 1; }; echo 28.0.0 ;;
  "pull "*) [ -z "$OFFLINE" ] || { echo "no route to the registry" >&2; exit 1; } ;;
  "image inspect") [ -f "$BASE" ] || exit 1; cat "$BASE" ;;
  "build "*) while [ "$1" != --iidfile ]; do shift; done; printf sha256:id >"$2" ;;
  "save "*) cp "$SAVED" "$3" ;;
esac
"""
"""Notes how it is called; answers with the files that BASE and SAVED name."""
