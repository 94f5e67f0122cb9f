"""Keeps breaking buckets, so that there is always something to see: the generator of the compose project.

It plays the people of an account who change settings by hand, and now and then somebody who sends nonsense to the
topic, and a service that is slow or fails. It never repairs anything.

It may run for days: people work as fast as GENERATOR_SECONDS says, but what leaves something behind (a message that
stays, a letter, a fault) happens by the clock, and what is left behind is bounded.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from deploy.compose.emulated import UNAVAILABLE, Pause, emulated, persist, say
from deploy.compose.provision import RULES, provision
from emulator.client import Emulator
from emulator.interruption import command

FLEET = tuple(f"compose-{number:03}" for number in range(2000))
"""So many that even at the fastest setting none is opened often enough to count as contested."""
FAVOURITE = "compose-favourite"
"""Somebody's automation opens it again and again."""
STATIC = "compose-static"
"""Public on purpose; the worker's configuration exempts it."""
FASTEST_SECONDS, SLOWEST_SECONDS = 0.1, 3600.0
_GOOD: dict[str, Any] = {"acl": "private", "encryption": {"algorithm": "AES256"}, "versioning": "Enabled"}
_KEPT_ENTRIES = 50_000
_TIDY_STEPS = 100

Step = Callable[[Emulator, random.Random], None]


def open_for_reading(emulator: Emulator, dice: random.Random) -> None:
    """Somebody publishes a bucket."""
    emulator.change_bucket(dice.choice(FLEET), acl="public-read")


def open_for_writing(emulator: Emulator, dice: random.Random) -> None:
    """Somebody lets everybody write."""
    emulator.change_bucket(dice.choice(FLEET), acl="public-read-write")


def open_the_favourite(emulator: Emulator, dice: random.Random) -> None:  # noqa: ARG001 - nothing is left to chance
    """Somebody's automation puts back what it thinks is right, once it has been changed."""
    if emulator.control.call("GET", f"/buckets/{FAVOURITE}")["acl"] == "private":
        emulator.change_bucket(FAVOURITE, acl="public-read")


def report_the_static_site(emulator: Emulator, dice: random.Random) -> None:  # noqa: ARG001 - nothing is left to chance
    """Cloud Config knows nothing of exemptions."""
    emulator.config.evaluate(bucket=STATIC, rule="cr-public-read")


def take_encryption_away(emulator: Emulator, dice: random.Random) -> None:
    """Somebody removes a bucket's default encryption."""
    emulator.change_bucket(dice.choice(FLEET), encryption=None)


def report_a_deleted_bucket(emulator: Emulator, dice: random.Random) -> None:
    """A late event for a bucket that is gone."""
    emulator.config.publish(bucket=f"gone-{dice.randrange(1000)}", rule="cr-public-read")


STEPS: tuple[tuple[Step, int], ...] = (
    (open_for_reading, 50),
    (open_for_writing, 15),
    (open_the_favourite, 12),
    (report_the_static_site, 3),
    (take_encryption_away, 15),
    (report_a_deleted_bucket, 6),
)
"""What people do, and how often compared with the rest."""


def suspend_versioning(emulator: Emulator, dice: random.Random) -> None:
    """Somebody suspends versioning, of a few buckets only: the rule for it observes, so they stay as they are."""
    bucket = dice.choice(FLEET[:3])
    if emulator.config.compliance(bucket=bucket, rule="cr-versioning", compliance="COMPLIANT"):
        emulator.change_bucket(bucket, versioning="Suspended")


def evaluate_again(emulator: Emulator, dice: random.Random) -> None:
    """Cloud Config reports what is still wrong, as it does every day."""
    emulator.config.evaluate(rule=dice.choice(list(RULES.values())))


def send_nonsense(emulator: Emulator, dice: random.Random) -> None:
    """A body that is no event."""
    emulator.config.publish_raw(dice.choice(["not base64 at all!", "{", "e30="]))


def lose_a_notification(emulator: Emulator, dice: random.Random) -> None:
    """What is found next never reaches the topic; catch-up brings it."""
    emulator.config.set_channel(lose=1)
    open_for_reading(emulator, dice)


