"""Remembers fixes in a directory that several replicas share, so that a fight is counted once and not by each of them.

Nothing is locked and nothing rewritten: a fix is an empty file that is created, a look is the listing of two folders,
so a process that is killed, two that write at once and a network file system do no harm. What the names say is known
to `consumer.guards.shared_contest.fix_records`; what is not a record of ours is left alone.

If in doubt nothing is changed: a directory that cannot be read raises, and so does one that does not answer in time.
A fix that cannot be recorded is remembered here, so that this replica alone still never fixes more often than allowed.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Collection, Mapping
from itertools import cycle, islice
from pathlib import Path

from consumer.core.errors import ConfigurationError, ContestUnreadable
from consumer.guards.contest import ContestPolicy
from consumer.guards.shared_contest import fix_records, record_folder
from consumer.guards.shared_contest.fix_records import SHARDS, Marks, Subject
from consumer.guards.shared_contest.time_limit import TimeLimit
from consumer.resources.oss.bucket import Resource

_PATIENCE_SECONDS = 5.0
"""Longer than a slow share takes, and short beside the time for which a repair holds its message."""

_MOST_UNRECORDED = 10_000
_FIXES, _CONTESTED = "fixes", "contested"
_ACTIONS = ("look", "record", "mark", "release", "clear", "count")

Say = Callable[..., None]
"""Takes the name of an event and fields, as a logger does."""


class SharedContest:
    """The fixes that all replicas with this directory have made; a `consumer.guards.contest.Contest`."""

    def __init__(
        self,
        directory: Path,
        policy: ContestPolicy,
        rules: Collection[str],
        say: Say,
        *,
        limit: TimeLimit | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Use a directory that `prepare` has been through; see `at`."""
        self._fixes = directory / _FIXES
        self._contested = directory / _CONTESTED
        self._policy = policy
        self._rules = {fix_records.rule_digest(rule): rule for rule in rules}
        self._say = say
        self._limit = limit or TimeLimit(_PATIENCE_SECONDS)
        self._wall = wall
        self._released_ms = 0
        self._release_told_ms = 0
        self._last_marks = Marks()
        self._lock = threading.Lock()
        self._errors = dict.fromkeys(_ACTIONS, 0)
        self._unrecorded: deque[str] = deque(maxlen=_MOST_UNRECORDED)
        # Replicas that start together clear different shards.
        self._turns = islice(cycle(SHARDS), random.randrange(len(SHARDS)), None)  # noqa: S311 - no secret hangs on it

    @classmethod
    def at(cls, directory: Path, policy: ContestPolicy, rules: Collection[str], say: Say) -> SharedContest:
        """Open the directory, and make in it what is missing.

        Raises:
            ConfigurationError: it is not there, is no directory, cannot be written, or does not answer.
        """
        limit = TimeLimit(_PATIENCE_SECONDS)
        try:
            limit.run(lambda: prepare(directory))
        except OSError as error:
            raise ConfigurationError(f"contest.directory: {directory} cannot be used: {error.strerror}") from None
        return cls(directory, policy, rules, say, limit=limit)

    def found_broken(self, rule: str, resource: Resource, now: float) -> float:  # noqa: ARG002 - the time is shared
        """Seconds for which the resource is left alone because it is contested; 0 if it may be fixed.

        Raises:
            ContestUnreadable: the directory cannot be read, or does not answer.
        """
        subject, now_ms = Subject.of(rule, resource), self._now_ms()
        try:
            return self._limit.run(lambda: self._look(subject, now_ms)) / 1000
        except OSError as error:
            self._count("look")
            raise ContestUnreadable(f"contest.directory cannot be read: {error.strerror}") from None

    def fixed(self, rule: str, resource: Resource, now: float) -> None:  # noqa: ARG002 - the time is shared
        """We have fixed it and have read the fix back."""
        subject, now_ms = Subject.of(rule, resource), self._now_ms()
        name = subject.fix(now_ms, uuid.uuid4().hex[:12])
        try:
            self._limit.run(lambda: record_folder.create(self._fixes / subject.shard, name))
        except OSError as error:
            with self._lock:
                self._unrecorded.append(name)
            self._failed("record", error, rule=rule, resource=resource.name)
            return
        try:
            self._limit.run(lambda: self._clear(now_ms))
        except OSError as error:
            self._failed("clear", error)

    def contested(self, now: float) -> dict[str, int]:  # noqa: ARG002 - the time is shared
        """How many resources are contested now, by rule: of all replicas, as the directory says.

        While it cannot be read, what it said last and still holds.
        """
        now_ms = self._now_ms()
        try:
            self._last_marks = self._limit.run(lambda: self._marks(now_ms))
        except OSError:
            self._count("count")
        found = self._last_marks.contested(self._policy, now_ms)
        return {self._rules[rule]: count for rule, count in found.items() if rule in self._rules}

    def release(self) -> None:
        """All contests and fixes until now are forgotten, here at once and by the others when the next look is made.

        Only takes a note of it: a signal handler must neither wait for a lock nor for a file system.
        """
        self._released_ms = self._now_ms()

    def store_errors(self) -> Mapping[str, int]:
        """How often the directory could not be used, by what was wanted of it."""
        with self._lock:
            return dict(self._errors)

    def _look(self, subject: Subject, now_ms: int) -> int:
        """Milliseconds for which it is left alone."""
        marks = self._marks(now_ms, subject)
        if left_ms := marks.left_ms(subject, self._policy, now_ms):
            return left_ms
        from_ms = marks.counts_from_ms(subject, self._policy, now_ms)
        with self._lock:
            unrecorded = set(self._unrecorded)
        # A record whose creation was given up may be there all the same: one name, counted once.
        names = unrecorded.union(record_folder.names(self._fixes / subject.shard))
        if fix_records.fixes(names, subject, from_ms, now_ms) < self._policy.max_fixes:
            return 0
        self._note("mark", subject.mark(now_ms))
        return round(self._policy.window_seconds * 1000)

    def _marks(self, now_ms: int, subject: Subject | None = None) -> Marks:
        """The marks about one subject, or all."""
        released_ms = self._released_ms
        if released_ms > self._release_told_ms and self._note("release", fix_records.release(released_ms)):
            self._release_told_ms = released_ms
        names = record_folder.names(self._contested)
        return Marks.read(fix_records.about(names, subject) if subject else names, now_ms, released_ms)

    def _clear(self, now_ms: int) -> None:
        """Remove what is worn in the next shard and among the marks. Other replicas may be removing the same."""
        with self._lock:
            shard = self._fixes / next(self._turns)
        for folder, worn in ((shard, fix_records.worn_fixes), (self._contested, fix_records.worn_marks)):
            record_folder.remove(folder, worn(record_folder.names(folder), self._policy, now_ms))

    def _note(self, action: str, name: str) -> bool:
        """Create a mark that a look can do without; whether it is there."""
        try:
            record_folder.create(self._contested, name)
        except OSError as error:
            self._failed(action, error)
            return False
        return True

    def _failed(self, action: str, error: OSError, **fields: str) -> None:
        self._count(action)
        self._say("contest.store_failed", action=action, reason=error.strerror, **fields)

    def _count(self, action: str) -> None:
        with self._lock:
            self._errors[action] += 1

    def _now_ms(self) -> int:
        return round(self._wall() * 1000)


def prepare(directory: Path) -> None:
    """Make the folders that are missing in a directory that has to be there, and prove that records can be written.

    Raises:
        OSError: something of that is not possible.
    """
    record_folder.prepare(directory, (_FIXES, _CONTESTED))
    record_folder.prepare(directory / _FIXES, SHARDS)
    prove_writable(directory)


def prove_writable(directory: Path) -> None:
    """Prove that records can be written and removed, as far as there are folders for them already.

    Raises:
        OSError: that is not possible.
    """
    record_folder.prove_writable(directory)
    for folder in (directory / _CONTESTED, directory / _FIXES / SHARDS[0]):
        if folder.exists():
            record_folder.prove_writable(folder)
