"""Writes announcements as JSON: one schema, `announcement.schema.json`, in an envelope as CloudEvents 1.0 has it. Pure.

No text in it is longer than a cap, none holds a secret, and all of it is ASCII, so it survives whatever carries it.

CloudEvents: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never
from urllib.parse import quote

from consumer.announcements.records import (
    Announcement,
    Digest,
    Kind,
    ResourceAnnouncement,
    ResourceName,
    StateAnnouncement,
)
from consumer.guards.exemptions import exemption_toml

VERSION = 1
SCHEMA = f"urn:config-remediator:announcement:{VERSION}"
LARGEST_BYTES = 60_000
"""Of a whole message: a topic takes at most 65,536, and some of that is left for what carries it."""
LONGEST_TEXT_BYTES = 4_096
"""Of one text as JSON; a state may be a whole policy, which stands in the journal."""
_LONGEST_IN_DIGEST_BYTES = 256
MOST_SHOWN = 100
"""Resources that a digest lists; the others are a number in it."""

PLACEHOLDERS = ("kind", "rule", "reason", "resource", "region", "account")
"""What `announce.runbook_url` may name in braces."""

_EXEMPT_DAYS = 90
_EXEMPTIBLE = frozenset(
    {
        Kind.FIXED,
        Kind.WOULD_FIX,
        Kind.CONTESTED,
        Kind.HELD,
        Kind.UNDONE,
    }
)
"""Those about a resource that was looked at, or whose name was checked; others may name anything, `*` too."""

Owner = Callable[[ResourceName], str]
"""The owner that a resource's tags name; empty where they name none or cannot be read."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes announcements for one queue."""

    source: str
    """`/config-remediator/<region>/<account>/<queue>`"""
    clean: Callable[[str], str]
    """Takes secrets out of a text."""
    runbook_url: str = ""
    """A link with placeholders in braces; empty for no link."""
    by: str = ""
    """Which replica writes."""

    def body(self, announced: Announcement, owner: Owner) -> str:
        """The message's text, which is at most `LARGEST_BYTES` long."""
        match announced:
            case ResourceAnnouncement():
                return self._envelope(announced, _subject(announced), self._ending(announced, owner))
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
        texts = {name: self._text(getattr(announced, name)) for name in ("detail", "before", "after")}
        return {
            "form": "ending",
            "kind": announced.kind.value,
            "summary": self._text(_summary(announced), 512)[0],
            "rule": announced.rule,
            "remediation": announced.remediation,
            "mode": announced.mode,
            "resource": self._resource(announced.resource, owner),
            "reason": self._text(announced.reason, 256)[0],
            **{name: text for name, (text, _) in texts.items()},
            "cut": [name for name, (_, cut) in texts.items() if cut],
            "message_id": self._text(announced.message_id, 256)[0],
            "evaluated_at": _time(announced.evaluated_at_ms),
            "exposure_seconds": _rounded(announced.exposure_seconds),
            "undo": self._text(announced.undo, 512)[0] or None,
            "exemption": self._exemption(announced),
            "runbook_url": self._link(announced.kind, announced.rule, announced.reason, announced.resource),
            "by": self._text(announced.by or self.by, 256)[0],
        }

    def _state(self, announced: StateAnnouncement) -> dict[str, Any]:
        return {
            "form": "state",
            "kind": announced.kind.value,
            "summary": self._text(f"{announced.rule}: {announced.detail}" if announced.rule else announced.detail)[0],
            "active": announced.active,
            "rule": announced.rule,
            "runbook_url": self._link(announced.kind, announced.rule, "", None),
            "by": self._text(self.by, 256)[0],
        }

    def _digest(self, announced: Digest, owner: Owner) -> str:
        """As many entries as fit; what does not is in the number of the others."""
        shown = [self._entry(entry, owner) for entry in announced.entries[:MOST_SHOWN]]
        count = len(announced.entries) + announced.left_out
        summary = f"{count} resource{'s' if count != 1 else ''}: {_DIGESTED.get(announced.kind, announced.kind)}"
        while True:
            data = {
                "form": "digest",
                "kind": announced.kind.value,
                "summary": summary,
                "since": _time(announced.since_ms),
                "until": _time(announced.at_ms),
                "count": count,
                "entries": shown,
                "left_out": count - len(shown),
                "by": self._text(self.by, 256)[0],
            }
            body = self._envelope(announced, announced.kind.value, data)
            if len(body) <= LARGEST_BYTES or not shown:
                return body
            shown = shown[: len(shown) * 9 // 10]

    def _entry(self, announced: ResourceAnnouncement, owner: Owner) -> dict[str, Any]:
        most = _LONGEST_IN_DIGEST_BYTES
        return {
            "rule": announced.rule,
            "resource": self._resource(announced.resource, owner),
            "reason": self._text(announced.reason, most)[0],
            "before": self._text(announced.before, most)[0],
            "after": self._text(announced.after, most)[0],
            "exposure_seconds": _rounded(announced.exposure_seconds),
            "runbook_url": self._link(announced.kind, announced.rule, announced.reason, announced.resource),
        }

    def _resource(self, resource: ResourceName | None, owner: Owner) -> dict[str, Any] | None:
        if resource is None:
            return None
        return {
            "type": self._text(resource.resource_type, 256)[0],
            "id": self._text(resource.resource_id, 1_024)[0],
            "region": resource.region,
            "account": resource.account_id,
            "owner": self._text(owner(resource), 256)[0] or None,
        }

    def _exemption(self, announced: ResourceAnnouncement) -> str | None:
        """What would leave the resource as it was, ready to be completed and put into the configuration."""
        resource = announced.resource
        if resource is None or announced.kind not in _EXEMPTIBLE or not announced.rule:
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

    def _text(self, text: str, most: int = LONGEST_TEXT_BYTES) -> tuple[str, bool]:
        """The text without secrets, cut to so many bytes of JSON, and whether it was cut."""
        cleaned = self.clean(text)
        cut = cleaned[:most]
        while (size := len(json.dumps(cut))) > most + 2:
            cut = cut[: min(len(cut) * most // size, len(cut) - 1)]
        return cut, cut != cleaned


_DIGESTED = {
    Kind.WOULD_FIX: "a rule that observes would change them",
    Kind.HELD: "their change has been held back for long",
    Kind.CONTESTED: "somebody keeps breaking them after every fix",
    Kind.FIXED: "changed and read back",
    Kind.DEAD_LETTERED: "given up, a person has to look",
}


def _summary(announced: ResourceAnnouncement) -> str:
    """One line for a person, which every channel can show."""
    name = announced.resource.resource_id if announced.resource else f"message {announced.message_id}"
    change = f"{_short(announced.before)} -> {_short(announced.after)}"
    match announced.kind:
        case Kind.FIXED:
            return f"{name}: {change} (rule {announced.rule})"
        case Kind.UNDONE:
            return f"{name}: {change}, taken back by {announced.by} (rule {announced.rule})"
        case Kind.WOULD_FIX:
            return f"{name}: rule {announced.rule} would change {change}"
        case Kind.CONTESTED:
            return f"{name}: somebody keeps breaking it after every fix by rule {announced.rule}; it is left alone"
        case Kind.HELD:
            return f"{name}: the change {change} by rule {announced.rule} is held back: {announced.reason}"
        case Kind.DEAD_LETTERED:
            return f"{name}: given up, a person has to look: {announced.reason}"
        case Kind.PAUSED | Kind.BREAKER_OPEN:
            return announced.detail
        case _:
            assert_never(announced.kind)


def _short(state: str) -> str:
    return state if len(state) <= 80 else f"{state[:80]}..."


def _subject(announced: ResourceAnnouncement) -> str:
    resource = announced.resource
    return f"{resource.resource_type}/{resource.resource_id}" if resource else f"message/{announced.message_id}"


def _time(at_ms: int | None) -> str | None:
    """In UTC, as RFC 3339 has it."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
