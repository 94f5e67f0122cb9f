"""Whether a list of address ranges leaves most of the Internet out. Pure.

The limits of "Block Public Access", https://www.alibabacloud.com/help/en/oss/user-guide/block-public-access : an
IPv4 range has a mask of /8 or longer, an IPv6 range of /32 or longer. Two things are stricter here than the page,
because it says nothing of them: IPv6 forms of IPv4 addresses are measured as the IPv4 range they stand for, and
ranges that together hold half of all IPv4 addresses are as good as all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

Network = IPv4Network | IPv6Network

_SHORTEST_V4 = 8
_SHORTEST_V6 = 32
_HALF_OF_V4 = 1 << 31
_RANGE = re.compile(r"[0-9A-Fa-f.:]+(?:/(?:0|[1-9][0-9]{0,2}))?", re.ASCII)
"""An address, and perhaps a mask as a number: no names of interfaces, no masks as addresses, no leading zeros."""
_V4_IN_V6 = (IPv6Network("::/96"), IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
"""Blocks of 2**96 and fewer addresses whose last 32 bits are an IPv4 address: RFC 4291 §2.5.5, RFC 6052 §2.1."""


def are_narrow(ranges: Sequence[str]) -> bool:
    """Whether every text is a range that is narrow enough, and all of them together are; False for an empty list."""
    if not ranges:
        return False
    v4: list[IPv4Network] = []
    for text in ranges:
        found = network_of(text)
        if isinstance(found, IPv6Network) and (inside := _as_v4(found)) is not None:
            found = inside
        if isinstance(found, IPv4Network) and found.prefixlen >= _SHORTEST_V4:
            v4.append(found)
        elif not isinstance(found, IPv6Network) or not _is_narrow_v6(found):
            return False
    return _size(v4) < _HALF_OF_V4


def network_of(text: str) -> Network | None:
    """The block that a text stands for, in one of the forms above; None for everything else."""
    if not _RANGE.fullmatch(text):
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _as_v4(network: IPv6Network) -> IPv4Network | None:
    """The IPv4 range that an IPv6 range stands for."""
    if any(network.subnet_of(block) for block in _V4_IN_V6):
        address = int(network.network_address) & 0xFFFFFFFF
        return IPv4Network((address, network.prefixlen - 96))
    return None


def _is_narrow_v6(network: IPv6Network) -> bool:
    return network.prefixlen >= _SHORTEST_V6 and not any(network.overlaps(block) for block in _V4_IN_V6)


def _size(networks: Iterable[IPv4Network]) -> int:
    return sum(each.num_addresses for each in collapse_addresses(networks))
