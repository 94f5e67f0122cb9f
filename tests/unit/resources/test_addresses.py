"""Ranges of addresses: which lists leave most of the Internet out."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.resources.addresses import are_narrow
from tests.ids import ascii_id


@pytest.mark.parametrize(
    "ranges",
    [
        ["10.0.0.0/8"],
        ["203.0.113.7"],
        ["10.1.2.3/8"],
        ["2001:db8::/32"],
        ["2001:db8::1"],
        ["::1"],
        ["10.0.0.0/8", "11.0.0.0/8"],
        ["::ffff:10.0.0.0/104"],
        [f"{number}.0.0.0/8" for number in range(127)],
    ],
    ids=lambda ranges: ascii_id(ranges[0]),
)
def test_narrow_ranges(ranges: list[str]) -> None:
    """/8 or longer, /32 or longer, by "Block Public Access"."""
    assert are_narrow(ranges)


@pytest.mark.parametrize(
    "ranges",
    [
        [],
        ["0.0.0.0/0"],
        ["1.2.3.4/0"],
        ["8.0.0.0/7"],
        ["0.0.0.0/1", "128.0.0.0/1"],
        [f"{number}.0.0.0/8" for number in range(256)],
        [f"{number}.0.0.0/8" for number in range(128)],
        [f"::ffff:{number}.0.0.0/104" for number in range(256)],
        ["::/0"],
        ["2001:db8::/31"],
        ["::/32"],
        ["::/96"],
        ["::ffff:0:0/96"],
        ["::ffff:0.0.0.0/97"],
        ["64:ff9b::/96"],
        ["::ffff:0:0/95"],
        ["0/0"],
        ["0"],
        ["0.0.0.0/00"],
        ["10.0.0.0/08"],
        ["010.0.0.0/8"],
        ["10.0.0.0/255.0.0.0"],
        ["10.0.0.0/-8"],
        ["10.0.0.0/33"],
        ["10.0.0/8"],
        ["0x0a000000"],
        ["167772160"],
        ["10.0.0.0/8 "],
        ["10.0.0.0 / 8"],
        ["10.0.0.0/8,11.0.0.0/8"],
        ["fe80::1%eth0"],
        ["\uff11\uff10.0.0.0/8"],
        ["10.0.0.0/\u0668"],
        ["*"],
        ["10.*"],
        [""],
    ],
    ids=lambda ranges: ascii_id(ranges[:1]),
)
def test_wide_ranges_and_other_texts(ranges: list[str]) -> None:
    """Wide alone or together, or in a form of which nobody says how it is read."""
    assert not are_narrow(ranges)


@given(st.lists(st.tuples(st.integers(0, (1 << 32) - 1), st.integers(0, 32)), min_size=1, max_size=6))
def test_one_wide_range_is_enough(ranges: list[tuple[int, int]]) -> None:
    """Values of one key are an "or"."""
    texts = [str(ip_network(each, strict=False)) for each in ranges]

    assert are_narrow(texts) == all(mask >= 8 for _, mask in ranges)
