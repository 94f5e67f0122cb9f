"""Repairs a bucket that lacks tags it should carry."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from consumer.core.outcome import Outcome
from consumer.core.printable import quoted
from consumer.remediations.base import Change, Compliant, Finding, Options, ReportOnly
from consumer.remediations.oss._setting import Notation, SettingRepair
from consumer.resources.oss.bucket import Bucket
from consumer.resources.oss.settings.tags import TAGS


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
            " accounts, about permissions: false never touches a value somebody has set, and leaves a bucket with"
            " another one to a person, for required-tags compares values as well."
        ),
    )
    any_value: bool = Field(
        default=False,
        description=(
            "true calls a bucket compliant that has the tags with other values: for rules that look at the keys alone."
        ),
    )

    @model_validator(mode="after")
    def _values_matter_or_not(self) -> Self:
        if self.replace_values and self.any_value:
            raise ValueError("replace_values and any_value exclude each other")
        return self


class BucketTags(SettingRepair[dict[str, str]]):
    """PutBucketTags: https://www.alibabacloud.com/help/en/oss/developer-reference/putbuckettags"""

    name: ClassVar[str] = "oss.tags"
    summary: ClassVar[str] = "adds missing tags; the others stay"
    repairs: ClassVar[tuple[str, ...]] = ("required-tags",)
    reversible: ClassVar[str] = "yes: the tags found are put back"
    may_break: ClassVar[str] = "cost reports, and RAM policies that decide by tags"
    actions: ClassVar[tuple[str, ...]] = (TAGS.read_action, TAGS.write_action)
    undo_actions: ClassVar[tuple[str, ...]] = (TAGS.clear_action,)

    Options: ClassVar[type[TagsOptions]] = TagsOptions
    notation: ClassVar[Notation[dict[str, str]]] = Notation(dict[str, str])

    def __init__(self, options: TagsOptions) -> None:
        self._tags = options.tags
        self._replace_values = options.replace_values
        self._any_value = options.any_value

    def plan(self, state: dict[str, str]) -> Finding:
        """What is missing is added first; then a value that is not to be touched is left to a person."""
        finding = super().plan(state)
        if isinstance(finding, Compliant) and not self._any_value:
            for key, value in self._tags.items():
                if state[key] != value:
                    found = f"tag {key} is {quoted(state[key])}, not {quoted(value)}"
                    detail = f"{found}: replace_values changes it, any_value takes it"
                    return ReportOnly(finding.state, detail, Outcome.REJECTED, "tag_value_differs")
        return finding

    def weakens(self, change: Change) -> str:  # noqa: ARG002 - tags protect nothing by themselves
        """Nothing."""
        return ""

    def read(self, bucket: Bucket) -> dict[str, str]:
        """All tags, sorted by key, for their order means nothing."""
        return dict(sorted(bucket.read(TAGS).items()))

    def wanted(self, state: dict[str, str]) -> dict[str, str]:
        """All tags that are there, and the configured ones."""
        merged = state | self._tags if self._replace_values else self._tags | state
        return dict(sorted(merged.items()))

    def harmless_breaks(self, state: dict[str, str]) -> tuple[dict[str, str], ...]:
        """One tag less."""
        return tuple({key: value for key, value in state.items() if key != less} for less in self._tags)

    def write(self, bucket: Bucket, state: dict[str, str]) -> None:
        """Replace all tags, or take them away."""
        if state:
            bucket.write(TAGS, state)
        else:
            bucket.clear(TAGS)
