"""Draws the status page: HTML that stands alone, without a script, and with nothing from anywhere else.

Every value is cleaned of secrets, made printable and escaped in one place, `_text`; there is no other way in.
How much is drawn is bounded by what `consumer.telemetry.status` holds and by the rules that are shown.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from html import escape
from http import HTTPStatus
from importlib import resources
from typing import assert_never

from consumer.core.printable import printable
from consumer.telemetry.http_messages import Response
from consumer.telemetry.redaction import redactor
from consumer.telemetry.status import LONGEST_TEXT, LatestEnding, ProcessStatus, RuleStatus, Tristate

REFRESH_SECONDS = 15
MOST_RULES = 100
"""Rules that are drawn; of more, the others are a number, as below."""
MOST_OBSTACLES = 50
MOST_OBSERVED = 3
"""Rules that the first tile names."""
_LONGEST_TEXT = LONGEST_TEXT + 100
_NOTHING = "\N{EN DASH}"

STYLE = resources.files("consumer.telemetry").joinpath("status_page.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", _POLICY),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)

_TONES = {
    "fixed": "good",
    "already_compliant": "good",
    "gone": "plain",
    "exempt": "plain",
    "superseded": "plain",
    "not_ours": "plain",
    "would_fix": "info",
    "held": "warn",
    "failed": "warn",
    "lease_lost": "warn",
    "rejected": "bad",
    "invalid": "bad",
    "exhausted": "bad",
}


def response(status: ProcessStatus) -> Response:
    """The page, with headers that let it do nothing but be read."""
    return Response(HTTPStatus.OK, page(status).encode("utf-8", "backslashreplace"), HEADERS)


def page(status: ProcessStatus) -> str:
    """The page as HTML."""
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">',
            '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">',
            f"<title>{_title(status)}</title><style>{STYLE}</style></head><body>",
            _head(status),
            "<main>",
            _tiles(status),
            _obstacles(status),
            _rules(status),
            _endings(status),
            "</main>",
            _foot(status),
            "</body></html>",
        )
    )


def _title(status: ProcessStatus) -> str:
    nothing = "observed only" if _observed(status) else "nothing exposed"
    answer = {Tristate.YES: "exposed", Tristate.NO: nothing, Tristate.UNKNOWN: "not known"}[status.exposed]
    return f"{answer} · {_text(status.queue)} · config-remediator"


def _head(status: ProcessStatus) -> str:
    return (
        f"<header><h1>config-remediator</h1><p>queue <b>{_text(status.queue)}</b> in {_text(status.region)}</p>"
        f'<p class="when">{_moment(status.at_ms)} UTC</p></header>'
    )


def _tiles(status: ProcessStatus) -> str:
    return f'<section class="tiles">{_exposed(status)}{_flowing(status)}{_in_flight(status)}</section>'


def _exposed(status: ProcessStatus) -> str:
    question, why, observed = "Is anything exposed?", "; ".join(status.unknown), _observed(status)
    also = f"; also by rules that only observe: {observed}" if observed else ""
    match status.exposed:
        case Tristate.YES:
            more = f"; and maybe more: {why}" if why else ""
            oldest = f"the oldest for {_duration(status.exposed_seconds or 0.0)}"
            return _tile(question, "Yes", "bad", f"{oldest}{also}{more}")
        case Tristate.NO if observed:
            text = f"no rule that enforces knows of a resource that breaks it; rules that only observe do: {observed}"
            return _tile(question, "Observed only", "warn", text)
        case Tristate.NO:
            return _tile(question, "No", "good", "no rule knows of a resource that breaks it")
        case Tristate.UNKNOWN:
            return _tile(question, "Not known", "warn", f"{why}{also}")
        case _:
            assert_never(status.exposed)


def _observed(status: ProcessStatus) -> str:
    """The rules that only observe and know of an exposure, the longest first, each with how long; empty without any."""
    observing = [rule for rule in status.rules if rule.mode == "observe"]
    known = [(each.oldest_seconds, each.name) for each in observing if each.oldest_seconds is not None]
    named = [f"{name} for {_duration(seconds)}" for seconds, name in sorted(known, reverse=True)]
    more = f" and {len(named) - MOST_OBSERVED} more" if len(named) > MOST_OBSERVED else ""
    return ", ".join(named[:MOST_OBSERVED]) + more


def _flowing(status: ProcessStatus) -> str:
    question = "Does work flow?"
    if stopped := status.alive or status.ready:
        return _tile(question, "No", "bad", stopped)
    if count := len(status.obstacles):
        what = "1 thing keeps" if count == 1 else f"{count} things keep"
        return _tile(question, "In part", "warn", f"{what} changes back, see below")
    return _tile(question, "Yes", "good", "received, repaired, read back, settled")


def _in_flight(status: ProcessStatus) -> str:
    parts = (("waiting", status.buffered), ("working", status.working), ("settling", status.settling))
    total = sum(count for _, count in parts)
    bar = "".join(f'<span class="part {name} w{_share(count, status.slots)}"></span>' for name, count in parts if count)
    legend = " · ".join(f"{count} {name}" for name, count in parts)
    return (
        f'<article class="tile plain"><h2>In flight</h2><p class="word">{total}<small> of {status.slots}</small></p>'
        f'<div class="bar" role="img" aria-label="{legend}">{bar}</div><p>{legend}</p></article>'
    )


def _tile(question: str, word: str, tone: str, text: str) -> str:
    return f'<article class="tile {tone}"><h2>{question}</h2><p class="word">{word}</p><p>{_text(text)}</p></article>'


def _obstacles(status: ProcessStatus) -> str:
    if not status.obstacles:
        return ""
    items = "".join(f"<li>{_text(each)}</li>" for each in status.obstacles[:MOST_OBSTACLES])
    note = _more(len(status.obstacles) - MOST_OBSTACLES)
    return f'<section class="card warn"><h2>Why work does not flow</h2><ul>{items}</ul>{note}</section>'


def _rules(status: ProcessStatus) -> str:
    rows = "".join(_rule(rule) for rule in status.rules[:MOST_RULES])
    columns = "".join(f"<th>{name}</th>" for name in ("Rule", "Mode", "Repair", "Exposed for", "Changes"))
    table = f"<table><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<section class="card"><h2>Rules</h2>{table}{_more(len(status.rules) - MOST_RULES)}</section>'


def _rule(rule: RuleStatus) -> str:
    mode = _badge(rule.mode, "info" if rule.mode == "observe" else "good")
    changes = "unknown" if rule.changes is None else str(rule.changes)
    cells = {
        "Mode": mode + "".join(_badge(each, "warn") for each in rule.waits),
        "Repair": _text(rule.remediation),
        "Exposed for": _NOTHING if rule.oldest_seconds is None else _duration(rule.oldest_seconds),
        "Changes": _NOTHING if rule.most_changes is None else f"{changes} of {rule.most_changes}",
    }
    shown = "".join(f'<td data-is="{name}"><div>{cell}</div></td>' for name, cell in cells.items())
    return f'<tr><th scope="row">{_text(rule.name)}</th>{shown}</tr>'


def _badge(text: str, tone: str) -> str:
    return f'<span class="badge {tone}">{_text(text)}</span>'


def _more(count: int) -> str:
    return f"<p>and {count} more</p>" if count > 0 else ""


def _endings(status: ProcessStatus) -> str:
    if not status.endings:
        return '<section class="card"><h2>Latest endings</h2><p>None since the start.</p></section>'
    items = "".join(_ending(ending) for ending in status.endings)
    return f'<section class="card"><h2>Latest endings</h2><ol class="endings">{items}</ol></section>'


def _ending(ending: LatestEnding) -> str:
    badge = _badge(ending.outcome.replace("_", " "), _TONES.get(ending.outcome, "plain"))
    changed = ending.before != ending.after
    states = f"{_text(ending.before)} <i>→</i> {_text(ending.after)}" if changed else ""
    about = " · ".join(_text(each) for each in (ending.rule, ending.reason) if each)
    return (
        f'<li>{badge}<b>{_text(ending.resource) or "a message"}</b><span class="states">{states}</span>'
        f'<span class="about">{about}</span><time>{_moment(ending.at_ms)}</time></li>'
    )


def _foot(status: ProcessStatus) -> str:
    settled = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in status.settled if count)
    links = " ".join(f'<a href="{path}">{path}</a>' for path in ("/metrics", "/readyz", "/livez"))
    since = f"{status.received} deliveries received since {_moment(status.started_at_ms)}"
    return (
        f"<footer><p>{since}: {_text(settled) or 'none settled'}</p>"
        f"<p>version {_text(status.version)} · {_text(status.by)} · one replica of perhaps several ·"
        f" every {REFRESH_SECONDS} s · {links}</p></footer>"
    )


def _text(value: str) -> str:
    """A value from anywhere as text of the page: no secret, never long, nothing unprintable, no markup."""
    cleaned = redactor.clean(value)
    cut = cleaned if len(cleaned) <= _LONGEST_TEXT else f"{cleaned[:_LONGEST_TEXT]}…"
    return escape(printable(cut), quote=True)


def _share(count: int, slots: int) -> int:
    """In twentieths of the bar, for which there is a class each: a style of its own would need an exception."""
    return min(20, max(1, round(20 * count / slots))) if slots else 0


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _duration(seconds: float) -> str:
    """Two units at most: `3 d 4 h`."""
    left = max(0, int(seconds))
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    for index, (unit, size) in enumerate(units):
        if left >= size or unit == "s":
            first, rest = divmod(left, size)
            if index + 1 < len(units) and (second := rest // units[index + 1][1]):
                return f"{first} {unit} {second} {units[index + 1][0]}"
            return f"{first} {unit}"
    return "0 s"
