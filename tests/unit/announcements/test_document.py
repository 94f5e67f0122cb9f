"""Every announcement fits the one schema, whatever stands in it, and gives away nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.announcements.document import (
    LARGEST_BYTES,
    LONGEST_TEXT_BYTES,
    MOST_SHOWN,
    PLACEHOLDERS,
    AnnouncementWriter,
)
from consumer.announcements.records import (
    Announcement,
    Digest,
    Kind,
    ResourceAnnouncement,
    ResourceName,
    StateAnnouncement,
)
from consumer.guards.exemptions import Exemption
from consumer.telemetry.redaction import REDACTED, Redactor
from tests.unit.announcements.published import checked, schema
from tests.unit.config_files import SMALLEST, loaded

AT_MS = 1_790_000_012_000
PHOTOS = ResourceName("ACS::OSS::Bucket", "holiday-photos", "cn-hangzhou", "1234567890123456")
FIXED = ResourceAnnouncement(
    Kind.FIXED,
    "3f" * 16,
    AT_MS,
    PHOTOS,
    rule="public-read",
    remediation="oss.bucket-acl",
    mode="enforce",
    before="public-read",
    after="private",
    now="private",
    message_id="5F290C926D472878-2-14D9529A8FA-200000001",
    evaluated_at_ms=AT_MS - 12_000,
    exposure_seconds=12.0,
    undo="config-remediator undo 5F290C926D472878-2-14D9529A8FA-200000001",
    how_to_undo="config-remediator undo 5F290C926D472878-2-14D9529A8FA-200000001 (yes: the ACL found is put back)",
)
WRITER = AnnouncementWriter(
    "/config-remediator/cn-hangzhou/1234567890123456/events",
    Redactor().clean,
    "https://wiki.example.com/{rule}?bucket={resource}&k={kind}",
    "host:1",
)
ENDING_KINDS = [
    Kind.FIXED,
    Kind.WOULD_FIX,
    Kind.CONTESTED,
    Kind.HELD,
    Kind.DEAD_LETTERED,
    Kind.UNDONE,
]


def written(announced: Announcement, writer: AnnouncementWriter = WRITER, owner: str = "web-team") -> dict[str, Any]:
    """The document, which fits."""
    return checked(writer.body(announced, lambda _resource: owner))


def test_a_fix_says_all_that_its_owner_asks() -> None:
    """What, where, whose, how it was and is, how to take it back, how to be left alone, where to read on."""
    document = written(FIXED)

    assert {name: document[name] for name in ("specversion", "id", "source", "type", "subject", "time")} == {
        "specversion": "1.0",
        "id": "3f" * 16,
        "source": "/config-remediator/cn-hangzhou/1234567890123456/events",
        "type": "config-remediator.fixed.v1",
        "subject": "ACS::OSS::Bucket/holiday-photos",
        "time": "2026-09-21T14:13:32.000Z",
    }
    data = document["data"]
    assert data["summary"] == "holiday-photos: public-read -> private (rule public-read)"
    assert data["resource"] == {
        "type": "ACS::OSS::Bucket",
        "id": "holiday-photos",
        "region": "cn-hangzhou",
        "account": "1234567890123456",
        "owner": "web-team",
    }
    assert (data["before"], data["after"], data["now"], data["cut"]) == ("public-read", "private", "private", [])
    assert data["how_to_undo"].startswith(data["undo"])
    assert data["exposure_seconds"] == 12.0
    assert data["evaluated_at"] == "2026-09-21T14:13:20.000Z"
    assert data["undo"] == "config-remediator undo 5F290C926D472878-2-14D9529A8FA-200000001"
    assert data["runbook_url"] == "https://wiki.example.com/public-read?bucket=holiday-photos&k=fixed"


def test_the_exemption_that_is_hinted_at_can_be_used(tmp_path: Any) -> None:
    """Pasted into the configuration, it loads and covers exactly this resource and rule."""
    hint = written(FIXED)["data"]["exemption"]

    (entry,) = loaded(tmp_path, SMALLEST + hint).exemptions
    built: Exemption = entry.build()
    assert (built.rules, built.accounts, built.resources) == ({"public-read"}, {PHOTOS.account_id}, ("holiday-photos",))


def test_what_may_name_anything_hints_at_no_exemption() -> None:
    """A dead letter's event can name every resource at once; nobody is led to exempt them."""
    hostile = replace(FIXED, kind=Kind.DEAD_LETTERED, resource=replace(PHOTOS, resource_id="*"))

    assert written(hostile)["data"]["exemption"] is None
    assert written(replace(FIXED, kind=Kind.DEAD_LETTERED, confirmed=False))["data"]["exemption"] is None
    assert written(replace(FIXED, kind=Kind.DEAD_LETTERED))["data"]["exemption"], "a look has found it"


