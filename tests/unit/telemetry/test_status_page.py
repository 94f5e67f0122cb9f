"""The status page: nothing hostile gets out of its text, nothing unknown is green, and it is never large."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.outcome import Ending, Outcome
from consumer.core.printable import printable
from consumer.telemetry import status_page
from consumer.telemetry.redaction import REDACTED, redactor
from consumer.telemetry.status import (
    LONGEST_TEXT,
    MOST_ENDINGS,
    Endings,
    LatestEnding,
    ProcessStatus,
    RuleStatus,
    Tristate,
)
from tests.unit.telemetry.records import event, report

AT_MS = 1_796_040_000_000
CALM = ProcessStatus(
    at_ms=AT_MS,
    version="1.2.3",
    queue="config-events",
    region="cn-hangzhou",
    by="remediator-6f7c9-x2k4p:1",
    started_at_ms=AT_MS - 3_600_000,
    alive="",
    ready="",
    exposed=Tristate.NO,
    exposed_seconds=None,
    unknown=(),
    obstacles=(),
    slots=128,
    buffered=12,
    working=31,
    settling=9,
    received=18_422,
    settled=(("deleted", 17_990), ("dead_lettered", 41), ("lease_lost", 0)),
    rules=(
        RuleStatus("public-read", "enforce", "oss.bucket-acl", None, (), 17, 20),
        RuleStatus("versioning", "observe", "oss.versioning", 518_400.0, ()),
    ),
    endings=(
        LatestEnding(AT_MS - 5_000, "fixed", "public-read", "invoices-2026", "", "public-read", "private"),
        LatestEnding(AT_MS - 9_000, "invalid", "", "", "not_json", "", ""),
    ),
)
TROUBLED = replace(
    CALM,
    exposed=Tristate.YES,
    exposed_seconds=1_980.0,
    unknown=("the dead-letter queue was not seen as a whole",),
    obstacles=("changes are paused by the file /etc/config-remediator/pause",),
    rules=(
        *CALM.rules,
        RuleStatus(
            "public-policy",
            "enforce",
            "oss.bucket-policy-public",
            1_980.0,
            ("waits for Mon-Fri 09:00-17:00 Asia/Shanghai", "breaker open", "2 contested"),
            None,
            20,
        ),
    ),
    endings=(
        *CALM.endings,
        LatestEnding(AT_MS, "rejected", "encryption", "b" * 63, "AccessDenied", '{"a":' * 40, "x" * LONGEST_TEXT),
    ),
)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><style>*{display:none}",
    "</title></head><body onload=alert(1)>",
    "<!--",
    "]]>",
    "&lt;script&gt;",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "a\x00b\x1b[31m\r\n\u2028",
    "\ud800",
)


class Parsed(HTMLParser):
    """What a parser makes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count it, and remember what it leads to."""
        self.tags.append(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action", "data", "srcset")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Every element ends in its order."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text, the style sheet's apart."""
        if self.open[-1:] != ["style"]:
            self.text += data


def filled(value: str) -> ProcessStatus:
    """A page in which every text that may come from outside is that."""
    rule = RuleStatus(value, value, value, 1.0, (value,), 1, 2)
    ending = LatestEnding(AT_MS, value, value, value, value, value, value + "x")
    texts = dict.fromkeys(("version", "queue", "region", "by", "alive", "ready"), value)
    return replace(
        TROUBLED, **texts, unknown=(value,), obstacles=(value,), settled=((value, 1),), rules=(rule,), endings=(ending,)
    )


PLAIN = Parsed(status_page.page(filled("plain")))


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_hostile_text_stays_text(value: str) -> None:
    """Whatever stands in a name, a state or a reason: the same elements and attributes, and the text to be read."""
    found = Parsed(status_page.page(filled(value)))

    assert found.tags == PLAIN.tags
    assert found.attributes == PLAIN.attributes
    assert found.open == []
    assert found.text.count(printable(value)) >= 12
    assert found.links == PLAIN.links


@given(st.text(st.characters(), max_size=80))
def test_any_text_stays_text(value: str) -> None:
    """As above, for whatever there is."""
    found = Parsed(status_page.page(filled(value)))

    assert (found.tags, found.attributes, found.links) == (PLAIN.tags, PLAIN.attributes, PLAIN.links)
    status_page.response(filled(value))


