"""A picture in 256 colours: a third of the size, and nobody sees a difference on a page of text, lines and boxes."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {2: 3, 6: 4}
"""Of the two kinds of pictures that a browser makes: RGB and RGBA (https://www.w3.org/TR/png-3/#table111)."""

Colour = bytes


def shrink(path: Path) -> None:
    """Rewrite a PNG of a browser with its most frequent colours, or those next to them, unless that makes it larger."""
    data = path.read_bytes()
    width, height, channels, rows = _decoded(data)
    pixels = [[bytes(row[at : at + 3]) for at in range(0, width * channels, channels)] for row in rows]
    frequent = Counter(pixel for row in pixels for pixel in row)
    palette = _palette([colour for colour, _ in frequent.most_common()])
    index = {colour: _nearest(colour, palette) for colour in frequent}
    lines = b"".join(b"\0" + bytes(index[pixel] for pixel in row) for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    small = _SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks)
    if len(small) < len(data):
        path.write_bytes(small)


def _palette(by_frequency: list[Colour]) -> list[Colour]:
    """The most frequent of each region of the colour space, so that a thin red line stays red; then the others."""
    regions: dict[tuple[int, ...], Colour] = {}
    for colour in by_frequency:
        regions.setdefault(tuple(part >> 5 for part in colour), colour)
    return list(dict.fromkeys([*regions.values(), *by_frequency]))[:256]


def _decoded(data: bytes) -> tuple[int, int, int, list[bytearray]]:
    chunks = list(_chunks(data))
    width, height, depth, kind, *_, interlaced = struct.unpack(">IIBBBBB", dict(chunks)[b"IHDR"])
    if depth != 8 or kind not in _CHANNELS or interlaced:
        raise ValueError(f"a PNG of {depth} bits, colour type {kind}, interlaced {interlaced}; browsers make no such")
    channels = _CHANNELS[kind]
    raw = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    stride, rows, before = width * channels, [], bytearray(width * channels)
    for start in range(0, len(raw), stride + 1):
        before = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), before, channels)
        rows.append(before)
    return width, height, channels, rows


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _unfiltered(kind: int, row: bytearray, above: bytearray, channels: int) -> bytearray:
    """One line as it was before its filter (https://www.w3.org/TR/png-3/#9Filters)."""
    for at in range(len(row)) if kind else ():
        left = row[at - channels] if at >= channels else 0
        corner = above[at - channels] if at >= channels else 0
        guess = (0, left, above[at], (left + above[at]) // 2, _paeth(left, above[at], corner))[kind]
        row[at] = (row[at] + guess) & 255
    return row


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda each: abs(guess - each))


def _nearest(colour: Colour, palette: list[Colour]) -> int:
    def distance(index: int) -> int:
        return sum((one - other) ** 2 for one, other in zip(colour, palette[index], strict=True))

    return min(range(len(palette)), key=distance)
