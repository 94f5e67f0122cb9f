"""The canary: broken only to what is put back exactly, and put back as long as that may help."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from consumer.core.errors import PermissionMissing, PublicAccessBlocked, ResourceGone, Unanswered, Unavailable
from consumer.guards.rule import Mode, Rule, Selector
from consumer.operator.check.findings import Status
from consumer.operator.prove.canary import RESTORE_SECONDS, Canary, Deadline, NotBreakable
from consumer.operator.prove.preflight import NotProvable
from consumer.remediations.base import Change
from consumer.resources.oss.bucket import BucketInfo
from consumer.resources.oss.named_settings import NamedSettings
from consumer.resources.oss.settings.encryption import Encryption
from tests.unit.remediations.findings import remediation

_AES = Encryption("AES256")
_INFO = BucketInfo("1234567890123456", "cn-hangzhou", "2026-01-01T00:00:00.000Z", "private")


@dataclass
class Clock:
    """Passes only while somebody waits."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class World:
    """The canary behind a service that can fail."""

    encryption: Encryption | None = _AES
    shown: list[Encryption | None] = field(default_factory=list)
    """What the next reads show instead, as a service does that shows changes late."""
    failures: list[Exception | None] = field(default_factory=list)
    """What the next requests that change something raise; None lets one through."""
    info: BucketInfo | None = _INFO
    writes: int = 0


class WorldBucket(NamedSettings):
    """The canary as the command sees it."""

    name = "the-canary"

    def __init__(self, world: World) -> None:
        self._world = world
        self.request_ids: list[str] = []
        self.granted: set[str] = set()

    def info(self) -> BucketInfo:
        if self._world.info is None:
            raise ResourceGone("oss", "GetBucketInfo", "NoSuchBucket", "gone")
        return self._world.info

    identity = info

    def is_empty(self) -> bool:
        return True

    def put_acl(self, acl: str) -> None:
        raise NotImplementedError(acl)

    def delete(self) -> None:
        raise NotImplementedError

    def read(self, _setting: Any) -> Any:
        return self._world.shown.pop(0) if self._world.shown else self._world.encryption

    def write(self, _setting: Any, value: Any) -> None:
        self._change(value)

    def clear(self, _setting: Any) -> None:
        self._change(None)

    def _change(self, value: Encryption | None) -> None:
        self._world.writes += 1
        if self._world.failures and (failure := self._world.failures.pop(0)):
            if isinstance(failure, Unanswered):
                self._world.encryption = value
            raise failure
        self._world.encryption = value


def _canary(world: World) -> tuple[Canary, Change, Clock]:
    clock = Clock()
    rule = Rule("encryption", Selector(), remediation("oss.encryption"), Mode.ENFORCE, 900)
    canary = Canary("1234567890123456", WorldBucket(world), rule, Deadline(), monotonic=clock, pause=clock.sleep)
    return canary, canary.rehearsal(_INFO, "config-remediator repair the-canary"), clock


def _unanswered() -> Unanswered:
    return Unanswered("oss", "DeleteBucketEncryption", "timeout", "no answer")


def test_it_is_broken_and_put_back() -> None:
    """To the letter; one write each."""
    world = World()
    canary, rehearsal, _ = _canary(world)
    canary.break_it(rehearsal, _INFO)
    assert world.encryption is None
    restored = canary.restore(rehearsal, _INFO, repaired=False)
    assert (restored.well, restored.text, world.encryption, world.writes) == (True, "was put back from null", _AES, 2)


def test_what_was_repaired_is_not_written_again() -> None:
    """Only looked at."""
    world = World()
    canary, rehearsal, _ = _canary(world)
    canary.break_it(rehearsal, _INFO)
    world.encryption = _AES
    restored = canary.restore(rehearsal, _INFO, repaired=True)
    assert (restored.well, restored.text, world.writes) == (True, "is as it was found", 1)


def test_a_repair_that_is_gone_again_is_made_by_hand() -> None:
    """Another proof has broken it in between, or the look that showed the repair was one at the past."""
    world = World()
    canary, rehearsal, _ = _canary(world)
    canary.break_it(rehearsal, _INFO)
    assert canary.restore(rehearsal, _INFO, repaired=True).well
    assert world.encryption == _AES


def test_a_break_that_shows_late_is_waited_for_and_put_back() -> None:
    """The old state that a service still shows is no reason to leave it broken."""
    world = World()
    canary, rehearsal, clock = _canary(world)
    world.shown = [_AES, _AES]
    canary.break_it(rehearsal, _INFO)
    assert clock.now > 0
    world.shown = [_AES] * 100
    with pytest.raises(NotProvable, match="reads"):
        canary.break_it(rehearsal, _INFO)
    assert canary.restore(rehearsal, _INFO, repaired=False).well
    assert world.encryption == _AES


def test_a_break_without_an_answer_is_put_back_and_said() -> None:
    """It may have been made, and may be made yet."""
    world = World(failures=[_unanswered()])
    canary, rehearsal, _ = _canary(world)
    with pytest.raises(Unanswered):
        canary.break_it(rehearsal, _INFO)
    restored = canary.restore(rehearsal, _INFO, repaired=False)
    assert (restored.well, world.encryption) == (True, _AES)
    assert "never answered" in restored.text


def test_what_block_public_access_refuses_is_not_broken() -> None:
    """Nothing has to be put back, so nothing is written; what reads otherwise all the same is."""
    refusal = PublicAccessBlocked("oss", "PutBucketAcl", "AccessDenied", "Put public bucket acl is not allowed")
    world = World(failures=[refusal])
    canary, rehearsal, _ = _canary(world)
    with pytest.raises(NotBreakable, match="Block Public Access is on") as raised:
        canary.break_it(rehearsal, _INFO)
    assert raised.value.status is Status.SKIPPED
    assert canary.restore(rehearsal, _INFO, repaired=True).text == "is as it was found"
    assert world.writes == 1
    world.encryption = None
    assert canary.restore(rehearsal, _INFO, repaired=True).well
    assert world.encryption == _AES


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("oss", "PutBucketEncryption", "ServiceUnavailable", "later"),
        PermissionMissing("oss", "PutBucketEncryption", "AccessDenied", "no"),
    ],
)
def test_what_fails_is_tried_again_and_has_an_end(error: Exception) -> None:
    """A grant may come meanwhile; after a minute it is said what is left, and what it was."""
    world = World()
    canary, rehearsal, clock = _canary(world)
    canary.break_it(rehearsal, _INFO)
    world.failures = [error] * 5
    assert canary.restore(rehearsal, _INFO, repaired=False).well
    canary.break_it(rehearsal, _INFO)
    world.failures = [error] * 1_000
    began = clock.now
    restored = canary.restore(rehearsal, _INFO, repaired=False)
    assert not restored.well
    assert clock.now - began <= RESTORE_SECONDS
    assert rehearsal.after in restored.text


@pytest.mark.parametrize("info", [None, replace(_INFO, incarnation="2026-02-02T00:00:00.000Z")])
def test_what_is_gone_or_made_anew_is_not_touched(info: BucketInfo | None) -> None:
    """Its owner's new bucket is nobody's canary yet."""
    world = World()
    canary, rehearsal, _ = _canary(world)
    canary.break_it(rehearsal, _INFO)
    writes, world.info = world.writes, info
    restored = canary.restore(rehearsal, _INFO, repaired=False)
    assert (restored.well, world.writes) == (True, writes)
