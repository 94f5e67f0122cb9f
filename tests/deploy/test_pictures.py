"""The documentation's pictures: small, all of them used, and made smaller without a change that anybody sees."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import pytest

from tests.deploy.needed import ROOT
from tests.pictures.small import shrink

_IMAGES = ROOT / "docs" / "images"
_LARGEST = 260_000


def _png(rows: list[list[tuple[int, int, int]]], kind: int = 2) -> bytes:
    """As a browser writes it: RGB or RGBA, each line filtered by what is above it."""
    channels = 3 if kind == 2 else 4
    before, lines = bytes(len(rows[0]) * channels), b""
    for row in rows:
        plain = b"".join(bytes(pixel) + b"\xff" * (channels - 3) for pixel in row)
        lines += b"\2" + bytes((one - other) & 255 for one, other in zip(plain, before, strict=True))
        before = plain
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, kind, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def _shown(data: bytes) -> list[list[tuple[int, ...]]]:
    """The pixels of a picture with a palette and unfiltered lines."""
    parts, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        parts[data[at + 4 : at + 8]] = data[at + 8 : at + 8 + length]
        at += length + 12
    width, height = struct.unpack(">II", parts[b"IHDR"][:8])
    lines, palette = zlib.decompress(parts[b"IDAT"]), parts[b"PLTE"]
    return [
        [tuple(palette[3 * each : 3 * each + 3]) for each in lines[y * (width + 1) + 1 : (y + 1) * (width + 1)]]
        for y in range(height)
    ]


@pytest.mark.parametrize("kind", [2, 6])
def test_a_picture_of_few_colours_stays_as_it_is(kind: int, tmp_path: Path) -> None:
    """Pixel by pixel, and in fewer bytes."""
    rows = [[((x * 7) % 16, (y * 3) % 16, 200) for x in range(40)] for y in range(30)]
    path = tmp_path / "picture.png"
    path.write_bytes(_png(rows, kind))
    before = path.stat().st_size
    shrink(path)
    assert path.stat().st_size < before
    assert _shown(path.read_bytes()) == rows


def test_of_many_colours_the_rare_ones_become_their_neighbours(tmp_path: Path) -> None:
    """What is frequent stays exact; what is not is drawn in the colour next to it."""
    frequent = [[(10 * (x % 20), 0, 100) for x in range(40)] for _ in range(20)]
    rows = [*frequent, *([(10 * (x % 20), 1 + y, 100) for x in range(40)] for y in range(15))]
    path = tmp_path / "picture.png"
    path.write_bytes(_png(rows))
    shrink(path)
    shown = _shown(path.read_bytes())
    assert shown[:20] == frequent
    assert shown != rows
    far = [
        abs(a - b)
        for one, other in zip(shown, rows, strict=True)
        for p, q in zip(one, other, strict=True)
        for a, b in zip(p, q, strict=True)
    ]
    assert max(far) <= 10


@pytest.mark.parametrize("picture", sorted(path.name for path in _IMAGES.iterdir()))
def test_every_picture_is_small_and_shown(picture: str) -> None:
    """None is larger than it has to be, and none is left over."""
    assert (_IMAGES / picture).stat().st_size < _LARGEST
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert any(re.search(rf"images/{re.escape(picture)}\)", page.read_text(encoding="utf-8")) for page in pages)
