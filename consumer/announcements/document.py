"""Writes announcements as JSON: one schema, `announcement.schema.json`, in an envelope as CloudEvents 1.0 has it. Pure.

No text in it is longer than a cap, none holds a secret, and all of it is ASCII, so it survives whatever carries it.

CloudEvents: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never
from urllib.parse import quote

from consumer.announcements.records import (
    UNKNOWN,
    Announcement,
    Digest,
    Kind,
    ResourceAnnouncement,
    ResourceName,
    StateAnnouncement,
)
from consumer.announcements.wording import subject, summary, summary_of_digest, summary_of_state
from consumer.guards.exemptions import exemption_toml

VERSION = 1
SCHEMA = f"urn:config-remediator:announcement:{VERSION}"
LARGEST_BYTES = 60_000
"""Of a whole message: a topic takes at most 65,536, and some of that is left for what carries it."""
LONGEST_TEXT_BYTES = 4_096
"""Of one text as JSON; a state may be a whole policy, which stands in the journal."""
_LONGEST_IN_DIGEST_BYTES = 256
_MORE_BYTES = 64
"""By which a text that waits is longer than one that is written."""
MOST_SHOWN = 100
"""Resources that a digest lists; the others are a number in it."""

PLACEHOLDERS = ("kind", "rule", "reason", "resource", "region", "account")
"""What `announce.runbook_url` may name in braces."""

_EXEMPT_DAYS = 90
_PATTERN = frozenset("*?[")
"""What would make a resource's name a pattern that covers others too; nobody is led to exempt those."""

Owner = Callable[[ResourceName], str]
"""The owner that a resource's tags name; empty where they name none or cannot be read."""


