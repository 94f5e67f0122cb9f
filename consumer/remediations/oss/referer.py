"""Repairs a bucket without hotlink protection, or with another list than wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic import Field, field_validator

from consumer.remediations.base import Options
from consumer.remediations.oss._setting import Notation, SettingRepair
from consumer.resources.oss.bucket import Bucket
from consumer.resources.oss.settings.referer import REFERER, Referer
from consumer.resources.oss.wildcards import covers_all_below


class RefererOptions(Options):
    """Settings of `oss.referer`."""

    referers: tuple[str, ...] = Field(
        min_length=1,
        description=(
            "Who may link to the bucket: URLs with * and ? as wildcards; the same as the parameter allowReferers of the"
            " Cloud Config rule. One that every page fits, such as *, is refused: it protects nothing."
        ),
        examples=[["https://*.example.com"]],
    )
    exclusive: bool = Field(
        default=False,
        description=(
            "true also takes referers out that are not in the list, which the rule wants when it has a list of its own;"
            " false only adds."
        ),
    )
    forbid_empty_referer: bool = Field(
        default=False,
        description=(
            "true refuses requests without a Referer header, which the rule wants with allowEmptyReferer=false. It"
            " locks out every program that sends none: SDKs, curl, apps; signed requests included."
        ),
    )

    @field_validator("referers")
    @classmethod
    def _protect_something(cls, referers: tuple[str, ...]) -> tuple[str, ...]:
        if open_to_all := [each for each in referers if _fits_every_page(each)]:
            raise ValueError(f'every page fits "{open_to_all[0]}", so the list would protect nothing')
        return referers


class BucketReferer(SettingRepair[Referer]):
    """PutBucketReferer: https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketreferer"""

    name: ClassVar[str] = "oss.referer"
    summary: ClassVar[str] = "merges referers into hotlink protection; denied referers and path options stay"
    repairs: ClassVar[tuple[str, ...]] = ("oss-bucket-referer-limit",)
    reversible: ClassVar[str] = "yes: the lists found are put back"
    may_break: ClassVar[str] = (
        "pages of other sites that show the bucket's objects, and clients without a Referer header"
    )
    actions: ClassVar[tuple[str, ...]] = (REFERER.read_action, REFERER.write_action)

    Options: ClassVar[type[RefererOptions]] = RefererOptions
    notation: ClassVar[Notation[Referer]] = Notation(Referer)

    def __init__(self, options: RefererOptions) -> None:
        self._options = options

    def read(self, bucket: Bucket) -> Referer:
        """Both lists and how they are applied."""
        return bucket.read(REFERER)

    def wanted(self, state: Referer) -> Referer:
        """All configured referers, and where the list is exclusive no other; order is kept, for it means nothing.

        A referer that every page fits never stays beside them: with it the list protects nothing.
        """
        configured, exclusive = self._options.referers, self._options.exclusive
        kept = [each for each in state.allowed if each in configured or not (exclusive or _fits_every_page(each))]
        missing = dict.fromkeys(each for each in configured if each not in kept)
        return replace(
            state,
            allowed=(*kept, *missing),
            allow_empty=state.allow_empty and not self._options.forbid_empty_referer,
        )

    def harmless_breaks(self, state: Referer) -> tuple[Referer, ...]:
        """Without the configured referers: fewer pages may link to it."""
        return (replace(state, allowed=tuple(each for each in state.allowed if each not in self._options.referers)),)

    def write(self, bucket: Bucket, state: Referer) -> None:
        """Replace the configuration."""
        bucket.write(REFERER, state)


def _fits_every_page(referer: str) -> bool:
    """Whether all pages of some protocol fit: a referer is compared with the beginning of the page's address.

    https://www.alibabacloud.com/help/en/oss/user-guide/how-to-configure-hotlink-protection-and-troubleshoot-common-errors
    """
    return any(covers_all_below(f"{referer}*", protocol) for protocol in ("http://", "https://"))
