"""The soak's judgement: growth is told from noise."""

from __future__ import annotations

import os

from tests.faults.resources import Sample, growth, sample


def samples(values: list[float]) -> list[Sample]:
    return [Sample(number * 1000, 0, 0, 0, 0) for number in range(len(values))]


def test_a_steady_rise_is_growth() -> None:
    """A leak shows even where single samples scatter."""
    values = [100 + number * 0.5 + (number % 3) for number in range(60)]
    found = growth("RSS", samples(values), values, 3)
    assert not found.flat
    assert 45 < found.per_100k < 55


def test_scatter_is_no_growth() -> None:
    """What goes up and down stays where it is."""
    values = [100 + (number * 7) % 5 for number in range(60)]
    assert growth("RSS", samples(values), values, 1).flat


def test_one_more_descriptor_than_allowed_is_growth() -> None:
    """Numbers without scatter have no noise to hide in."""
    values = [10.0] * 30 + [13.0] * 30
    assert not growth("sockets", samples(values), values, 2).flat


def test_a_sample_sees_this_very_process() -> None:
    """Memory, threads and descriptors of a process that we know."""
    seen = sample(os.getpid(), 5)
    assert seen.messages == 5
    assert seen.rss_bytes > 2**20
    assert seen.threads >= 1
    assert seen.descriptors >= 3
