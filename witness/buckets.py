"""Every bucket's and group's states over a run, from the journal: what it was like at any entry, and who made it so."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from witness.entry import JournalEntry
from witness.rules import BucketState, State
from witness.security_groups import GroupState, after, is_about_a_group

_FIELDS = {
    "Acl": "acl",
    "Policy": "policy",
    "Encryption": "encryption",
    "Versioning": "versioning",
    "Logging": "logging",
    "Referer": "referer",
    "HttpsConfig": "https_config",
    "Tags": "tagging",
}
"""By the operation's name without `PutBucket` or `DeleteBucket`."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A bucket from one entry to the next that changed it."""

    sequence: int
    time_ms: int
    operation: str
    access_key_id: str
    """Who brought the bucket into this state; empty for the emulator itself and for its control port."""
    created_by: str
    """Who created this bucket; a bucket deleted and made again is another one."""
    configuration: State | None
    """None while it does not exist."""

    @property
    def exists(self) -> bool:
        """Whether there is such a bucket."""
        return self.configuration is not None


class BucketHistory:
    """The moments of one bucket or group, in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.moments = [Moment(0, 0, "", "", "", None)]

    def at(self, sequence: int) -> Moment:
        """The bucket right after an entry."""
        return self.moments[self._index(sequence)]

    def between(self, first: int, last: int) -> Iterator[Moment]:
        """The bucket as it was at `first`, and after each change up to and with `last`."""
        yield from self.moments[self._index(first) : self._index(last) + 1]

    @property
    def last(self) -> Moment:
        """The bucket at the end."""
        return self.moments[-1]

    def add(self, entry: JournalEntry) -> None:
        """Take one more entry about this bucket into account."""
        before = self.last
        settings = _settings(entry, before)
        if settings is None and not entry.detail.get("deleted"):
            return
        created = bool(entry.detail.get("created"))
        self.moments.append(
            Moment(
                entry.sequence,
                entry.time_ms,
                entry.operation,
                entry.access_key_id,
                entry.access_key_id if created else before.created_by,
                settings,
            )
        )

    def _index(self, sequence: int) -> int:
        return bisect_right(self.moments, sequence, key=lambda moment: moment.sequence) - 1


def histories(entries: Iterable[JournalEntry]) -> dict[str, BucketHistory]:
    """Every bucket that the journal mentions."""
    found: dict[str, BucketHistory] = {}
    for entry in entries:
        if entry.changed and entry.service in ("oss", "ecs", "control") and entry.resource:
            found.setdefault(entry.resource, BucketHistory(entry.resource)).add(entry)
    return found


def _settings(entry: JournalEntry, before: Moment) -> State | None:
    """The configuration after an entry; None when the resource is gone or the entry says nothing about it."""
    detail, known = entry.detail, before.configuration
    if is_about_a_group(entry):
        return after(entry, known if isinstance(known, GroupState) else None)
    if detail.get("deleted"):
        return None
    if detail.get("created"):
        new = BucketState(entry.resource, str(detail["owner"]), str(detail["region"]), str(detail["after"]))
        for name, value in detail.get("settings", {}).items():
            new = replace(new, **_as_configured(name, value))
        return new
    if not isinstance(known, BucketState):
        return None
    if entry.operation == "PatchBucket":
        for name, value in detail["after"].items():
            known = replace(known, **_as_configured(name, value))
        return known
    kind = entry.operation.removeprefix("Put").removeprefix("Delete").removeprefix("Bucket")
    field = "acl" if entry.operation == "PutBucket" else _FIELDS.get(kind, "")
    return replace(known, **_as_configured(field, detail.get("after")))


def _as_configured(name: str, value: Any) -> Mapping[str, Any]:
    """One setting as the rules see it."""
    part: Mapping[str, Any] = value if isinstance(value, dict) else {}
    match name:
        case "acl" | "policy" | "versioning" | "redundancy":
            return {name: value}
        case "owner_id" | "region":
            return {name: value}
        case "encryption":
            return {"sse_algorithm": part.get("algorithm"), "kms_key_id": part.get("kms_key_id")}
        case "logging":
            return {"log_bucket": part.get("target_bucket"), "log_prefix": part.get("target_prefix", "")}
        case "referer":
            return {
                "allow_empty_referer": part.get("allow_empty", True),
                "referers": tuple(part.get("allowed", ())),
            }
        case "https_config":
            return {
                "tls_enabled": part.get("tls_enabled", False),
                "tls_versions": tuple(part.get("tls_versions", ())),
            }
        case "tagging":
            return {"tags": dict(part)}
        case _:
            return {}
