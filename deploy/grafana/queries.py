"""What the queries of several panels are made of."""

from __future__ import annotations

JOB = 'namespace=~"$namespace",job=~"$job"'
RULE = f'{JOB},rule=~"$rule"'
EVERY = "$__rate_interval"
RANGE = "$__range"

_SEEN_BEFORE = "1h"

DOWN = f"up{{{JOB}}} == 0 and on (namespace, job) last_over_time(remediator_build_info{{{JOB}}}[24h])"
"""Replicas that cannot be scraped, of installations that there were within the day."""

SEEN = f"count(count by (namespace, job) (last_over_time(remediator_build_info{{{JOB}}}[24h])))"
"""Installations that there were within the day."""

ALL_THERE = f"(count(count by (namespace, job) (remediator_build_info{{{JOB}}})) >= {SEEN})"
"""Something if each of them is still scraped, nothing otherwise: one that is silent must not hide behind another."""


def counted(counter: str, window: str) -> str:
    """How much each series has counted in the window, in whole numbers.

    `increase` extrapolates, so that one error is 1.07 of it, and does not see what a series begins with, which for a
    code or reason that is new is the one that matters. A series is new if nothing was seen of it before the window for
    an hour; one that was only not scraped for a while must not show all that it has ever counted.
    """
    new = f"max_over_time({counter}[{window}]) unless last_over_time({counter}[{_SEEN_BEFORE}] offset {window})"
    return f"({new} or round(increase({counter}[{window}])))"
