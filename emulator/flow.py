"""How often a key may call an action: as many times in a second as the option allows, of the emulated clock.

The service limits every action by account; its figures differ by action and change, so they are an option here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping


class Flow:
    """Counts calls by key and action."""

    def __init__(self, options: Mapping[str, object], now: Callable[[], float], option: str) -> None:
        """`option` is the name of the one that says how often."""
        self._options = options
        self._now = now
        self._option = option
        self._counted: dict[tuple[str, str], tuple[int, int]] = {}

    def refuses(self, key_id: str, action: str) -> bool:
        """Whether this call is one too many; refused calls count too. Without the option none is."""
        most = self._options.get(self._option)
        if most is None:
            return False
        second = int(self._now())
        counted_in, calls = self._counted.get((key_id, action), (second, 0))
        calls = calls + 1 if counted_in == second else 1
        self._counted[key_id, action] = (second, calls)
        return calls > int(str(most))
