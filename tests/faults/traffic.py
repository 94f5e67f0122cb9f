"""What arrives: real events, duplicates, stale ones, poison, and resources that change under the worker's hands."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable

from emulator.client import Emulator
from tests.faults.group_traffic import GroupTraffic
from tests.faults.stage import ENCRYPTION_RULE, READ_RULE, WRITE_RULE

STRANGER = "9999888877776666"
_MOST_OBSERVED = 30
"""Buckets that break the rule which observes, at once: their messages go round for ever, so many must not be many."""
_LARGE_BYTES = 65_300
"""A message that fits into the queue, and not with its history."""
_VARIANTS = ("current", "2021", "oldest", "log-service", "event-bridge")
_HOSTILE: tuple[dict[str, object], ...] = (
    {".resourceId": "evil.example/x#"},
    {".resourceId": "UPPER_case"},
    {".resourceId": "../../etc"},
    {".resourceId": "b\u0430nk"},
    {".regionId": "cn-hangzhou@evil.example"},
    {".regionId": "evil.example/x#"},
    {".resourceOwnerId": int(STRANGER)},
    {".resourceType": "ACS::ECS::Instance"},
    {"evaluationResultIdentifier.orderingTimestamp": "yesterday"},
    {".configRuleId": ["a", "list"]},
)
_POISON = (
    "not base64 at all!",
    "e30=",
    "{",
    "[]",
    "null",
    "<Notification><Message>",
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y "z">]><Notification><Message>&y;</Message></Notification>',
    "\N{BLACK HEART SUIT}" * 2000,
    "[" * 30_000,
    "x" * 65_000,
    json.dumps({"evaluationResultIdentifier": {"evaluationResultQualifier": None}}),
)


class Traffic:
    """Draws one happening after the other from seeded dice."""

    def __init__(self, emulator: Emulator, dice: random.Random, groups: GroupTraffic) -> None:
        self._emulator = emulator
        self._dice = dice
        self._order = random.Random(dice.random())  # noqa: S311 - repeatable on purpose
        """What happens. To what it happens is drawn from the other dice, as often as the machine's pace has it: a
        seed names the same happenings everywhere."""
        self._buckets: list[str] = []
        self._deleted: list[str] = []
        self._created_at: dict[str, float] = {}
        self._observed: list[str] = []
        self._count = 0
        self.last_deletion_at = 0.0
        """Monotonic seconds."""
        self.claimed: list[str] = []
        """Buckets of another account that an event says are ours: refused in the words of a missing permission, so that
        their messages wait for a person."""
        self.done: Counter[str] = Counter()
        self._happenings: tuple[tuple[int, Callable[[], None]], ...] = (
            (40, self._new_public_bucket),
            (20, self._duplicate),
            (12, self._public_again),
            (8, self._stale),
            (6, self._delete),
            (6, self._poison),
            (3, self._hostile),
            (3, self._other_kind),
            (6, self._observed_bucket),
            (1, self._too_large_to_park),
            (2, self._made_private_by_hand),
            (2, self._created_again),
            (1, self._of_a_stranger),
            *groups.happenings,
        )

    def happen(self) -> None:
        """One more thing."""
        weights = [weight for weight, _ in self._happenings]
        happening = self._order.choices([each for _, each in self._happenings], weights)[0]
        happening()
        self.done[happening.__name__.strip("_").replace("_", " ")] += 1

    def _new_public_bucket(self) -> None:
        self._create(f"bucket-{self._count:06}")
        self._count += 1

    def _duplicate(self) -> None:
        self._publish(self._recent(), count=self._dice.randint(1, 3))

    def _stale(self) -> None:
        """An event of long ago, for a bucket that is there, was there or never was."""
        bucket = self._dice.choice([self._recent(), *self._deleted[-20:], "never-there"])
        long_ago = 1_600_000_000_000 + self._dice.randrange(10**9)
        self._publish(bucket, overrides={"evaluationResultIdentifier.orderingTimestamp": long_ago})

    def _public_again(self) -> None:
        if bucket := self._existing():
            self._emulator.change_bucket(bucket, acl=self._acl())

    def _made_private_by_hand(self) -> None:
        if bucket := self._existing():
            self._emulator.change_bucket(bucket, acl="private")

    def _delete(self) -> None:
        """A bucket is deleted, most likely a moment after an event of it has set out.

        Never within a second of its creation: OSS tells creation dates by the second, so one that is made anew in
        the same second cannot be told from the first; see docs/guarantees.md.
        """
        old = [name for name in self._buckets[-200:] if time.monotonic() - self._created_at[name] > 1.1]
        if not old:
            return
        bucket = self._dice.choice(old)
        if self._dice.random() < 0.8:
            self._emulator.change_bucket(bucket, acl=self._acl())
            time.sleep(self._dice.uniform(0, 0.03))
        self._emulator.delete_bucket(bucket)
        self.last_deletion_at = time.monotonic()
        self._buckets.remove(bucket)
        self._deleted.append(bucket)

    def _created_again(self) -> None:
        """Its owner makes a bucket of the same name anew."""
        while self._deleted:
            name = self._deleted.pop(self._dice.randrange(len(self._deleted)))
            if name not in self._emulator.acls():
                self._create(name)
                return

    def _poison(self) -> None:
        self._emulator.config.publish_raw(self._dice.choice(_POISON))

    def _hostile(self) -> None:
        bent = self._dice.choice(_HOSTILE)
        self._emulator.config.publish(bucket=self._recent(), rule=READ_RULE, overrides=bent)

    def _other_kind(self) -> None:
        kind = self._dice.choice(("resource-change", "snapshot-success", "snapshot-failure"))
        self._emulator.config.publish(kind=kind, bucket=self._recent())

    def _of_a_stranger(self) -> None:
        """A bucket of another account, told as it is, or as if it were ours."""
        name = f"stranger-{self._count:06}"
        self._count += 1
        self._emulator.create_buckets([name], acl="public-read", owner_id=STRANGER)
        owner = self._dice.choice((STRANGER, self._emulator.endpoints.account_id))
        if owner != STRANGER:
            self.claimed.append(name)
        self._publish(name, owner_id=owner)

    def _observed_bucket(self) -> None:
        """A bucket that breaks the rule which observes; where there are enough of those, its owner repairs one."""
        if len(self._observed) >= _MOST_OBSERVED:
            self._encrypt(self._observed.pop(self._dice.randrange(len(self._observed))))
            return
        name = f"observed-{self._count:06}"
        self._count += 1
        self._emulator.create_buckets([name], acl="private")
        self._observed.append(name)
        self._publish_observed(name)

    def _too_large_to_park(self) -> None:
        """One more event of such a bucket, so long that its history does not fit beside it."""
        if not self._observed:
            self._observed_bucket()
        event = self._publish_observed(self._dice.choice(self._observed))
        event["annotation"] = ""
        event["annotation"] = "x" * (_LARGE_BYTES - len(json.dumps(event)))
        self._emulator.config.publish_raw(json.dumps(event))

    def _publish_observed(self, bucket: str) -> dict[str, object]:
        answer = self._emulator.control.call("POST", "/config/publish", {"bucket": bucket, "rule": ENCRYPTION_RULE})
        return dict(answer["event"])

    def _encrypt(self, bucket: str) -> None:
        self._emulator.change_bucket(bucket, encryption={"algorithm": "AES256"})

    def end(self) -> None:
        """What was only observed is repaired by its owners, so that no message has a reason to wait any more."""
        while self._observed:
            self._encrypt(self._observed.pop())

    def _create(self, name: str) -> None:
        self._emulator.create_buckets([name], acl=self._acl())
        self._created_at[name] = time.monotonic()
        self._buckets.append(name)

    def _publish(self, bucket: str, **more: object) -> None:
        variant = "current" if "overrides" in more else self._dice.choice(_VARIANTS)
        self._emulator.config.publish(
            bucket=bucket,
            rule=self._dice.choice((READ_RULE, WRITE_RULE)),
            variant=variant,
            encoding=self._dice.choice(("base64", "plain")),
            **more,
        )

    def _recent(self) -> str:
        """Most likely one of the newest buckets: it is in work right now."""
        if not self._buckets:
            return "never-there"
        return self._dice.choice(self._buckets[-8:] if self._dice.random() < 0.7 else self._buckets)

    def _existing(self) -> str | None:
        return self._recent() if self._buckets else None

    def _acl(self) -> str:
        return self._dice.choice(("public-read", "public-read", "public-read-write"))
