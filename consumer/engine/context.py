"""What the threads of the engine share: made once, given to each of them whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from consumer.core.observers import Hooks
from consumer.engine.coalescing import Groups
from consumer.engine.history import MessageHistory
from consumer.engine.in_flight import InFlight
from consumer.engine.lease_keeper import LeaseKeeper
from consumer.engine.parking import Parking
from consumer.engine.poll_board import PollBoard
from consumer.engine.postponement import Postponement
from consumer.engine.settle_queue import Action, SettleQueue
from consumer.engine.settlement import Settlements
from consumer.engine.undeleted_limit import UndeletedLimit


@dataclass(frozen=True, slots=True)
class EngineContext:
    """Every shared part has one lock of its own; none is held over a request."""

    in_flight: InFlight
    settle_queues: Mapping[Action, SettleQueue]
    settlements: Settlements
    keeper: LeaseKeeper
    undeleted: UndeletedLimit
    parking: Parking
    postponement: Postponement
    history: MessageHistory
    groups: Groups
    board: PollBoard
    hooks: Hooks
    stopping: threading.Event
    """Set once, when the process begins to stop."""
    jitter: Callable[[float, float], float]
    monotonic: Callable[[], float] = time.monotonic
