"""Every ending that is announced, made by a real worker: all that a person has to know, alone and in a digest."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from consumer.announcements.records import Kind
from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.announced import TOPIC, announced, subscribe_queue
from tests.integration.conftest import Run, Running
from tests.integration.queues import dead_letters, is_empty
from tests.unit.announcements.published import Document

AGE_SECONDS = 7_200
WIKI = "https://wiki.example.com/{kind}/{rule}?bucket={resource}"
ENCRYPTION = "oss-bucket-server-side-encryption-enabled"
AES256 = '{"algorithm":"AES256","kms_key_id":"","kms_data_encryption":""}'
OBSERVED = f"""
[[rules]]
name = "observed"
remediation = "{{remediation}}"
mode = "observe"
config_rule_ids = ["cr-encryption"]
source_identifiers = ["{ENCRYPTION}"]
"""


def ends(outcome: str, reason: str | None = None) -> Callable[[Running, Emulator], bool]:
    """Whether a delivery has ended like that; what is counted is reported to the announcer in the same breath."""

    def ended(running: Running, _channel: Emulator) -> bool:
        registry = running.service.metrics.registry
        if reason is not None:
            return bool(registry.get_sample_value("remediator_held_total", {"rule": "public-read", "reason": reason}))
        return any(
            registry.get_sample_value("remediator_outcomes_total", {"rule": rule, "outcome": outcome})
            for rule in ("public-read", "observed")
        )

    return ended


def given_up(_running: Running, channel: Emulator) -> bool:
    """Whether a dead letter is written and its message gone."""
    return bool(dead_letters(channel)) and is_empty(channel)


def breaks_again(running: Running, channel: Emulator) -> bool:
    """Somebody makes the bucket public once more, once it is fixed; whether that is held as contested."""
    if channel.acls()["photos"] == "private" and ends("fixed")(running, channel):
        channel.change_bucket("photos", acl="public-read")
    return ends("held", "contested")(running, channel)


@dataclass(frozen=True)
class Case:
    """One ending, and what has to be announced of it."""

    kind: Kind
    over: Callable[[Running, Emulator], bool]
    before: str = "public-read"
    after: str = "private"
    now: str = "public-read"
    reason: str = ""
    undo: bool = False
    exemption: bool = True
    exposed: bool = True
    how_to_undo: str = "nothing was changed"
    fault: dict[str, Any] | None = None
    bucket: dict[str, Any] | None = None
    rule: str = "public-read"
    more: str = ""
    paused: bool = False
    raw: str = ""


UNSEEN = {"before": "unknown", "after": "unknown", "now": "unknown"}
CASES = {
    "fixed": Case(Kind.FIXED, ends("fixed"), now="private", undo=True, how_to_undo="config-remediator undo "),
    "would_fix": Case(
        Kind.WOULD_FIX,
        ends("would_fix"),
        before="null",
        after=AES256,
        now="null",
        reason="observe_mode",
        bucket={},
        rule="observed",
        more=OBSERVED.format(remediation="oss.encryption"),
    ),
    "reported only": Case(
        Kind.WOULD_FIX,
        ends("would_fix"),
        **UNSEEN,
        reason="report_only",
        bucket={},
        rule="observed",
        more=OBSERVED.format(remediation="oss.report"),
    ),
    "held by a pause": Case(Kind.HELD, ends("held", "paused"), reason="paused", paused=True),
    "held for a permission": Case(
        Kind.HELD,
        ends("held", "permission_missing"),
        reason="permission_missing",
        fault={"operation": "PutBucketAcl", "status": 403, "code": "AccessDenied"},
    ),
    "contested": Case(Kind.CONTESTED, breaks_again, reason="contested", more="\n[contest]\nmax_fixes = 1\n"),
    "refused": Case(
        Kind.DEAD_LETTERED,
        given_up,
        reason="InvalidArgument",
        fault={"operation": "PutBucketAcl", "status": 400, "code": "InvalidArgument"},
    ),
    "never answered well": Case(
        Kind.DEAD_LETTERED,
        given_up,
        now="unknown",
        reason="InternalError",
        how_to_undo="a change was begun and may stand",
        fault={"operation": "PutBucketAcl", "status": 500, "code": "InternalError"},
    ),
    "never seen": Case(
        Kind.DEAD_LETTERED,
        given_up,
        **UNSEEN,
        reason="InternalError",
        exemption=False,
        fault={"operation": "GetBucketInfo", "status": 500, "code": "InternalError"},
    ),
    "no event": Case(
        Kind.DEAD_LETTERED,
        given_up,
        **UNSEEN,
        reason="not_base64",
        exemption=False,
        exposed=False,
        rule="",
        raw="poison!",
    ),
}
assert {case.kind for case in CASES.values()} == set(Kind) - {Kind.UNDONE, Kind.PAUSED, Kind.BREAKER_OPEN}


def happen(channel: Emulator, case: Case) -> None:
    """What the case is about, two hours ago by the evaluator's clock."""
    subscribe_queue(channel)
    if case.rule == "observed":
        channel.config.add_rule(ENCRYPTION, rule_id="cr-encryption")
    if case.fault:
        channel.faults.add("error", service="oss", **case.fault)
    channel.advance(-AGE_SECONDS)
    if case.raw:
        channel.config.publish_raw(case.raw)
    else:
        settings = {"acl": "public-read"} if case.bucket is None else case.bucket
        channel.create_buckets(["photos"], tagging={"team": "web-team"}, **settings)
    channel.advance(AGE_SECONDS)


