"""The canary: the one bucket that may be broken, only while it is certain that nobody uses it, and always put back.

Nothing is broken whose repair would not leave exactly what was there. So the canary is only ever in one of two states,
and two proofs at once, a worker and this command can put it back as often as they like.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Protocol, cast

from consumer.core.errors import PublicAccessBlocked, RemediatorError, ResourceGone, Retryable, ServiceError
from consumer.guards.rule import Rule
from consumer.operator.check.findings import Status
from consumer.operator.prove.preflight import NotProvable
from consumer.operator.session import Session
from consumer.remediations.base import Change, Compliant
from consumer.resources.oss.bucket import Bucket, BucketInfo
from consumer.resources.oss.kind import BUCKETS
from consumer.resources.oss.public_access import PRIVATE

TAG, MARK = "config-remediator", "canary"
"""The tag by which its owner says, on the bucket itself, that it may be broken."""
BREAK_SECONDS = 20.0
"""How long breaking it, and seeing that, is tried."""
RESTORE_SECONDS = 60.0
"""How long putting it back is tried."""
_PAUSE_SECONDS = 1.0


class NotRestored(RemediatorError):
    """It was written and does not show yet."""


class NotBreakable(NotProvable):
    """The service takes no state of the bucket that breaks the rule."""

    def __init__(self, text: str) -> None:
        remedy = "leave it on: while it is, no ACL lets anyone in. Other rules show that the way works"
        super().__init__(text, remedy, Status.SKIPPED)


@dataclass(slots=True)
class Deadline:
    """Until when requests are tried again."""

    at: float = inf


class CanaryBucket(Bucket, Protocol):
    """A bucket that shows whether anything is in it."""

    def is_empty(self) -> bool:
        """ListObjects."""
        ...


@dataclass(frozen=True, slots=True)
class Restored:
    """How putting it back went."""

    well: bool
    text: str
    """For people, after its name: what was done, or what is left."""


class Canary:
    """The canary under one rule; for one thread."""

    def __init__(
        self,
        account_id: str,
        bucket: CanaryBucket,
        rule: Rule,
        deadline: Deadline,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._account_id = account_id
        self._bucket = bucket
        self._rule = rule
        self._deadline = deadline
        self._monotonic = monotonic
        self._pause = pause
        self._unanswered = ""
        """Why it is not known whether the break was carried out."""

    def checked(self) -> BucketInfo:
        """The bucket, if it may be broken.

        Raises:
            NotProvable: it may not.
            ServiceError: it cannot be looked at.
        """
        name = self._bucket.name
        try:
            info = self._bucket.info()
        except ResourceGone:
            text = f"the canary {name} does not exist"
            raise NotProvable(text, "create it in canary.region, or correct canary.bucket") from None
        if info.owner_id != self._account_id:
            raise NotProvable(
                f"{name} belongs to account {info.owner_id}", "name a bucket of account_id in canary.bucket"
            )
        if self._bucket.tags().get(TAG) != MARK:
            raise NotProvable(f"{name} does not have the tag {TAG} = {MARK}", "tag it if it may be broken at any time")
        if info.acl != PRIVATE:
            raise NotProvable(f"the ACL of {name} is {info.acl}", f"{_ANOTHER}; else make it private")
        if not self._bucket.is_empty():
            raise NotProvable(
                f"{name} is not empty, so somebody may be using it", "name an empty bucket in canary.bucket"
            )
        return info

    def rehearsal(self, info: BucketInfo, by_hand: str) -> Change:
        """The repair of the break that is to be made: its `before` breaks the rule, its `after` is what is there now.

        `by_hand` is the command that makes the canary comply.

        Raises:
            NotProvable: the canary breaks the rule already, or nothing can be broken.
            Refused: the rule can never repair it.
            ServiceError: it cannot be looked at.
        """
        repair, name = self._rule.remediation, self._bucket.name
        state = repair.inspect(self._bucket, info)
        finding = repair.plan(state)
        if not isinstance(finding, Compliant):
            text = f"{name} does not comply as it is: {finding.state}"
            raise NotProvable(text, f"{_ANOTHER}; else put it back with: {by_hand}")
        rehearsal = repair.rehearsal(state)
        if rehearsal is None:
            text = f"{repair.name} would not put back exactly what {name} has: {finding.state}"
            raise NotProvable(text, "set on the canary what the rule's repair sets", Status.SKIPPED)
        if obstacle := repair.unbreakable(self._bucket):
            raise self._not_breakable(obstacle)
        return rehearsal

    def break_it(self, rehearsal: Change, info: BucketInfo) -> None:
        """Break it, and read that back.

        Raises:
            NotBreakable: the service refused, so it is as it was.
            NotProvable: it does not show that it is broken.
            ServiceError: the request failed; it may have been carried out all the same.
        """
        self._deadline.at = until = self._monotonic() + BREAK_SECONDS
        try:
            self._rule.remediation.revert(self._bucket, rehearsal)
        except PublicAccessBlocked:
            # Its own may be off. The account's is not looked at beforehand: that takes a right on the whole account.
            raise self._not_breakable("Block Public Access is on, of the bucket or its account") from None
        except Retryable as error:
            self._unanswered = str(error)
            raise
        while (state := self.state(info)) != rehearsal.before:
            if self._monotonic() + _PAUSE_SECONDS >= until:
                text = f"it was to be {rehearsal.before}, and reads {state}"
                raise NotProvable(text, "another tool may be at work on it")
            self._pause(_PAUSE_SECONDS)  # the service may show the old state for some seconds

    def _not_breakable(self, obstacle: str) -> NotBreakable:
        name = self._rule.remediation.name
        unknown = "so it is not shown whether a worker may repair this"
        return NotBreakable(f"{self._bucket.name} cannot be broken for {name}: {obstacle}; {unknown}")

    def state(self, info: BucketInfo) -> str:
        """What the rule sees of it now.

        Raises:
            ServiceError: it cannot be read.
        """
        seen = self._same(info)  # the ACL stands in it, so it has to be new
        repair = self._rule.remediation
        return repair.plan(repair.inspect(self._bucket, seen)).state

    def _same(self, info: BucketInfo) -> BucketInfo:
        """The bucket now.

        Raises:
            ResourceGone: it is not there any more.
            NotProvable: it is another one.
        """
        seen = self._bucket.info()
        if seen.differs(info):
            raise NotProvable(f"{self._bucket.name} was deleted and made anew meanwhile", "look at the new one")
        return seen

    def _still_there(self, info: BucketInfo) -> None:
        """Make sure, if it can be read, that the canary is what is written to: PutBucketAcl would create a bucket."""
        try:
            self._same(info)
        except (ResourceGone, NotProvable):
            raise
        except ServiceError:
            return  # what cannot be read may still be written

    def restore(self, rehearsal: Change, info: BucketInfo, *, repaired: bool) -> Restored:
        """Leave it as it was found: write it, read it back, and again until that has worked or the time is up.

        `repaired` says that nothing has to be written: it was seen broken and then as it was, or the service refused to
        break it. Anything less proves nothing: the service may still show what was there before the break.
        """
        self._deadline.at = until = self._monotonic() + RESTORE_SECONDS
        while True:
            try:
                found = self._put_back(rehearsal, info, write=not repaired)
            except (ResourceGone, NotProvable) as error:
                return Restored(well=True, text=f"is not there any more, so nothing is left to be put back: {error}")
            except RemediatorError as error:
                trouble = str(error)
            else:
                return self._restored(found)
            repaired = False
            if self._monotonic() + _PAUSE_SECONDS >= until:
                return Restored(well=False, text=self._left(rehearsal, trouble))
            self._pause(_PAUSE_SECONDS)

    def _put_back(self, rehearsal: Change, info: BucketInfo, *, write: bool) -> str:
        """One try; the state before it, or nothing where nothing was written."""
        if write:
            self._still_there(info)
            try:
                self._rule.remediation.revert(self._bucket, Change(rehearsal.after, rehearsal.before))
            except ServiceError:
                self._rule.remediation.recover(self._bucket, info)
                raise
        try:
            state = self.state(info)
        except NotProvable:
            self._rule.remediation.recover(self._bucket, info)
            raise
        if state != rehearsal.after:
            raise NotRestored(f"it reads {state}")
        return rehearsal.before if write else ""

    def _restored(self, found: str) -> Restored:
        text = f"was put back from {found}" if found else "is as it was found"
        if self._unanswered:
            text += (
                f"; the request that was to break it was never answered ({self._unanswered}): should the service carry"
                " it out yet, the canary is broken again"
            )
        return Restored(well=True, text=text)

    def _left(self, rehearsal: Change, trouble: str) -> str:
        text = f"could not be put back within {RESTORE_SECONDS:.0f} s ({trouble})"
        return f"{text}; it was {rehearsal.after}"


_ANOTHER = "another check --prove may be at work, or was killed"


def opened(session: Session, rule: Rule) -> Canary:
    """The configured canary, under one rule. Nothing is sent yet."""
    config, deadline = session.config, Deadline()
    resource = BUCKETS.resource(config.account_id, config.canary_region, config.canary.bucket)
    bucket = cast("CanaryBucket", session.open(resource, lambda: deadline.at))
    return Canary(config.account_id, bucket, rule, deadline)