def test_a_message_that_names_no_resource_has_none() -> None:
    """It is no event, so all there is to say is which message it was and why."""
    poison = ResourceAnnouncement(Kind.DEAD_LETTERED, "1", AT_MS, None, reason="not_json", message_id="5F29")

    document = written(poison)

    assert document["data"]["resource"] is None
    assert document["subject"] == "message/5F29"
    assert document["data"]["summary"] == "message 5F29: given up, a person has to look: not_json"


@pytest.mark.parametrize("name", ["before", "after", "detail"])
def test_a_policy_is_cut_and_that_is_reported(name: str) -> None:
    """A whole policy stands in the journal; here is its beginning."""
    data = written(replace(FIXED, **{name: "é" * 50_000}))["data"]

    assert len(json.dumps(data[name])) <= LONGEST_TEXT_BYTES + 2
    assert data["cut"] == [name]


@pytest.mark.parametrize("digested", [True, False])
@pytest.mark.parametrize("long", [True, False])
def test_that_the_state_as_it_stands_was_cut_is_reported(long: bool, digested: bool) -> None:
    """In a field of its own: receivers may check `cut` by the first schema, which knows three names."""
    changed = replace(FIXED, now="é" * 50_000 if long else "private")

    data = written(Digest(Kind.FIXED, "d", AT_MS, AT_MS, (changed,)) if digested else changed)["data"]

    found = data["entries"][0] if digested else data
    assert (found["now_cut"], found["cut"]) == (long, [])


@pytest.mark.parametrize(
    ("template", "link"),
    [
        ("https://wiki.example.com/{kind}?from=digest", "https://wiki.example.com/fixed?from=digest"),
        ("https://wiki.example.com/remediation", "https://wiki.example.com/remediation"),
        *((f"https://wiki.example.com/{{kind}}?b={{{name}}}", None) for name in PLACEHOLDERS if name != "kind"),
    ],
)
def test_a_digest_has_no_link_with_holes(template: str, link: str | None) -> None:
    """It is about no one rule or resource; each entry has a link of its own."""
    writer = replace(WRITER, runbook_url=template)

    data = written(Digest(Kind.FIXED, "d", AT_MS, AT_MS, (FIXED,)), writer)["data"]

    assert data["runbook_url"] == link
    assert data["entries"][0]["runbook_url"].startswith(link or "https://wiki.example.com/fixed?b=")


@pytest.mark.parametrize("field", ["before", "after", "detail", "reason", "message_id", "undo", "by"])
def test_no_secret_leaves_by_any_text(field: str) -> None:
    """What the process has learned as one is taken out wherever it stands, before anything is cut."""
    redactor = Redactor()
    redactor.learn("a-very-secret-key")
    writer = replace(WRITER, clean=redactor.clean)

    body = writer.body(replace(FIXED, **{field: "x" * 100 + " a-very-secret-key"}), lambda _: "a-very-secret-key")

    assert "a-very-secret-key" not in body
    assert REDACTED in body


@pytest.mark.parametrize("digested", [True, False])
@pytest.mark.parametrize("at", [0, 250, 310, 4_090, 4_155, 60_000])
def test_what_is_cut_before_it_waits_gives_no_part_of_a_secret_away(at: int, digested: bool) -> None:
    """Wherever the cut falls: secrets are looked for in the whole text, before."""
    redactor = Redactor()
    redactor.learn("a-very-secret-key")
    writer = replace(WRITER, clean=redactor.clean)
    text = "x" * at + "a-very-secret-key" + "y" * 5_000

    kept = writer.bounded(replace(FIXED, before=text, after=text, detail=text, now=text), digested)

    assert {kept.before, kept.after, kept.detail, kept.now} == {REDACTED}


