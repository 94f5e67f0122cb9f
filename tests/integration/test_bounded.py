"""What grows with what a publisher can invent is known, bounded, and listed in docs/guarantees.md; nothing else grows.

A worker gets wave after wave of messages in which everything is invented. Every container of the process that grows by
a wave has to be one of those that docs/guarantees.md lists; that they keep to their bounds, tests/unit/test_bounds.py
shows.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import FunctionType, MethodType

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.conftest import Run
from tests.unit.bodies import event_body
from tests.unit.test_bounds import documented

WAVE = 150
"""More than the configuration, the metrics and the tables of codes have of anything of their own."""


def sizes(*roots: object) -> dict[str, int]:
    """Every container that can be reached, by the class and the attribute that hold it; of several the largest."""
    found: dict[str, int] = {}
    seen: set[int] = set()
    todo = [("root", root) for root in roots]
    while todo:
        name, each = todo.pop()
        if id(each) in seen or isinstance(each, (str, bytes, int, float, type, type(sys))):
            continue
        seen.add(id(each))
        if isinstance(each, (Mapping, AbstractSet, deque, list, tuple)):
            found[name] = max(found.get(name, 0), len(each))
        todo.extend(_held_by(name, each))
    return found


def _held_by(name: str, each: object) -> Iterator[tuple[str, object]]:
    match each:
        case Mapping():
            yield from ((name, inner) for pair in list(each.items()) for inner in pair)
        case AbstractSet() | deque() | list() | tuple():
            yield from ((name, inner) for inner in list(each))
        case MethodType():
            yield name, each.__self__
        case FunctionType():
            yield from ((f"{each.__qualname__}.{cell}", cell.cell_contents) for cell in _cells(each))
            if hasattr(each, "cache_info"):
                yield f"{each.__qualname__}.cache", range(each.cache_info().currsize)
        case _:
            yield from ((f"{type(each).__name__}.{attribute}", value) for attribute, value in _attributes(each))


def _cells(function: FunctionType) -> Sequence[object]:
    return [cell for cell in function.__closure__ or () if _is_filled(cell)]


def _is_filled(cell: object) -> bool:
    try:
        cell.cell_contents  # type: ignore[attr-defined] # noqa: B018
    except ValueError:
        return False
    return True


def _attributes(each: object) -> Iterator[tuple[str, object]]:
    yield from list(getattr(each, "__dict__", {}).items())
    for kind in type(each).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if hasattr(each, slot):
                yield slot, getattr(each, slot)


def modules() -> list[object]:
    """What modules of ours and of the SDKs hold on their own account."""
    return [
        dict(vars(module))
        for name, module in list(sys.modules.items())
        if name.split(".")[0] in ("consumer", "oss2", "mns", "structlog", "prometheus_client")
    ]


def send(channel: Emulator, wave: int) -> None:
    """Messages in which all that a message can say is invented, and nowhere said before."""
    ours = int(channel.endpoints.account_id)
    for number in range(WAVE):
        mark = f"{wave}x{number}"
        for account in (ours, 900_000_000 + wave * WAVE + number):
            for rule in ("cr-read", f"cr-{mark}"):
                invented = event_body(
                    resourceId=f"bucket-{mark}",
                    regionId=f"xx-{mark}",
                    resourceOwnerId=account,
                    accountId=account,
                    configRuleId=rule,
                    configRuleName=f"name-{mark}",
                    sourceIdentifier="",
                    requestId=f"request-{mark}",
                )
                channel.config.publish_raw(invented)
        channel.config.publish_raw(f"poison {mark}")
    channel.create_buckets([f"real-{wave}-{number}" for number in range(WAVE)], acl="public-read")


def waiting(channel: Emulator) -> int:
    """How many messages the queue holds, hidden ones included."""
    found = channel.state()["mns"]["queues"]["config-events"]
    return int(found["active"] + found["inactive"] + found["delayed"])


def test_only_what_is_documented_grows_with_what_a_publisher_invents(channel: Emulator, run: Run) -> None:
    """Wave after wave of invented names, and each that is kept has its place in the table and its bound."""
    with run(engine__workers="8") as running:
        grown: set[str] = set()
        before: dict[str, int] = {}
        for wave in range(3):
            send(channel, wave)
            eventually(lambda: not waiting(channel))
            now = sizes(running.service, *modules())
            if wave:
                grown |= {name for name, size in now.items() if size >= before.get(name, 0) + WAVE / 2}
            before = now
    assert grown <= documented().keys()
    assert grown, "a test that finds nothing would not find the next one either"
