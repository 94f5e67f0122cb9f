"""What goes wrong: the faults of the network and the services, and what is done to the processes.

Everything is drawn from one seeded random generator, so that a seed names a campaign.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field

from mns.queue import QueueMeta

from emulator.client import Emulator, JournalEntry
from emulator.provisioning import account
from tests.faults.replica import Replica
from tests.faults.stage import LEASE_SECONDS, QUEUE

_MNS = ("BatchReceiveMessage", "BatchDeleteMessage", "ChangeMessageVisibility", "SendMessage")
_ECS = ("DescribeSecurityGroup*", "RevokeSecurityGroup")
_OSS = ("GetBucket*", "PutBucketAcl", "DeleteBucket")
_MAIN: dict[str, object] = {"resource": f"/queues/{QUEUE}/*"}
_COPY_WITHIN_SECONDS = 5.0
"""What is observed goes round faster, unless parking is interrupted."""
_SKEW_SECONDS = -1200.0
"""Beyond the quarter of an hour that both services allow. Backwards: what an open poll hands out while the services'
clock is ahead stays hidden, by that clock, for twenty minutes after it has been put right."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One kind of trouble, ready to be switched on."""

    label: str
    service: str
    operations: tuple[str, ...]
    kind: str
    most: float = 0.15
    """The highest share of requests that it may strike."""
    settings: dict[str, object] = field(default_factory=dict)


RECIPES = (
    Recipe("reset before effect", "mns", _MNS, "reset_before"),
    Recipe("reset after effect", "mns", _MNS, "reset_after"),
    Recipe("lost reply", "mns", _MNS, "lost_reply"),
    Recipe("stalled reply", "mns", _MNS, "stall", 0.05, {"seconds": 5.0}),
    Recipe("dripping reply", "mns", _MNS, "drip", 0.05, {"seconds": 0.05}),
    Recipe("throttled", "mns", _MNS, "error", settings={"status": 429, "code": "TooManyRequests"}),
    Recipe("server error", "mns", _MNS, "error", settings={"status": 500, "code": "InternalServerError"}),
    Recipe("error after effect", "mns", _MNS, "error_after", settings={"status": 500, "code": "InternalServerError"}),
    Recipe("damaged XML", "mns", _MNS, "damaged_xml"),
    Recipe("truncated reply", "mns", _MNS, "truncated"),
    Recipe("not XML", "mns", _MNS, "not_xml"),
    Recipe("web page", "mns", _MNS, "web_page"),
    Recipe("redirect", "mns", _MNS, "redirect", settings={"status": 302}),
    Recipe("duplicate delivery", "mns", ("BatchReceiveMessage",), "duplicate", 0.4),
    Recipe("early empty poll", "mns", ("BatchReceiveMessage",), "early_empty", 0.5),
    Recipe("slow queue", "mns", _MNS, "latency", 0.1, {"seconds": 0.4}),
    Recipe("slow renewals", "mns", ("ChangeMessageVisibility",), "latency", 0.5, {"seconds": 0.25}),
    Recipe("deletion refused", "mns", ("BatchDeleteMessage",), "error", 0.4, {"status": 403, "code": "AccessDenied"}),
    Recipe("silent dead-letter queue", "mns", ("SendMessage",), "stall", 0.6, {"seconds": 5.0}),
    # No page names how many messages a queue may hold, nor with what code it says so: any refusal has to do.
    Recipe("full queue", "mns", ("SendMessage",), "error", 0.9, {"status": 403, "code": "QueueFull", **_MAIN}),
    Recipe(
        "copies throttled", "mns", ("SendMessage",), "error", 0.9, {"status": 429, "code": "TooManyRequests", **_MAIN}
    ),
    Recipe(
        "properties refused", "mns", ("SendMessage",), "error", 0.9, {"status": 400, "code": "InvalidArgument", **_MAIN}
    ),
    Recipe("confirmation of a copy lost", "mns", ("SendMessage",), "reset_after", 0.5, _MAIN),
    Recipe("unknown refusal", "mns", _MNS, "error", 0.1, {"status": 400, "code": "NeverSeenBefore"}),
    Recipe("reset before effect", "oss", _OSS, "reset_before"),
    Recipe("reset after effect", "oss", _OSS, "reset_after"),
    Recipe("lost reply", "oss", _OSS, "lost_reply"),
    Recipe("stalled reply", "oss", _OSS, "stall", 0.05, {"seconds": 5.0}),
    Recipe("dripping reply", "oss", _OSS, "drip", 0.05, {"seconds": 0.05}),
    Recipe("throttled", "oss", _OSS, "error", settings={"status": 503, "code": "MetaOperationQpsLimitExceeded"}),
    Recipe("server error", "oss", _OSS, "error", settings={"status": 500, "code": "InternalError"}),
    # A change only: a look that is refused is not repeated at once, and an accident would not be taken back.
    Recipe("unknown refusal", "oss", ("PutBucketAcl",), "error", 0.3, {"status": 403, "code": "NeverSeenBefore"}),
    Recipe("busy bucket", "oss", ("PutBucketAcl",), "error", 0.4, {"status": 409, "code": "BucketBusy"}),
    Recipe("error after effect", "oss", _OSS, "error_after", settings={"status": 500, "code": "InternalError"}),
    Recipe("damaged XML", "oss", ("GetBucket*",), "damaged_xml"),
    Recipe("truncated reply", "oss", ("GetBucket*",), "truncated"),
    Recipe("not XML", "oss", _OSS, "not_xml"),
    Recipe("web page", "oss", _OSS, "web_page"),
    Recipe("redirect", "oss", _OSS, "redirect", settings={"status": 302}),
    Recipe("latency spike", "oss", _OSS, "latency", 0.1, {"seconds": 0.6}),
    # Reads only: what a change does that takes effect after its timeout is a limit in docs/guarantees.md.
    Recipe("latency beyond the timeout", "oss", ("GetBucket*",), "latency", 0.03, {"seconds": 1.5}),
    Recipe("reset before effect", "ecs", _ECS, "reset_before"),
    Recipe("reset after effect", "ecs", _ECS, "reset_after"),
    Recipe("lost reply", "ecs", _ECS, "lost_reply"),
    Recipe("stalled reply", "ecs", _ECS, "stall", 0.05, {"seconds": 5.0}),
    Recipe("throttled", "ecs", _ECS, "error", 0.4, {"status": 400, "code": "Throttling.User"}),
    Recipe("server error", "ecs", _ECS, "error", settings={"status": 503, "code": "ServiceUnavailable"}),
    Recipe("unknown refusal", "ecs", _ECS, "error", 0.3, {"status": 400, "code": "NeverSeenBefore"}),
    Recipe("error after effect", "ecs", _ECS, "error_after", settings={"status": 500, "code": "InternalError"}),
    Recipe("truncated reply", "ecs", _ECS, "truncated"),
    Recipe("damaged JSON", "ecs", _ECS, "damaged_xml"),
    Recipe("web page", "ecs", _ECS, "web_page"),
    Recipe("redirect", "ecs", _ECS, "redirect", settings={"status": 302}),
    Recipe("latency spike", "ecs", _ECS, "latency", 0.1, {"seconds": 0.6}),
)


