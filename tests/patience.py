"""How long a test waits for something that is bound to happen, and windows of time that end by themselves."""

from __future__ import annotations

from collections.abc import Callable

PATIENCE_SECONDS = 180.0
"""A limit that only ends a hang; it says nothing about how fast anything is, because the machine may be busy."""


def in_some_window(trial: Callable[[float], None]) -> None:
    """Run `trial` with a window of so many seconds: the shortest for which this machine is fast enough.

    A window of another process's clock ends by itself, also while a busy machine is still in the middle of a trial,
    and then the trial's failure shows nothing. A true failure fails with every window. What one trial leaves behind
    must not disturb the next, so each names its things after its window.
    """
    for window_seconds in (0.2, 2.0):
        try:
            trial(window_seconds)
        except AssertionError:
            continue
        return
    trial(20.0)
