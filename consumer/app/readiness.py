"""Whether this process is ready: it receives and settles, so that a rollout goes on only where work flows.

Liveness is another question, which the supervisor answers: nothing here is cured by a restart.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from consumer.engine.poll_board import KEEPING_UP_SECONDS, UNDELETED_LIMIT, PollBoard
from consumer.telemetry.settling import SettlementWatch


@dataclass(frozen=True, slots=True)
class Readiness:
    """Checks each part in turn; called for every probe."""

    stopping: Callable[[], bool]
    board: PollBoard
    settlements: SettlementWatch
    shared: Callable[[], str] = field(default=lambda: "")
    """Why the store that replicas share cannot be reached; empty if it can, and where nothing is shared."""
    wall: Callable[[], float] = field(default=time.time)

    def __call__(self) -> str:
        """Why it is not ready, in a few words; empty if it is."""
        if self.stopping():
            return "stopping"
        if reason := self._polls() or self.settlements.reason():
            return reason
        shared = self.shared()
        return f"the store that replicas share cannot be reached: {shared}" if shared else ""

    def _polls(self) -> str:
        state = self.board.state
        if state.last_error is not None:
            return f"last poll failed: {state.last_error.code}"
        if state.last_success_at is None:
            return "no poll has succeeded yet"
        if self.board.paused_for == UNDELETED_LIMIT:  # its reserve is there for what is fresh
            return f"polling is paused: {self.board.paused_for}"
        silent = self.wall() - state.last_success_at
        return f"no poll for {silent:.0f} s: every slot is taken" if silent > KEEPING_UP_SECONDS else ""
