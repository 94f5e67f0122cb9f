"""What guards are asked about: a bucket, a change that it needs, and a clock."""

from __future__ import annotations

from collections.abc import Mapping

from consumer.core.outcome import Ending, Outcome
from consumer.guards.chain import Guards, Intent, Permit
from consumer.guards.rule import Mode, Rule, Selector
from consumer.remediations.base import Change
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions
from consumer.resources.base import Resource
from consumer.resources.oss.kind import BUCKETS

PHOTOS = BUCKETS.resource("1234567890123456", "cn-hangzhou", "photos")


def rule(mode: Mode = Mode.ENFORCE, name: str = "public-read") -> Rule:
    """A rule that holds for 77 seconds."""
    return Rule(name, Selector(), BucketAcl(BucketAclOptions()), mode, 77.0)


def intent(mode: Mode = Mode.ENFORCE, *, name: str = "public-read", bucket: Resource = PHOTOS) -> Intent:
    """A change that a look at a bucket calls for."""
    return Intent(rule(mode, name), bucket, bucket.region, Change("public-read", "private"))


def no_tags() -> Mapping[str, str]:
    """A bucket without tags."""
    return {}


def never_read() -> Mapping[str, str]:
    """Tags that nobody should ask for."""
    raise AssertionError("the tags do not decide, so reading them costs a request for nothing")


def permitted(guards: Guards, asked: Intent | None = None) -> Permit:
    """The permit that guards have to give."""
    permit = guards.permit(asked or intent(), no_tags)
    assert isinstance(permit, Permit), permit
    return permit


def refused(guards: Guards, asked: Intent | None = None) -> Ending:
    """The ending with which guards have to keep the change back."""
    refusal = guards.permit(asked or intent(), no_tags)
    assert isinstance(refusal, Ending)
    return refusal


def conclude(permit: Permit, ending: Ending) -> None:
    """Make the change that a permit is for, with this result."""
    with permit:
        permit.concluded(ending)


def ended(outcome: Outcome, reason: str = "") -> Ending:
    """What a change came to."""
    return Ending(outcome, reason)
