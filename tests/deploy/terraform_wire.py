"""What Terraform and a provider send each other: the parts of MessagePack and of Protocol Buffers that this takes.

The messages are those of `tfplugin5.proto` in github.com/hashicorp/terraform, docs/plugin-protocol.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any


class Unknown(Enum):
    """A value that only applying would tell, as go-cty writes it: an extension of MessagePack."""

    VALUE = b"\xd4\x00\x00"


UNKNOWN = Unknown.VALUE


def part(number: int, value: bytes | str | int | bool) -> bytes:
    """One field of a message of Protocol Buffers: a number, or what has a length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def parts(message: bytes) -> dict[int, bytes]:
    """The last value of each field with a length; numbers are passed over."""
    return dict(_parts(message))


def _parts(message: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        if key & 7 == 0:
            _, at = _read_varint(message, at)
            continue
        assert key & 7 == 2, "no field of these messages has another form"
        size, at = _read_varint(message, at)
        yield key >> 3, message[at : at + size]
        at += size


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte, at = data[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def packed(value: Any) -> bytes:
    """MessagePack, always in the longest form."""
    if value is UNKNOWN:
        return UNKNOWN.value
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack(">Bq", 0xD3, value)
    if isinstance(value, float):
        return struct.pack(">Bd", 0xCB, value)
    if isinstance(value, str):
        return struct.pack(">BI", 0xDB, len(value.encode())) + value.encode()
    if isinstance(value, Mapping):
        inside = b"".join(packed(key) + packed(each) for key, each in value.items())
        return struct.pack(">BI", 0xDF, len(value)) + inside
    return struct.pack(">BI", 0xDD, len(value)) + b"".join(map(packed, value))


def unpacked(data: bytes) -> Any:
    """The value that a whole document of MessagePack has."""
    value, end = _unpack(data, 0)
    assert end == len(data)
    return value


_SCALARS = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = {
    0xCA: "f",
    0xCB: "d",
    0xCC: "B",
    0xCD: "H",
    0xCE: "I",
    0xCF: "Q",
    0xD0: "b",
    0xD1: "h",
    0xD2: "i",
    0xD3: "q",
}
_SIZES = {0xD9: "B", 0xDA: "H", 0xDB: "I", 0xDC: "H", 0xDD: "I", 0xDE: "H", 0xDF: "I", 0xC7: "B", 0xC8: "H", 0xC9: "I"}


def _unpack(data: bytes, at: int) -> tuple[Any, int]:
    code, at = data[at], at + 1
    if code < 0x80:
        return code, at
    if code >= 0xE0:
        return code - 0x100, at
    if code in _SCALARS:
        return _SCALARS[code], at
    if code in _NUMBERS:
        size = struct.calcsize(_NUMBERS[code])
        return struct.unpack_from(f">{_NUMBERS[code]}", data, at)[0], at + size
    if 0xD4 <= code <= 0xD8:  # an extension of one to sixteen bytes
        return UNKNOWN, at + 1 + (1 << code - 0xD4)
    return _unpack_sized(data, code, at)


def _unpack_sized(data: bytes, code: int, at: int) -> tuple[Any, int]:
    if code in _SIZES:
        size = struct.unpack_from(f">{_SIZES[code]}", data, at)[0]
        at += struct.calcsize(_SIZES[code])
    else:
        size = code & (0x1F if 0xA0 <= code <= 0xBF else 0x0F)
    if code in (0xC7, 0xC8, 0xC9):
        return UNKNOWN, at + 1 + size
    if 0xA0 <= code <= 0xBF or code in (0xD9, 0xDA, 0xDB):
        return data[at : at + size].decode(), at + size
    if code <= 0x8F or code in (0xDE, 0xDF):
        return _unpack_map(data, size, at)
    items = []
    for _ in range(size):
        item, at = _unpack(data, at)
        items.append(item)
    return items, at


def _unpack_map(data: bytes, size: int, at: int) -> tuple[dict[str, Any], int]:
    found = {}
    for _ in range(size):
        key, at = _unpack(data, at)
        found[key], at = _unpack(data, at)
    return found, at