@dataclass(frozen=True, slots=True)
class AnnouncementWriter:
    """Writes announcements for one queue."""

    source: str
    """`/config-remediator/<region>/<account>/<queue>`"""
    clean: Callable[[str], str]
    """Takes secrets out of a text."""
    runbook_url: str = ""
    """A link with placeholders in braces; empty for no link."""
    by: str = ""
    """Which replica writes."""

    def bounded(self, announced: ResourceAnnouncement, digested: bool) -> ResourceAnnouncement:
        """The announcement as it may be kept until it is written: long texts cleaned, and cut a little later than then.

        So what waits takes little memory, and that a text was cut is still seen.
        """
        most = (_LONGEST_IN_DIGEST_BYTES if digested else LONGEST_TEXT_BYTES) + _MORE_BYTES
        return replace(
            announced,
            detail=self._text(announced.detail, most)[0],
            before=self._text(announced.before, most)[0],
            after=self._text(announced.after, most)[0],
            now=self._text(announced.now, most)[0],
        )

    def body(self, announced: Announcement, owner: Owner) -> str:
        """The message's text, which is at most `LARGEST_BYTES` long."""
        match announced:
            case ResourceAnnouncement():
                return self._envelope(announced, subject(announced), self._ending(announced, owner))
            case StateAnnouncement():
                return self._envelope(announced, announced.rule or "changes", self._state(announced))
            case Digest():
                return self._digest(announced, owner)
            case _:
                assert_never(announced)

    def _envelope(self, announced: Announcement, subject: str, data: dict[str, Any]) -> str:
        document = {
            "specversion": "1.0",
            "id": announced.identity,
            "source": self.source,
            "type": f"config-remediator.{announced.kind.value}.v{VERSION}",
            "subject": self._text(subject, 1_024)[0],
            "time": _time(announced.at_ms),
            "datacontenttype": "application/json",
            "dataschema": SCHEMA,
            "data": data,
        }
        return json.dumps(document, ensure_ascii=True, separators=(",", ":"))

    def _ending(self, announced: ResourceAnnouncement, owner: Owner) -> dict[str, Any]:
        return {
            "form": "ending",
            "kind": announced.kind.value,
            "summary": self._text(summary(announced), 512)[0],
            **self._about(announced, owner, LONGEST_TEXT_BYTES),
            "by": self._text(announced.by or self.by, 256)[0],
        }

    def _about(self, announced: ResourceAnnouncement, owner: Owner, most: int) -> dict[str, Any]:
        """All that is announced of one resource; texts that may be long have at most `most` bytes as JSON."""
        texts = {name: self._text(getattr(announced, name), most) for name in ("detail", "before", "after")}
        now, now_cut = self._text(announced.now, most)
        return {
            "rule": announced.rule,
            "remediation": announced.remediation,
            "mode": announced.mode,
            "resource": self._resource(announced.resource, owner),
            "reason": self._text(announced.reason, 256)[0],
            "detail": texts["detail"][0],
            "before": texts["before"][0] or UNKNOWN,
            "after": texts["after"][0] or UNKNOWN,
            "now": now or UNKNOWN,
            "cut": [name for name, (_, cut) in texts.items() if cut],
            "now_cut": now_cut,  # not in `cut`, whose names the first schema lists
            "message_id": self._text(announced.message_id, 256)[0],
            "evaluated_at": _time(announced.evaluated_at_ms),
            "exposure_seconds": _rounded(announced.exposure_seconds),
            "undo": self._text(announced.undo, 512)[0] or None,
            "how_to_undo": self._text(announced.how_to_undo, 1_024)[0] or UNKNOWN,
            "exemption": self._exemption(announced),
            "runbook_url": self._link(announced.kind, announced.rule, announced.reason, announced.resource),
        }

    def _state(self, announced: StateAnnouncement) -> dict[str, Any]:
        return {
            "form": "state",
            "kind": announced.kind.value,
            "summary": self._text(summary_of_state(announced))[0],
            "active": announced.active,
            "rule": announced.rule,
            "runbook_url": self._link(announced.kind, announced.rule, "", None),
            "by": self._text(self.by, 256)[0],
        }

    def _digest(self, announced: Digest, owner: Owner) -> str:
        """As many entries as fit; what does not is in the number of the others."""
        shown = [self._about(each, owner, _LONGEST_IN_DIGEST_BYTES) for each in announced.entries[:MOST_SHOWN]]
        count = len(announced.entries) + announced.left_out
        while True:
            data = {
                "form": "digest",
                "kind": announced.kind.value,
                "summary": summary_of_digest(announced, count, len(shown)),
                "since": _time(announced.since_ms),
                "until": _time(announced.at_ms),
                "count": count,
                "entries": shown,
                "left_out": count - len(shown),
                "runbook_url": self._link_of_digest(announced.kind),
                "by": self._text(self.by, 256)[0],
            }
            body = self._envelope(announced, announced.kind.value, data)
            if len(body) <= LARGEST_BYTES or not shown:
                return body
            shown = shown[: min(len(shown) * LARGEST_BYTES // len(body), len(shown) - 1)]

    def _resource(self, resource: ResourceName | None, owner: Owner) -> dict[str, Any] | None:
        if resource is None:
            return None
        return {
            "type": self._text(resource.resource_type, 256)[0],
            "id": self._text(resource.resource_id, 1_024)[0],
            "region": self._text(resource.region, 256)[0],
            "account": self._text(resource.account_id, 256)[0],
            "owner": self._text(owner(resource), 256)[0] or None,
        }

    def _exemption(self, announced: ResourceAnnouncement) -> str | None:
        """What would leave the resource as it was, ready to be completed and put into the configuration."""
        resource = announced.resource
        if resource is None or not announced.confirmed or not announced.rule:
            return None
        if set(resource.resource_id) & _PATTERN:
            return None
        until = (datetime.fromtimestamp(announced.at_ms / 1_000, UTC) + timedelta(days=_EXEMPT_DAYS)).date()
        name, blank = f"announced-{announced.identity[:12]}", ("who answers for it", "why it may stay as it is")
        return exemption_toml(name, *blank, until, resource.account_id, resource.resource_id, announced.rule)

    def _link(self, kind: Kind, rule: str, reason: str, resource: ResourceName | None) -> str | None:
        if not self.runbook_url:
            return None
        values = {
            "kind": kind.value,
            "rule": rule,
            "reason": reason,
            "resource": resource.resource_id if resource else "",
            "region": resource.region if resource else "",
            "account": resource.account_id if resource else "",
        }
        link = self.runbook_url
        for name, value in values.items():
            link = link.replace(f"{{{name}}}", quote(value[:256], safe=""))
        return link if self.clean(link) == link else None

    def _link_of_digest(self, kind: Kind) -> str | None:
        """None where it would have holes: a digest is about no one rule or resource, and its entries have links."""
        if any(f"{{{name}}}" in self.runbook_url for name in PLACEHOLDERS if name != "kind"):
            return None
        return self._link(kind, "", "", None)

    def _text(self, text: str, most: int = LONGEST_TEXT_BYTES) -> tuple[str, bool]:
        """The text without secrets, cut to so many bytes of JSON, and whether it was cut."""
        cleaned = self.clean(text)
        cut = cleaned[:most]
        while (size := len(json.dumps(cut))) > most + 2:
            cut = cut[: min(len(cut) * most // size, len(cut) - 1)]
        return cut, cut != cleaned


def _time(at_ms: int | None) -> str | None:
    """In UTC, as RFC 3339 has it."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