@pytest.mark.parametrize("digested", [False, True], ids=["alone", "in a digest"])
@pytest.mark.parametrize("name", CASES)
def test_all_that_a_person_has_to_know_is_announced(
    name: str, digested: bool, channel: Emulator, run: Run, tmp_path: Any
) -> None:
    """Before, after, now, rule, resource, owner, exemption, exposure, how to undo, where to read on; none is empty."""
    case = CASES[name]
    happen(channel, case)
    digest = f'digest = ["{case.kind}"]\nevery = "1d"\n' if digested else "digest = []\n"
    announce = f'[announce]\ntopic = "{TOPIC}"\nowner_tag = "team"\nrunbook_url = "{WIKI}"\n{digest}'
    journal = f'[journal]\npath = "{tmp_path / "journal.jsonl"}"\n'
    (tmp_path / "pause").touch()
    pause = f'[pause]\nfile = "{tmp_path / "pause"}"\n' if case.paused else ""
    with run(f'{announce}endings = ["{case.kind}"]\n{journal}{pause}{case.more}') as running:
        eventually(lambda: case.over(running, channel))

    (document,) = announced(channel)
    data = document["data"]
    assert (data["form"], data["kind"]) == ("digest" if digested else "ending", case.kind)
    assert data["by"]
    (about,) = data["entries"] if digested else (data,)
    check(case, about, channel)
    check_exposure(case, about, document)
    if digested:
        assert (data["count"], data["left_out"]) == (1, 0)
        assert data["runbook_url"] is None, "it is about no one bucket"


def check(case: Case, about: Document, channel: Emulator) -> None:
    """Everything but how long it was exposed."""
    states = (about["before"], about["after"], about["now"])
    assert states == (case.before, case.after, case.now)
    assert (about["rule"], about["reason"], about["cut"], about["now_cut"]) == (case.rule, case.reason, [], False)
    assert about["message_id"]
    assert about["undo"] == (f"config-remediator undo {about['message_id']}" if case.undo else None)
    assert about["how_to_undo"].startswith(case.how_to_undo)
    bucket = "" if case.raw else "photos"
    assert about["runbook_url"] == f"https://wiki.example.com/{case.kind}/{case.rule}?bucket={bucket}"
    if case.raw:
        assert about["resource"] is None
    else:
        known = channel.endpoints
        assert about["resource"] == {
            "type": "ACS::OSS::Bucket",
            "id": "photos",
            "region": known.region,
            "account": known.account_id,
            "owner": "web-team",
        }
    if case.exemption:
        (exemption,) = tomllib.loads(about["exemption"])["exemptions"]
        assert (exemption["resources"], exemption["rules"]) == (["photos"], [case.rule])
    else:
        assert about["exemption"] is None


def check_exposure(case: Case, about: Document, document: Document) -> None:
    """Two hours and what the test took: until the message was written, for a fix until it was read back."""
    if not case.exposed:
        assert (about["exposure_seconds"], about["evaluated_at"]) == (None, None)
        return
    evaluated, written = (datetime.fromisoformat(text) for text in (about["evaluated_at"], document["time"]))
    age_seconds = (written - evaluated).total_seconds()
    least = 0 if case.kind is Kind.CONTESTED else AGE_SECONDS
    assert least <= about["exposure_seconds"] <= age_seconds + 1


def test_a_state_says_what_it_is_about_and_where_to_read_on(channel: Emulator, run: Run) -> None:
    """A breaker that opens: which rule, since when, and that the messages wait."""
    subscribe_queue(channel)
    channel.faults.add("error", "PutBucketAcl", service="oss", status=500, code="InternalError")
    channel.create_buckets(["photos"], acl="public-read")
    breaker = "[breaker]\nattempts = 1\nmin_attempts = 1\n"
    with run(f'[announce]\ntopic = "{TOPIC}"\nendings = ["breaker_open"]\nrunbook_url = "{WIKI}"\n{breaker}'):
        eventually(lambda: bool(announced(channel)))

    data = announced(channel)[0]["data"]
    assert (data["form"], data["kind"], data["rule"], data["active"]) == ("state", "breaker_open", "public-read", True)
    assert data["summary"] == "public-read: the rule's changes are stopped, because too many of them failed"
    assert data["runbook_url"] == "https://wiki.example.com/breaker_open/public-read?bucket="
    assert data["by"]
