"""Dead letters as the worker writes them, and the queues that they go between."""

from __future__ import annotations

import json
from typing import Any

from mns.queue import Message

from emulator.client import Emulator
from emulator.provisioning import account
from tests.integration.queues import messages

DEAD = "config-events-dead"


def letter(number: int, **told: Any) -> str:
    """A dead letter as the worker writes it."""
    document = {
        "schema": "config-remediator/dead-letter/1",
        "outcome": "rejected",
        "reason": "AccessDenied",
        "detail": "no right",
        "rule": "public-read",
        "resource_id": f"bucket-{number:02}",
        "attempts": 1,
        "dead_lettered_at_ms": 1_700_000_000_000,
        "body_encoding": "plain",
        "body": f"original {number} \N{BIOHAZARD SIGN}",
        **told,
    }
    return json.dumps(document)


def put(emulator: Emulator, *bodies: str) -> None:
    """Lay messages into the dead-letter queue."""
    with account(emulator) as owner:
        queue = owner.get_queue(DEAD)
        queue.set_encoding(False)
        for body in bodies:
            queue.send_message(Message(body))


def visible_again(emulator: Emulator) -> int:
    """How many letters are visible two seconds later."""
    emulator.advance(2)
    return sum(message["state"] == "active" for message in messages(emulator, DEAD))


def originals(emulator: Emulator) -> list[str]:
    """The bodies in the worker's queue."""
    return sorted(message["body"] for message in messages(emulator, "config-events"))


def taken(emulator: Emulator, **event: str) -> str:
    """The body of an event that is published, taken out of the worker's queue again."""
    emulator.config.publish(**event)
    with account(emulator) as owner:
        queue = owner.get_queue("config-events")
        queue.set_encoding(False)
        message = queue.receive_message()
        queue.delete_message(message.receipt_handle)
        return str(message.message_body)
