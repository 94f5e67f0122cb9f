"""Repairs a bucket that lacks tags it should carry."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from consumer.remediations.base import Options
from consumer.remediations.oss._setting import Notation, SettingRepair
from consumer.resources.oss.bucket import Bucket


class TagsOptions(Options):
    """Settings of `oss.tags`."""

    tags: dict[str, str] = Field(
        min_length=1,
        max_length=20,
        description="The tags a bucket should carry, with the values that one without them is given.",
        examples=[{"cost-center": "unknown"}],
    )
    replace_values: bool = Field(
        default=False,
        description=(
            "true also changes the value of a tag that is there with another one. Tags decide about bills and, in some"
            " accounts, about permissions: false never touches a value somebody has set."
        ),
    )


class BucketTags(SettingRepair[dict[str, str]]):
    """PutBucketTags: https://www.alibabacloud.com/help/en/oss/developer-reference/putbuckettags"""

    name: ClassVar[str] = "oss.tags"
    summary: ClassVar[str] = "adds missing tags; the others stay"
    repairs: ClassVar[tuple[str, ...]] = ("required-tags",)
    reversible: ClassVar[str] = "yes: the tags found are put back"
    may_break: ClassVar[str] = "cost reports, and RAM policies that decide by tags"
    actions: ClassVar[tuple[str, ...]] = ("oss:GetBucketTagging", "oss:PutBucketTagging")
    undo_actions: ClassVar[tuple[str, ...]] = ("oss:DeleteBucketTagging",)

    Options: ClassVar[type[TagsOptions]] = TagsOptions
    notation: ClassVar[Notation[dict[str, str]]] = Notation(dict[str, str])

    def __init__(self, options: TagsOptions) -> None:
        self._tags = options.tags
        self._replace_values = options.replace_values

    def read(self, bucket: Bucket) -> dict[str, str]:
        """All tags, sorted by key, for their order means nothing."""
        return dict(sorted(bucket.tags().items()))

    def wanted(self, state: dict[str, str]) -> dict[str, str]:
        """All tags that are there, and the configured ones."""
        merged = state | self._tags if self._replace_values else self._tags | state
        return dict(sorted(merged.items()))

    def write(self, bucket: Bucket, state: dict[str, str]) -> None:
        """Replace all tags, or take them away."""
        if state:
            bucket.put_tags(state)
        else:
            bucket.delete_tags()
