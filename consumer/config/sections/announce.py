"""`[announce]`: which announcements are published to an MNS topic of their own, and how."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from consumer.announcements.announcer import Pace
from consumer.announcements.document import PLACEHOLDERS
from consumer.announcements.records import Kind
from consumer.announcements.selection import Selection
from consumer.announcements.undoing import Undoing
from consumer.config.credentials_refused import carries_credential
from consumer.config.sections.rules import RuleConfig
from consumer.config.types import Allowed, AnnouncedKinds, QueueNameOrNone, Section, checked_endpoint

_UNIT_SECONDS = {"m": 60, "h": 3_600, "d": 86_400}
_LONGEST_SECONDS = 7 * 86_400
_BRACES = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
_HOST = re.compile(r"https?://[^/?#{}]*")
_AFTER_HOST = re.compile(r"(?:[/?#](?:[^\s{}\"'<>\\]|\{[a-z]+\})*)?")


def _checked_time(text: str) -> str:
    """A time such as `1h`.

    Raises:
        ValueError: it is none, or longer than a week.
    """
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if found is None or int(found[1]) * _UNIT_SECONDS[found[2]] > _LONGEST_SECONDS:
        raise ValueError("not a time")
    return text


def _checked_link(text: str) -> str:
    """A link whose placeholders are known and stand after its host, and which gives no credential to its readers.

    Raises:
        ValueError: it is none.
    """
    if not text:
        return text
    host = _HOST.match(text)
    if host is None or not _AFTER_HOST.fullmatch(text, host.end()) or carries_credential(text):
        raise ValueError("not a link")
    checked_endpoint(host[0])
    if set(re.findall(r"\{([a-z]+)\}", text)) - set(PLACEHOLDERS):
        raise ValueError("no such placeholder")
    return text


class AnnounceConfig(Section):
    """Publishes what people want to know of, one JSON message each; email, chat or a function are its subscriptions."""

    topic: QueueNameOrNone = Field(
        default="",
        description=(
            "Name of an MNS topic in the queue's account and region, to which announcements are published. Another one"
            " than topic.name. Empty: nothing is announced."
        ),
        examples=["config-remediator"],
    )
    endings: AnnouncedKinds = Field(
        default=tuple(Kind),
        description=(
            "What is announced. A rule can say otherwise with its own key announce; paused is about all rules. Each is"
            " the tag of its messages as well, by which a subscription can filter."
        ),
        examples=[["fixed", "contested", "dead_lettered", "undone"]],
    )
    digest: AnnouncedKinds = Field(
        default=(Kind.WOULD_FIX, Kind.HELD),
        description=(
            "What of it is collected and announced together every so often, instead of one by one: what concerns a"
            " resource, so not undone, paused and breaker_open."
        ),
    )
    every: Annotated[
        str, AfterValidator(_checked_time), Allowed('a time such as "15m", "1h" or "1d", a week at most')
    ] = Field(default="1h", description="How often digests are published, if there is anything in them.")
    held_after_seconds: float = Field(
        default=3_600.0,
        ge=60,
        le=604_800,
        description="How old a non-compliance has to be for a change that is held back to be announced as held.",
    )
    owner_tag: Annotated[str, StringConstraints(max_length=128), Allowed("the key of a tag, or empty")] = Field(
        default="",
        description=(
            "The key of a tag that names a resource's owner. It is read from the resource by the thread that publishes,"
            " and needs oss:GetBucketTagging. Empty: no owner is named."
        ),
        examples=["owner"],
    )
    runbook_url: Annotated[
        str,
        StringConstraints(max_length=1024),
        AfterValidator(_checked_link),
        Allowed(
            "a link with https:// or http://, without user, password or token, in which after the host"
            f" {_BRACES} may stand, or empty"
        ),
    ] = Field(
        default="",
        description=(
            "A link that every announcement carries, so that people can read on. What stands in braces is filled in,"
            " encoded for a URL."
        ),
        examples=["https://wiki.example.com/remediation/{rule}?bucket={resource}"],
    )
    max_per_minute: int = Field(
        default=60,
        ge=1,
        le=6_000,
        description=(
            "Most announcements a minute, of each replica. What is beyond that waits in memory, for an hour at most;"
            " beyond 1,000 that wait they are dropped and counted."
        ),
    )

    def selection(self, rules: Iterable[RuleConfig], undoing: Undoing) -> Selection:
        """What is announced; `undoing` says how changes can be taken back."""
        return Selection(
            frozenset(self.endings),
            {rule.name: frozenset(rule.announce) for rule in rules if rule.announce is not None},
            frozenset(self.digest),
            self.held_after_seconds,
            undoing,
        )

    def pace(self) -> Pace:
        """How fast is published."""
        number, unit = int(self.every[:-1]), self.every[-1]
        return Pace(self.max_per_minute, float(number * _UNIT_SECONDS[unit]))