def test_nothing_is_loaded_and_nothing_runs() -> None:
    """No script, no form, no picture, no address but the three of this port; and the browser is told so."""
    response = status_page.response(TROUBLED)
    found = Parsed(response.body.decode())

    assert not {"script", "form", "img", "iframe", "object", "embed", "link", "base", "svg"} & set(found.tags)
    assert not {name for name in found.attributes if name.startswith("on") or name == "style"}
    assert found.links == ["/metrics", "/readyz", "/livez"]
    assert "url(" not in status_page.STYLE
    assert "@import" not in status_page.STYLE
    headers = dict(response.headers)
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    (style,) = re.findall("<style>(.*)</style>", response.body.decode(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy["style-src"] == f"'sha256-{digest}'"
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")


def test_no_secret_is_shown() -> None:
    """What the process has learned as one is taken out, wherever it stands."""
    redactor.learn("a-very-secret-key-of-the-page")

    page = status_page.page(filled("x a-very-secret-key-of-the-page"))

    assert "a-very-secret-key-of-the-page" not in page
    assert page.count(REDACTED) >= 12


def tiles(page: str) -> list[tuple[str, str, str]]:
    """Tone, word and text of each."""
    return re.findall(r'<article class="tile (\w+)"><h2>[^<]*</h2><p class="word">([^<]*)</p><p>([^<]*)', page)


@pytest.mark.parametrize(
    ("status", "word", "tone"),
    [
        (replace(CALM, rules=CALM.rules[:1]), "No", "good"),
        (CALM, "Observed only", "warn"),
        (replace(CALM, exposed=Tristate.UNKNOWN, unknown=("no poll is answered",)), "Not known", "warn"),
        (TROUBLED, "Yes", "bad"),
    ],
    ids=["no", "observed", "unknown", "yes"],
)
def test_the_first_tile_answers_whether_anything_is_exposed(status: ProcessStatus, word: str, tone: str) -> None:
    """Not knowing is never green, and says why."""
    page = status_page.page(status)
    found = tiles(page)[0]

    assert found[:2] == (tone, word)
    assert all(reason in found[2] for reason in status.unknown)
    title = unescape(page.partition("<title>")[2].partition("</title>")[0])
    begins = {"No": "nothing exposed", "Not known": "not known", "Yes": "exposed", "Observed only": "observed only"}
    assert title.startswith(begins[word])
    assert ("versioning for 6 d" in found[2]) is (word != "No")


def test_of_many_rules_that_observe_the_longest_exposed_are_named() -> None:
    """A few, and how many more there are; a moment counts as well."""
    rules = tuple(RuleStatus(f"r-{number}", "observe", "oss.versioning", float(number), ()) for number in range(9))
    text = tiles(status_page.page(replace(CALM, rules=rules)))[0][2]
    assert text.endswith("r-8 for 8 s, r-7 for 7 s, r-6 for 6 s and 6 more")
    only = replace(CALM, rules=(RuleStatus("new", "observe", "oss.versioning", 0.0, ()),))
    assert tiles(status_page.page(only))[0][1] == "Observed only"


@pytest.mark.parametrize(
    ("status", "word", "tone"),
    [
        (CALM, "Yes", "good"),
        (TROUBLED, "In part", "warn"),
        (replace(CALM, ready="last poll failed: AccessDenied"), "No", "bad"),
        (replace(CALM, alive="thread worker-1 died"), "No", "bad"),
    ],
    ids=["flows", "in part", "not ready", "not alive"],
)
def test_the_second_tile_answers_whether_work_flows(status: ProcessStatus, word: str, tone: str) -> None:
    """With the reason where there is one."""
    found = tiles(status_page.page(status))[1]

    assert found[:2] == (tone, word)
    assert (status.alive or status.ready) in found[2]


def test_a_count_that_cannot_be_known_is_not_shown_as_nothing() -> None:
    """While the store that replicas share cannot be reached, for example."""
    assert "unknown of 20" in status_page.page(TROUBLED)
    assert "17 of 20" in status_page.page(TROUBLED)


def test_it_is_never_large() -> None:
    """However many rules and obstacles there are and whatever stands in them; what is left out is a number."""
    worst = "\u202e" * 10_000
    rule = RuleStatus(worst, worst, worst, 1.0, (worst,) * 4, 1, 2)
    ending = LatestEnding(AT_MS, worst, worst, worst, worst, worst, worst + "x")

    page = status_page.page(
        replace(filled(worst), rules=(rule,) * 1_000, obstacles=(worst,) * 1_000, endings=(ending,) * MOST_ENDINGS)
    )

    assert len(page.encode()) < 2 << 20
    assert "and 900 more" in page
    assert "and 950 more" in page


def test_no_half_secret_is_kept() -> None:
    """A state is cut to size, and a secret at the cut would not be recognised once it is in two."""
    redactor.learn("another-very-secret-key-of-the-page")
    endings = Endings()
    text = "x" * (LONGEST_TEXT - 10) + "another-very-secret-key-of-the-page"
    endings.report(report(Outcome.FIXED, ending=Ending(Outcome.FIXED, before=text, after="private")))

    assert "another" not in endings.latest()[0].before


def test_the_latest_endings_are_kept_and_no_more() -> None:
    """Cut to size when they come, the latest first; what was handed back untouched is none."""
    endings = Endings()
    for number in range(3 * MOST_ENDINGS):
        endings.report(report(Outcome.FIXED, event=event(resource_id=f"bucket-{number}")))
    endings.report(report(None))
    endings.report(report(Outcome.HELD, ending=Ending(Outcome.HELD, "r" * 9_999, before="b" * 9_999), event=None))

    latest = endings.latest()
    assert len(latest) == MOST_ENDINGS
    assert [ending.resource for ending in latest[:2]] == ["", f"bucket-{3 * MOST_ENDINGS - 1}"]
    assert len(latest[0].before) == len(latest[0].reason) == LONGEST_TEXT + 1
