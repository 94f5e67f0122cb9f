"""The archive of an image: the same bytes from two builds, whole, and readable by the engines that people have."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from scripts.release.archive import Writer
from scripts.release.steps import ReleaseError
from tests.deploy.images import BASE_TIME, LABELS, contents, digest, save

_EPOCH = 1_750_000_000
_CREATED = "2025-06-15T15:06:40Z"
_TAG = "it:1.2.3"


def _write(folder: Path, *, built: float, compressed: bool = False) -> Path:
    folder.mkdir()
    base = save(folder / "saved.tar", built=built, compressed=compressed)
    out = folder / "it.oci.tar"
    written = Writer(folder, _EPOCH, [base]).write(folder / "saved.tar", _TAG, out)
    assert written == json.loads(contents(out)["index.json"])["manifests"][0]["digest"]
    return out


def _read(archive: Path) -> tuple[dict[str, Any], dict[str, Any], list[bytes]]:
    """The manifest, the configuration and the unpacked layers, each checked against the digest that names it."""
    files = contents(archive)

    def blob(described: dict[str, Any]) -> bytes:
        data = files[f"blobs/{described['digest'].replace(':', '/')}"]
        assert (digest(data), len(data)) == (described["digest"], described["size"])
        return data

    (entry,) = json.loads(files["index.json"])["manifests"]
    manifest = json.loads(blob(entry))
    layers = [gzip.decompress(blob(each)) for each in manifest["layers"]]
    config = json.loads(blob(manifest["config"]))
    assert config["rootfs"]["diff_ids"] == [digest(each) for each in layers]
    return manifest, config, layers


def test_two_builds_of_the_same_give_the_same_bytes(tmp_path: Path) -> None:
    """At other times, from a cache that is older than the commit, and by an engine that saves its layers compressed."""
    first = _write(tmp_path / "first", built=1_760_000_001.25)
    cached = _write(tmp_path / "cached", built=1_740_000_000)
    second = _write(tmp_path / "second", built=1_760_000_002.5)
    third = _write(tmp_path / "third", built=1_760_000_003, compressed=True)
    assert cached.read_bytes() == first.read_bytes() == second.read_bytes() == third.read_bytes()


def test_what_is_in_it_is_what_was_built(tmp_path: Path) -> None:
    """Names, links, owners, modes and extended attributes; only times change, and nobody's name gets in."""
    _, _, layers = _read(_write(tmp_path / "it", built=1_760_000_001.25))
    with tarfile.open(fileobj=io.BytesIO(layers[1])) as layer:
        entries = {each.name: each for each in layer}
        file = layer.extractfile("usr/first")
        assert file is not None
        assert file.read() == b"usr/first"
    assert list(entries) == ["usr/first", "usr/.wh.base", "link"]
    assert entries["link"].linkname == "usr/first"
    assert {each.mtime for each in entries.values()} == {_EPOCH}
    first = entries["usr/first"]
    assert (first.mode, first.uid, first.uname) == (0o640, 65532, "")
    assert first.pax_headers == {"SCHILY.xattr.user.kept": "yes"}


def test_the_base_stays_as_it_is(tmp_path: Path) -> None:
    """Whoever has the layer from elsewhere has this one; it is the same in every build."""
    _, _, layers = _read(_write(tmp_path / "it", built=1_760_000_001))
    with tarfile.open(fileobj=io.BytesIO(layers[0])) as layer:
        assert layer.getmember("usr/base").mtime == BASE_TIME


def test_it_is_configured_as_it_was_built(tmp_path: Path) -> None:
    """User, labels and health check are kept, the machine's traces are not; the manifest repeats the labels."""
    manifest, config, _ = _read(_write(tmp_path / "it", built=1_760_000_001))
    assert config["config"] == {
        "Labels": LABELS,
        "User": "65532:65532",
        "Healthcheck": {"Test": ["CMD", "true"]},
    }
    assert config.keys() == {"architecture", "os", "config", "created", "history", "rootfs"}
    assert [config["created"], *(each["created"] for each in config["history"])] == [_CREATED] * 3
    assert manifest["annotations"] == LABELS


def test_docker_loads_it_under_its_tag(tmp_path: Path) -> None:
    """By the older list, which every `docker load` reads; containerd's name for it stands in the index."""
    archive = _write(tmp_path / "it", built=1_760_000_001)
    files = contents(archive)
    (listed,) = json.loads(files["manifest.json"])
    assert listed["RepoTags"] == [_TAG]
    assert {listed["Config"], *listed["Layers"]} < files.keys()
    (entry,) = json.loads(files["index.json"])["manifests"]
    assert entry["annotations"]["io.containerd.image.name"] == f"docker.io/library/{_TAG}"
    assert entry["annotations"]["org.opencontainers.image.ref.name"] == "1.2.3"
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}


def test_a_layer_that_is_another_is_refused(tmp_path: Path) -> None:
    """Rather than to publish what nobody built."""
    save(tmp_path / "saved.tar", built=1, wrong=True)
    with pytest.raises(ReleaseError, match="is not sha256:"):
        Writer(tmp_path, _EPOCH, []).write(tmp_path / "saved.tar", _TAG, tmp_path / "out")
    assert not (tmp_path / "out").exists()
