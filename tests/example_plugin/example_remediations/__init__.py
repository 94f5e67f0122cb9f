"""A remediation of somebody else's: marks a bucket for a person to look at, and leaves it as it is otherwise."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from consumer.plugin import Bucket, Notation, Options, SettingRepair


class QuarantineOptions(Options):
    """Settings of `example.quarantine`."""

    reason: str = Field(default="review", max_length=128, description="The value of the tag `quarantine`.")


class Quarantine(SettingRepair[dict[str, str]]):
    """One more tag, in front of a reader's eyes wherever buckets are listed."""

    name: ClassVar[str] = "example.quarantine"
    summary: ClassVar[str] = "tags the bucket `quarantine` and changes nothing else"
    repairs: ClassVar[tuple[str, ...]] = ()
    reversible: ClassVar[str] = "yes: the tags found are put back"
    may_break: ClassVar[str] = "nothing"
    actions: ClassVar[tuple[str, ...]] = ("oss:GetBucketTagging", "oss:PutBucketTagging")
    undo_actions: ClassVar[tuple[str, ...]] = ("oss:DeleteBucketTagging",)

    Options: ClassVar[type[QuarantineOptions]] = QuarantineOptions
    notation: ClassVar[Notation[dict[str, str]]] = Notation(dict[str, str])

    def __init__(self, options: QuarantineOptions) -> None:
        self._reason = options.reason

    def read(self, bucket: Bucket) -> dict[str, str]:
        """All tags."""
        return dict(bucket.tags())

    def wanted(self, state: dict[str, str]) -> dict[str, str]:
        """Marked, whatever else the bucket carries."""
        return state if "quarantine" in state else {**state, "quarantine": self._reason}

    def write(self, bucket: Bucket, state: dict[str, str]) -> None:
        """Replace all tags, or take them away."""
        if state:
            bucket.put_tags(state)
        else:
            bucket.delete_tags()
