"""Writes an accepted request into the journal, at the moment its change takes effect."""

from __future__ import annotations

from typing import Any

from emulator.mns.call import MnsCall
from emulator.mns.message import Message
from emulator.world import World


def changed(world: World, call: MnsCall, **detail: Any) -> None:
    """Write down a request that changed state, with what a verdict needs."""
    world.journal.changed(
        "mns",
        call.target.operation,
        call.target.resource,
        request_id=call.request_id,
        access_key_id=call.access_key_id,
        **detail,
    )


def read(world: World, call: MnsCall, **detail: Any) -> None:
    """Write down a request that changed nothing, if the journal wants those."""
    if world.journal.reads:
        world.journal.read(
            "mns",
            call.target.operation,
            call.target.resource,
            request_id=call.request_id,
            access_key_id=call.access_key_id,
            **detail,
        )


def properties(message: Message) -> dict[str, Any]:
    """What a message's sender wrote beside its body, by name; nothing for a message without."""
    user = message.properties.user
    return {"user_properties": {item.name: item.value for item in user}} if user else {}
