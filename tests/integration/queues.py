"""What the emulator's queues hold, for assertions."""

from __future__ import annotations

import json
from typing import Any

from emulator.client import Emulator


def messages(emulator: Emulator, queue: str) -> list[dict[str, Any]]:
    """Every message of a queue, hidden ones included."""
    found: list[dict[str, Any]] = emulator.state()["mns"]["queues"][queue]["messages"]
    return found


def is_empty(emulator: Emulator, queue: str = "config-events") -> bool:
    """Whether nothing at all is in the queue."""
    return not messages(emulator, queue)


def dead_letters(emulator: Emulator, queue: str = "config-events-dead") -> list[dict[str, Any]]:
    """The documents in the dead-letter queue."""
    return [json.loads(message["body"]) for message in messages(emulator, queue)]


def parked(emulator: Emulator, queue: str = "config-events") -> list[dict[str, Any]]:
    """The messages that were sent with a delay which is not over, once nothing else is in the queue."""
    found = messages(emulator, queue)
    return found if all(message["state"] == "delayed" for message in found) else []
