"""Writes what `docker save` wrote as an OCI archive that has the same bytes whenever the same image is built again.

Two builds of one commit differ in nothing but times: of the files in their layers, and of the steps in the image's
history. All of them become the commit's, here, so that this needs no more than an engine that builds. The layers of the
base stay as they are, for their times are the same in every build.

The archive is both an OCI image layout (skopeo, podman, containerd) and what `docker load` takes, also an old one.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from scripts.release.steps import ReleaseError

_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_KEPT = ("architecture", "os", "variant", "config")
"""What of the configuration an engine's version or the machine does not change."""
_TIMES = ("mtime", "atime", "ctime", "LIBARCHIVE.creationtime")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer as it is written: digest of the tar file, and digest and length of the compressed one."""

    diff_id: str
    digest: str
    size: int


class Writer:
    """Writes the archives of one release; a layer that several images have is compressed once.

    Args:
        folder: for the compressed layers, as long as this is used.
        epoch: the moment that everything gets, in seconds since 1970.
        base: the digests of the base's layers (`RootFS.Layers` of `docker image inspect`), which stay as they are.
    """

    def __init__(self, folder: Path, epoch: int, base: Iterable[str]) -> None:
        self._folder = folder
        self._epoch = epoch
        self._created = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._base = frozenset(base)
        self._done: dict[str, Layer] = {}

    def write(self, saved: Path, tag: str, out: Path) -> str:
        """Write the one image in `saved` to `out`, under `tag`; returns the digest of its manifest.

        Raises:
            ReleaseError: there is more or less than one image, or a layer is not the one that the image names.
        """
        with tarfile.open(saved) as archive:
            images = json.load(_member(archive, "manifest.json"))
            if len(images) != 1:
                raise ReleaseError(f"{saved} holds {len(images)} images, not one")
            config = json.load(_member(archive, images[0]["Config"]))
            names = zip(images[0]["Layers"], config["rootfs"]["diff_ids"], strict=True)
            layers = [self._layer(archive, name, diff_id) for name, diff_id in names]
        return self._archive(self._config(config, layers), layers, tag, out)

    def _layer(self, archive: tarfile.TarFile, name: str, diff_id: str) -> Layer:
        if diff_id not in self._done:
            plain, packed = self._folder / "layer.tar", self._folder / "layer.tar.gz"
            with _unpacked(_member(archive, name)) as source, plain.open("wb") as file:
                shutil.copyfileobj(source, file, _CHUNK)
            if _digest(plain) != diff_id:
                raise ReleaseError(f"the layer {name} is not {diff_id}, which the image names")
            if diff_id not in self._base:
                self._set_times(plain)
            with (
                plain.open("rb") as file,
                packed.open("wb") as raw,
                gzip.GzipFile("", "wb", 6, raw, mtime=0) as to,
            ):
                shutil.copyfileobj(file, to, _CHUNK)
            layer = Layer(_digest(plain), _digest(packed), packed.stat().st_size)
            packed.rename(self._folder / layer.digest.partition(":")[2])
            self._done[diff_id] = layer
        return self._done[diff_id]

    def _set_times(self, plain: Path) -> None:
        normal = plain.with_suffix(".normal")
        with tarfile.open(plain) as old, tarfile.open(normal, "w", format=tarfile.PAX_FORMAT) as new:
            for entry in old:
                entry.mtime = self._epoch
                entry.uname = entry.gname = ""
                entry.pax_headers = {key: each for key, each in entry.pax_headers.items() if key not in _TIMES}
                new.addfile(entry, old.extractfile(entry) if entry.isreg() else None)
        normal.rename(plain)

    def _config(self, config: Mapping[str, Any], layers: list[Layer]) -> bytes:
        kept = {key: config[key] for key in _KEPT if key in config}
        history = [{**step, "created": self._created} for step in config["history"]]
        rootfs = {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}
        return _json({**kept, "created": self._created, "history": history, "rootfs": rootfs})

    def _archive(self, config: bytes, layers: list[Layer], tag: str, out: Path) -> str:
        described = {"mediaType": _CONFIG, "digest": _sha256(config), "size": len(config)}
        listed = [{"mediaType": _LAYER, "digest": each.digest, "size": each.size} for each in layers]
        labels = json.loads(config)["config"].get("Labels") or {}
        manifest = _json(
            {"schemaVersion": 2, "mediaType": _MANIFEST, "config": described, "layers": listed, "annotations": labels}
        )
        # The names by which Docker and containerd find it, and the tag alone, as the layout's specification has it.
        names = {
            "io.containerd.image.name": f"docker.io/library/{tag}",
            "org.opencontainers.image.ref.name": tag.partition(":")[2],
        }
        entry = {"mediaType": _MANIFEST, "digest": _sha256(manifest), "size": len(manifest), "annotations": names}
        blobs = {"config": _blob(_sha256(config)), "layers": [_blob(each.digest) for each in layers]}
        texts = {
            "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
            "index.json": _json({"schemaVersion": 2, "mediaType": _INDEX, "manifests": [entry]}),
            "manifest.json": _json([{"Config": blobs["config"], "RepoTags": [tag], "Layers": blobs["layers"]}]),
            _blob(_sha256(config)): config,
            _blob(_sha256(manifest)): manifest,
        }
        with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as archive:
            for name, data in texts.items():
                archive.addfile(self._entry(name, len(data)), io.BytesIO(data))
            for layer in sorted(set(layers), key=lambda each: each.digest):
                with (self._folder / layer.digest.partition(":")[2]).open("rb") as file:
                    archive.addfile(self._entry(_blob(layer.digest), layer.size), file)
        return _sha256(manifest)

    def _entry(self, name: str, size: int) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = size, 0o644, self._epoch
        return entry


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    try:
        file = archive.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise ReleaseError(f"what docker saved has no {name}")
    return file


def _unpacked(file: IO[bytes]) -> IO[bytes]:
    """Engines with the store of containerd save layers compressed."""
    magic = file.read(2)
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if magic == b"\x1f\x8b" else file  # type: ignore[return-value]


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
