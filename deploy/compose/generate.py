"""Keeps breaking buckets, so that there is always something to see: the generator of the compose project.

It plays the people of an account who change settings by hand, and now and then somebody who sends nonsense to the
topic, and a service that is slow or fails. It never repairs anything.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from deploy.compose.emulated import emulated
from deploy.compose.provision import RULES
from emulator.client import Emulator

FLEET = tuple(f"compose-{number:03}" for number in range(60))
FAVOURITE = "compose-favourite"
"""Somebody's automation opens it again and again."""
STATIC = "compose-static"
"""Public on purpose; the worker's configuration exempts it."""
_GOOD: dict[str, Any] = {"acl": "private", "encryption": {"algorithm": "AES256"}, "versioning": "Enabled"}
_KEPT_ENTRIES = 50_000

Step = Callable[[Emulator, random.Random], None]


def open_for_reading(emulator: Emulator, dice: random.Random) -> None:
    """Somebody publishes a bucket."""
    emulator.change_bucket(dice.choice(FLEET), acl="public-read")


def open_for_writing(emulator: Emulator, dice: random.Random) -> None:
    """Somebody lets everybody write."""
    emulator.change_bucket(dice.choice(FLEET), acl="public-read-write")


def open_the_favourite(emulator: Emulator, dice: random.Random) -> None:  # noqa: ARG001 - nothing is left to chance
    """Somebody's automation puts back what it thinks is right."""
    emulator.change_bucket(FAVOURITE, acl="private")
    emulator.change_bucket(FAVOURITE, acl="public-read")


def report_the_static_site(emulator: Emulator, dice: random.Random) -> None:  # noqa: ARG001 - nothing is left to chance
    """Cloud Config knows nothing of exemptions."""
    emulator.config.evaluate(bucket=STATIC, rule="cr-public-read")


def take_encryption_away(emulator: Emulator, dice: random.Random) -> None:
    """Somebody removes a bucket's default encryption."""
    emulator.change_bucket(dice.choice(FLEET), encryption=None)


def suspend_versioning(emulator: Emulator, dice: random.Random) -> None:
    """Somebody suspends versioning, of a few buckets only: the rule for it observes, so they stay as they are."""
    emulator.change_bucket(dice.choice(FLEET[:3]), versioning="Suspended")


def evaluate_again(emulator: Emulator, dice: random.Random) -> None:
    """Cloud Config reports what is still wrong, as it does every day."""
    emulator.config.evaluate(rule=dice.choice(list(RULES.values())))


def report_a_deleted_bucket(emulator: Emulator, dice: random.Random) -> None:
    """A late event for a bucket that is gone."""
    emulator.config.publish(bucket=f"gone-{dice.randrange(1000)}", rule="cr-public-read")


def send_nonsense(emulator: Emulator, dice: random.Random) -> None:
    """A body that is no event."""
    emulator.config.publish_raw(dice.choice(["not base64 at all!", "{", "e30="]))


def fail_a_little(emulator: Emulator, dice: random.Random) -> None:
    """A service that answers with an error or late, a few times."""
    fault: dict[str, Any] = {"service": dice.choice(["mns", "oss"]), "count": dice.randint(1, 3)}
    if dice.random() < 0.5:
        emulator.faults.add("error", status=503, code="ServiceUnavailable", **fault)
    else:
        emulator.faults.add("latency", seconds=1.5, **fault)


STEPS: tuple[tuple[Step, int], ...] = (
    (open_for_reading, 50),
    (open_for_writing, 15),
    (open_the_favourite, 12),
    (report_the_static_site, 3),
    (take_encryption_away, 15),
    (suspend_versioning, 3),
    (evaluate_again, 2),
    (report_a_deleted_bucket, 6),
    (send_nonsense, 3),
    (fail_a_little, 6),
)
"""What happens, and how often compared with the rest."""


def prepare(emulator: Emulator) -> None:
    """The fleet in good order, where it is not there yet."""
    known = emulator.acls()
    if missing := [name for name in (*FLEET, FAVOURITE) if name not in known]:
        emulator.create_buckets(missing, **_GOOD)
    if STATIC not in known:
        emulator.create_buckets([STATIC], **{**_GOOD, "acl": "public-read"})


def step(emulator: Emulator, dice: random.Random) -> str:
    """Let one thing happen; returns its name."""
    chosen: Step = dice.choices([act for act, _ in STEPS], [weight for _, weight in STEPS])[0]
    chosen(emulator, dice)
    return chosen.__name__


def _forget_old_entries(emulator: Emulator) -> None:
    last = int(emulator.control.call("GET", "/journal", limit=1)["last"])
    if last > _KEPT_ENTRIES:
        emulator.clear_journal(last - _KEPT_ENTRIES)


def main() -> int:
    """Break something every GENERATOR_SECONDS on average until SIGTERM."""
    pause_seconds = float(os.environ.get("GENERATOR_SECONDS", "2"))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    emulator, dice = emulated(), random.Random()  # noqa: S311 - nothing secret is drawn
    prepare(emulator)
    done = 0
    while not stop.wait(dice.expovariate(1 / pause_seconds)):
        sys.stdout.write(f"{step(emulator, dice)}\n")
        done += 1
        if done % 100 == 0:
            _forget_old_entries(emulator)
    return 0


if __name__ == "__main__":
    sys.exit(main())
