"""CRC-64 of ECMA-182 as `x-oss-hash-crc64ecma` carries it; SDKs compare it with what they sent. Pure."""

from __future__ import annotations

_POLYNOMIAL = 0xC96C5795D7870F42
_ALL = 0xFFFFFFFFFFFFFFFF


def _row(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ _POLYNOMIAL if value & 1 else value >> 1
    return value


_TABLE = tuple(_row(value) for value in range(256))


def crc64(data: bytes) -> int:
    """The checksum of the whole data."""
    value = _ALL
    table = _TABLE
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ _ALL