@pytest.mark.parametrize("digested", [True, False])
def test_that_a_text_was_cut_before_it_waited_is_still_seen(digested: bool) -> None:
    """And what waits is hardly longer than what is written."""
    text = "\U0001f4a3" * 60_000

    kept = WRITER.bounded(replace(FIXED, kind=Kind.HELD, before=text, after=text, detail=text, now=text), digested)

    assert len(json.dumps(kept.before)) < (400 if digested else LONGEST_TEXT_BYTES + 100)
    found = written(Digest(Kind.HELD, "d", AT_MS, AT_MS, (kept,)) if digested else kept)["data"]
    assert (found["entries"][0] if digested else found)["cut"] == ["detail", "before", "after"]


def test_a_digest_lists_what_fits_and_counts_the_rest() -> None:
    """A thousand with long states: a hundred at most are listed, the body fits, and the numbers add up."""
    long = replace(FIXED, kind=Kind.WOULD_FIX, before="\U0001f4a3" * 4_000, after="\U0001f4a3" * 4_000)
    digest = Digest(Kind.WOULD_FIX, "d", AT_MS, AT_MS - 3_600_000, (long,) * 1_000, left_out=7)

    data = written(digest)["data"]

    assert data["count"] == 1_007
    assert data["left_out"] == 1_007 - len(data["entries"])
    assert 10 < len(data["entries"]) <= MOST_SHOWN
    listed = len(data["entries"])
    assert data["summary"] == f"1007 resources: a rule that observes would change them ({listed} of them listed)"
    assert len(json.dumps(data)) + 1_500 > LARGEST_BYTES - 2_000, "as many as fit"


@pytest.mark.parametrize("kind", [Kind.PAUSED, Kind.BREAKER_OPEN])
@pytest.mark.parametrize("active", [True, False])
def test_a_state_says_whether_it_holds(kind: Kind, active: bool) -> None:
    """Both ends of it are announced."""
    document = written(StateAnnouncement(kind, "s", AT_MS, active, "" if kind is Kind.PAUSED else "public-read", "why"))

    assert document["data"]["active"] is active
    assert document["data"]["runbook_url"].startswith("https://wiki.example.com/")


_ANY = st.text(st.characters(), max_size=300)


@given(st.sampled_from(ENDING_KINDS), st.tuples(_ANY, _ANY, _ANY, _ANY, _ANY, _ANY, _ANY), st.booleans())
def test_hostile_text_never_breaks_the_form(kind: Kind, texts: tuple[str, ...], digested: bool) -> None:
    """Controls, surrogates, quotes, braces: the document fits the schema, is ASCII, and its link has one shape."""
    resource_id, rule, reason, detail, before, after, owner = texts
    hostile = replace(
        FIXED,
        kind=kind,
        resource=replace(PHOTOS, resource_id=resource_id.encode("utf-8", "ignore").decode()),
        rule=rule.encode("utf-8", "ignore").decode(),
        reason=reason.encode("utf-8", "ignore").decode(),
        detail=detail,
        before=before,
        after=after,
    )
    announced: Announcement = hostile
    if digested and kind is not Kind.UNDONE:
        announced = Digest(kind, "d", AT_MS, AT_MS, (hostile,))

    document = written(announced, owner=owner)

    data = document["data"]["entries"][0] if "entries" in document["data"] else document["data"]
    link = data["runbook_url"]
    assert link.startswith("https://wiki.example.com/")
    assert not set(link) & set(" \"'<>\n\\")
    assert link.count("?") == 1
    assert unquote(link.partition("&k=")[2]) == kind.value


def test_the_schema_refuses_what_we_never_write() -> None:
    """Else it would prove nothing."""
    document = written(FIXED)
    for change in (
        {"specversion": "0.3"},
        {"data": {**document["data"], "kind": "else"}},
        {"data": {name: value for name, value in document["data"].items() if name != "undo"}},
        {"time": "yesterday"},
    ):
        assert not schema().is_valid({**document, **change}), change


def test_the_largest_of_every_kind_fits() -> None:
    """Every text at its worst, in characters that JSON spells with twelve."""
    worst = "\U0001f4a3" * 70_000
    named = replace(PHOTOS, resource_id="b" * 1_024)
    every = dict.fromkeys(("detail", "before", "after", "reason", "message_id", "undo", "by"), worst)

    for kind in ENDING_KINDS:
        assert len(WRITER.body(replace(FIXED, kind=kind, resource=named, **every), lambda _: worst)) <= LARGEST_BYTES