def fail_a_little(emulator: Emulator, dice: random.Random) -> None:
    """A service of whose answers some are errors or late, for a few seconds; it ends whatever becomes of us."""
    fault: dict[str, Any] = {"service": dice.choice(["mns", "oss"]), "probability": 0.3, "lasts_seconds": 5}
    emulator.faults.clear()  # never two at once
    if dice.random() < 0.5:
        emulator.faults.add("error", status=503, code="ServiceUnavailable", **fault)
    else:
        emulator.faults.add("latency", seconds=1.5, **fault)


OCCASIONS: tuple[tuple[Step, float], ...] = (
    (fail_a_little, 60.0),
    (send_nonsense, 60.0),
    (suspend_versioning, 120.0),
    (lose_a_notification, 180.0),
    (evaluate_again, 300.0),
)
"""What happens by the clock, however fast people work, and how many seconds pass in between on average."""


class Calendar:
    """When each occasion comes next."""

    def __init__(self, dice: random.Random, now: Callable[[], float]) -> None:
        self._dice = dice
        self._now = now
        self._due = {act: self._next(mean) for act, mean in OCCASIONS}

    def due(self) -> list[Step]:
        """The occasions that have come since the last look; each at most once, and then at some later time again."""
        come = [(act, mean) for act, mean in OCCASIONS if self._due[act] <= self._now()]
        self._due.update({act: self._next(mean) for act, mean in come})
        return [act for act, _ in come]

    def _next(self, mean_seconds: float) -> float:
        return self._now() + self._dice.expovariate(1 / mean_seconds)


def prepare(emulator: Emulator) -> None:
    """The fleet in good order, where it is not there yet."""
    known = emulator.acls()
    if missing := [name for name in (*FLEET, FAVOURITE) if name not in known]:
        emulator.create_buckets(missing, **_GOOD)
    if STATIC not in known:
        emulator.create_buckets([STATIC], **{**_GOOD, "acl": "public-read"})


class Generator:
    """Everything that happens, one thing after the other, on one emulator."""

    def __init__(self, emulator: Emulator, dice: random.Random, now: Callable[[], float] = time.monotonic) -> None:
        self._emulator = emulator
        self._dice = dice
        self._calendar = Calendar(dice, now)
        self._steps = 0

    def begin(self) -> None:
        """Make sure of everything that this relies on; an emulator that was started again has forgotten it."""
        self._emulator.faults.clear()  # a generator that was killed may have left one
        provision(self._emulator)
        prepare(self._emulator)

    def step(self) -> list[str]:
        """Let one thing happen, and before it each occasion that has come; returns their names."""
        usual: Step = self._dice.choices([act for act, _ in STEPS], [weight for _, weight in STEPS])[0]
        happened = [*self._calendar.due(), usual]
        for act in happened:
            act(self._emulator, self._dice)
        self._steps += 1
        if self._steps % _TIDY_STEPS == 0:
            self._forget_old_entries()
        return [act.__name__ for act in happened]

    def _forget_old_entries(self) -> None:
        last = int(self._emulator.control.call("GET", "/journal", limit=1)["last"])
        if last > _KEPT_ENTRIES:
            self._emulator.clear_journal(last - _KEPT_ENTRIES)


def pause_seconds(text: str) -> float:
    """GENERATOR_SECONDS as a number.

    Raises:
        SystemExit: it is none, or out of range.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not FASTEST_SECONDS <= seconds <= SLOWEST_SECONDS:
        raise SystemExit(f"GENERATOR_SECONDS must be a number from {FASTEST_SECONDS:g} to 3600, not {text!r}")
    return seconds


def run(generator: Generator, emulator: Emulator, rest: Callable[[], bool], pause: Pause) -> None:
    """Go on until `rest` says that it is enough; an emulator that is away for a while is waited for."""
    while persist(emulator, generator.begin, pause):
        try:
            while not rest():
                say(" ".join(generator.step()))
        except UNAVAILABLE as error:
            say(f"the emulator at {emulator.control.url} failed: {error}")
        else:
            return


def main() -> int:
    """Break something every GENERATOR_SECONDS on average until SIGTERM."""
    mean_seconds = pause_seconds(os.environ.get("GENERATOR_SECONDS", "2"))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    emulator, dice = emulated(), random.Random()  # noqa: S311 - nothing secret is drawn
    run(Generator(emulator, dice), emulator, lambda: stop.wait(dice.expovariate(1 / mean_seconds)), stop.wait)
    return 0


if __name__ == "__main__":
    command("generator", main)