class Weather:
    """Which faults are on; changes whenever it is told to."""

    def __init__(self, emulator: Emulator, dice: random.Random) -> None:
        self._emulator = emulator
        self._dice = dice
        self._labels: dict[int, str] = {}
        emulator.faults.seed(dice.randrange(2**32))

    def change(self) -> None:
        """Other faults from now on: a handful of recipes, each on some of its operations."""
        self.clear()
        for recipe in self._dice.sample(RECIPES, 8):
            for operation in recipe.operations:
                share = self._dice.uniform(0.01, recipe.most)
                fault = self._emulator.faults.add(
                    recipe.kind, operation, service=recipe.service, probability=share, **recipe.settings
                )
                self._labels[fault] = f"{recipe.service}: {recipe.label}"

    def clear(self) -> None:
        """No faults any more."""
        self._emulator.faults.clear()

    def struck(self) -> Counter[str]:
        """How often each kind of trouble has struck."""
        counted: Counter[str] = Counter()
        for fault, count in self._emulator.faults.struck().items():
            if fault in self._labels:
                counted[self._labels[fault]] += count
        return counted


class Violence:
    """What is done to the processes and to the world around them."""

    def __init__(self, emulator: Emulator, replicas: list[Replica], dice: random.Random) -> None:
        self._emulator = emulator
        self._replicas = replicas
        self._dice = dice
        self._frozen: list[tuple[float, Replica]] = []
        self._skewed_until: float | None = None
        self.done: Counter[str] = Counter()
        self.complaints: list[str] = []
        """What a process did that it never may."""

    def kill(self) -> None:
        """kill -9 at this very moment, and a new process in its place."""
        replica = self._dice.choice(self._replicas)
        if replica.running:
            replica.kill()
            self.done["kill -9"] += 1
        self._frozen = [frozen for frozen in self._frozen if frozen[1] is not replica]
        replica.start()

    def kill_on_copy(self) -> None:
        """kill -9 of a worker that has just parked a copy, and cannot delete the original any more."""
        last = self._emulator.control.call("GET", "/journal", limit=1)["last"]
        kind = self._dice.choice(("reset_before", "reset_after"))
        self._emulator.faults.add(kind, "BatchDeleteMessage", service="mns", lasts_seconds=_COPY_WITHIN_SECONDS)
        found: list[JournalEntry] = []
        until = time.monotonic() + _COPY_WITHIN_SECONDS
        while not found and time.monotonic() < until:
            found = self._emulator.journal(last, wait_seconds=0.1, operation="SendMessage", resource=f"queues/{QUEUE}")
        if not found:
            return
        key = found[0].access_key_id
        renewed = [each for each in self._replicas if not each.access_key_id]
        (replica, *_) = [each for each in self._replicas if each.access_key_id == key] or renewed
        if replica.running:
            replica.kill()
            self.done["kill -9 between copy and deletion"] += 1
        self._frozen = [frozen for frozen in self._frozen if frozen[1] is not replica]
        replica.start()

    def partition(self) -> None:
        """The queue is out of reach for a moment; requests on their way may or may not have arrived."""
        for kind in ("reset_after", "reset_before"):
            self._emulator.faults.add(kind, "*Message*", service="mns", probability=0.5, lasts_seconds=1.5)
        self._emulator.faults.add("reset_before", "*Message*", service="mns", lasts_seconds=1.5)
        self.done["partition from the queue"] += 1

    def delete_queue(self) -> bool:
        """Somebody deletes the queue with all that it holds, and creates it anew; whether it was done."""
        if self.skewed:
            return False  # nobody's requests are accepted
        with account(self._emulator) as owner:
            queue = owner.get_queue(QUEUE)
            queue.delete()
            time.sleep(self._dice.uniform(0.1, 1.0))
            queue.create(QueueMeta(vis_timeout=LEASE_SECONDS))
        self.done["queue deleted and created anew"] += 1
        return True

    def terminate(self) -> None:
        """SIGTERM: the process has to end within its grace; drained, or with its grace used up by faults."""
        replica = self._dice.choice(self._replicas)
        if not replica.running or any(frozen is replica for _, frozen in self._frozen):
            return
        status = replica.stop(60)
        self.done[f"SIGTERM (exit {status})"] += 1
        if status not in (0, 2, 3, 4, -signal.SIGTERM):  # 2, 3 and -15: the signal met a process that was starting
            self.complaints.append(f"{replica.name} ended with status {status} after SIGTERM")
        replica.start()

    def freeze(self, now: float) -> None:
        """SIGSTOP for longer than a lease."""
        replica = self._dice.choice(self._replicas)
        if replica.running and not any(frozen is replica for _, frozen in self._frozen):
            replica.signal(signal.SIGSTOP)
            self._frozen.append((now + LEASE_SECONDS + self._dice.uniform(0.5, 3), replica))
            self.done["SIGSTOP beyond a lease"] += 1

    def skew(self, now: float) -> None:
        """The services' clock jumps away from ours; every request is refused until it comes back."""
        if self._skewed_until is None:
            self._emulator.advance(_SKEW_SECONDS)
            self._skewed_until = now + self._dice.uniform(0.5, 2)
            self.done["clock skew"] += 1

    def revoke(self) -> None:
        """Temporary credentials end before their time."""
        known = self._emulator.control.call("GET", "/identities")["identities"]
        for identity in known:
            if identity["access_key_id"].startswith("STS."):
                self._emulator.remove_identity(identity["access_key_id"])
        self.done["credentials expired"] += 1

    @property
    def skewed(self) -> bool:
        """Whether the services' clock is away."""
        return self._skewed_until is not None

    def tick(self, now: float) -> None:
        """Thaw, bring the clock back and start again what has ended, when its time has come."""
        for until, replica in list(self._frozen):
            if now >= until:
                replica.signal(signal.SIGCONT)
                self._frozen.remove((until, replica))
        if self._skewed_until is not None and now >= self._skewed_until:
            self._emulator.advance(-_SKEW_SECONDS)
            self._skewed_until = None
        for replica in self._replicas:
            if not replica.running:
                self._ended_by_itself(replica)

    def _ended_by_itself(self, replica: Replica) -> None:
        status = replica.wait(1)
        if status in (2, 3):  # no credentials to be had, or no queue, at the moment of the start
            self.done[f"refused to start (exit {status}), restarted"] += 1
        else:
            self.complaints.append(f"{replica.name} ended by itself with status {status}")
        replica.start()

    def calm(self) -> None:
        """End whatever lasts."""
        self.tick(float("inf"))
