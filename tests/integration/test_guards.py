"""Guards, with whole workers: what is kept back stays in the queue, and nothing more is changed than may be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.conftest import Run, Running
from tests.integration.queues import dead_letters, is_empty, messages, parked
from tests.redis_server import RedisServer, redis_server

READ = "oss-bucket-public-read-prohibited"
ENCRYPTION = "oss-bucket-server-side-encryption-enabled"
FOR_LONG = {"retry__hold_seconds": "3600"}
BRIEFLY = {"retry__hold_seconds": "1"}


def changes(emulator: Emulator, operation: str = "PutBucketAcl") -> list[str]:
    """The buckets that the worker has changed, in order."""
    return [entry.resource for entry in emulator.journal(service="oss", operation=operation)]


def asked_about(emulator: Emulator) -> set[str]:
    """The buckets that the worker has asked OSS about; what the control port does is signed by nobody."""
    return {entry.resource for entry in emulator.journal(service="oss") if entry.access_key_id}


def kept(emulator: Emulator) -> int:
    """How many messages have been looked at and wait for longer than a lease would."""
    now_ms = emulator.control.call("GET", "/clock")["now_ms"]
    return sum(found["next_visible_ms"] > now_ms + 600_000 for found in messages(emulator, "config-events"))


def held(running: Running, rule: str, reason: str) -> float:
    """How many deliveries the worker has held for that reason."""
    found = running.service.metrics.registry.get_sample_value("remediator_held_total", {"rule": rule, "reason": reason})
    return found or 0.0


def endings(running: Running, rule: str, outcome: str) -> float:
    """How many deliveries have ended like that."""
    found = running.service.metrics.registry.get_sample_value(
        "remediator_outcomes_total", {"rule": rule, "outcome": outcome}
    )
    return found or 0.0


def test_a_flood_changes_as_many_buckets_as_the_limit_allows_and_keeps_the_rest(channel: Emulator, run: Run) -> None:
    """Of 500 events at once exactly 20 lead to a change, and 480 messages are kept."""
    names = channel.create_buckets(count=500, acl="public-read")
    limit = "\n[rules.limits]\nmax_changes = 20\nwindow_seconds = 3600\n"
    with run(limit, engine__workers="32", engine__slots="128", **FOR_LONG) as running:
        eventually(lambda: kept(channel) == 480)
        eventually(lambda: held(running, "public-read", "over_limit") == 480)
    assert len(changes(channel)) == len(set(changes(channel))) == 20
    assert list(channel.acls().values()).count("private") == 20
    assert len(messages(channel, "config-events")) == len(names) - 20
    assert dead_letters(channel) == []


def test_what_is_over_the_limit_resumes_by_itself(channel: Emulator, run: Run) -> None:
    """All are repaired in the end, and no window of a second sees more changes than the limit."""
    channel.create_buckets(count=12, acl="public-read")
    with run("\n[limits]\nmax_changes = 4\nwindow_seconds = 1\n"):
        eventually(lambda: is_empty(channel))
    moments = [entry.time_ms for entry in channel.journal(service="oss", operation="PutBucketAcl")]
    assert len(moments) == 12
    assert all(later - earlier >= 999 for earlier, later in zip(moments, moments[4:], strict=False))


def test_a_loop_that_undoes_every_fix_is_fixed_so_often_and_then_left_alone(channel: Emulator, run: Run) -> None:
    """Somebody's Terraform makes the bucket public again after each fix: three fixes, then it is held and reported."""
    channel.create_buckets(["photos"], acl="public-read")
    with run("\n[contest]\nmax_fixes = 3\n", **FOR_LONG) as running:
        for number in range(1, 4):
            eventually(lambda number=number: endings(running, "public-read", "fixed") == number)  # type: ignore[misc]
            channel.change_bucket("photos", acl="public-read")
        eventually(lambda: kept(channel) == 1)
        eventually(lambda: held(running, "public-read", "contested") == 1)
        assert running.service.guards.contested() == {"public-read": 1}
    assert changes(channel) == ["photos"] * 3
    assert channel.acls() == {"photos": "public-read"}


def fight(channel: Emulator, replicas: list[Running], *, until_fixed: int) -> None:
    """Make the bucket public again after each fix until every replica has held it; one event at a time."""

    def told(outcome: str) -> float:
        return sum(endings(each, "public-read", outcome) for each in replicas)

    for number in range(1, 60):
        if channel.acls()["photos"] == "private":
            channel.change_bucket("photos", acl="public-read")
        else:
            channel.config.publish(bucket="photos", rule=READ)
        eventually(lambda number=number: told("fixed") + told("held") == number)  # type: ignore[misc]
        assert told("fixed") <= until_fixed
        if all(held(each, "public-read", "contested") for each in replicas):
            return
    raise AssertionError("a replica never held it")


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "each for itself"])
def test_a_loop_is_fixed_so_often_by_all_replicas_that_share_a_store(
    channel: Emulator, run: Run, tmp_path: Path, shared: bool
) -> None:
    """Three fixes in total, and then both hold it; without a store it is three of each."""
    with redis_server(tmp_path) as server:
        server.is_new()
        contest = f"\n[contest]\nmax_fixes = 3\n\n{server.section if shared else ''}"
        channel.create_buckets(["photos"], acl="private")
        with run(contest, **FOR_LONG) as one, run(contest, **FOR_LONG) as two:
            fight(channel, [one, two], until_fixed=3 if shared else 6)
            assert one.service.guards.contested() == two.service.guards.contested() == {"public-read": 1}
        assert changes(channel) == ["photos"] * (3 if shared else 6)
        assert channel.acls() == {"photos": "public-read"}
        with run(contest, **FOR_LONG) as restarted:
            channel.config.publish(bucket="photos", rule=READ)
            eventually(lambda: endings(restarted, "public-read", "held" if shared else "fixed") == 1)


def nothing_was_changed_before(running: Running, server: RedisServer) -> None:
    """A store without memory counts as full, until a person says that there is nothing it could have forgotten."""
    eventually(lambda: held(running, "public-read", "over_limit") >= 1)
    server.is_new()


def test_a_replica_that_has_changed_nothing_yet_notices_a_store_that_begins_anew(
    channel: Emulator, run: Run, tmp_path: Path
) -> None:
    """It met the store at its start, so what answers now is another process, which may lack what others changed."""
    with redis_server(tmp_path) as server, run(f'\n[shared]\nurl = "{server.url}"\n', **BRIEFLY) as running:
        eventually(lambda: not running.service.not_ready())
        server.kill()
        server.start()
        channel.create_buckets(["photos"], acl="public-read")
        eventually(lambda: held(running, "public-read", "over_limit") >= 1)
        assert changes(channel) == []
        nothing_was_changed_before(running, server)
        channel.advance(2)
        eventually(lambda: is_empty(channel))
    assert changes(channel) == ["photos"]


def test_nothing_is_changed_while_the_shared_store_cannot_be_reached(
    channel: Emulator, run: Run, tmp_path: Path
) -> None:
    """What needs a change is held and comes back; what needs none ends as always."""
    with redis_server(tmp_path, keep=True) as server:
        server.kill()
        with run(f'\n[shared]\nurl = "{server.url}"\n', retry__max_attempts="2", **BRIEFLY) as running:
            channel.create_buckets(["photos"], acl="public-read")
            channel.create_buckets(["videos"], acl="private")
            channel.config.publish(bucket="videos", rule=READ)
            for number in range(1, 4):
                eventually(lambda number=number: held(running, "public-read", "shared_unreachable") >= number)  # type: ignore[misc]
                channel.advance(2)
            eventually(lambda: endings(running, "public-read", "already_compliant") == 1)
            assert changes(channel) == []
            server.start()
            nothing_was_changed_before(running, server)
            eventually(lambda: is_empty(channel))
        assert changes(channel) == ["photos"]
        assert dead_letters(channel) == []


EXEMPTION = """
[[exemptions]]
name = "static"
owner = "web"
reason = "public by design"
expires = 2999-01-01
"""


def test_an_exempt_bucket_is_left_alone_without_a_look(channel: Emulator, run: Run) -> None:
    """Exempt by name, its event is acknowledged and OSS is not asked; its neighbour is repaired."""
    channel.journal_reads(True)
    channel.create_buckets(["static-site", "photos"], acl="public-read")
    with run(EXEMPTION + 'resources = ["static-*"]\n') as running:
        eventually(lambda: is_empty(channel))
        eventually(lambda: endings(running, "public-read", "exempt") == 1)
    assert channel.acls() == {"static-site": "public-read", "photos": "private"}
    assert "static-site" not in asked_about(channel)


def test_an_exemption_that_is_over_exempts_nothing(channel: Emulator, run: Run) -> None:
    """From its end on the bucket is repaired like any other."""
    channel.create_buckets(["static-site"], acl="public-read")
    with run(EXEMPTION.replace("2999", "1999") + 'resources = ["static-*"]\n'):
        eventually(lambda: is_empty(channel))
    assert channel.acls() == {"static-site": "private"}


BY_TAG = EXEMPTION + 'tags = {public = "by-design"}\n'


def test_a_bucket_is_exempt_by_the_tags_it_carries_now(channel: Emulator, run: Run) -> None:
    """The live tags decide."""
    channel.create_buckets(["site"], acl="public-read", tagging={"public": "by-design"})
    channel.create_buckets(["photos"], acl="public-read", tagging={"public": "by-accident"})
    with run(BY_TAG):
        eventually(lambda: is_empty(channel))
    assert channel.acls() == {"site": "public-read", "photos": "private"}


@pytest.mark.parametrize(("code", "status"), [("AccessDenied", 403), ("InternalError", 500)])
def test_a_bucket_whose_tags_cannot_be_read_is_not_changed(channel: Emulator, run: Run, code: str, status: int) -> None:
    """It might be exempt: it is held, and repaired once the tags can be read."""
    channel.faults.add("error", "GetBucketTags", service="oss", code=code, status=status)
    channel.create_buckets(["photos"], acl="public-read")
    with run(BY_TAG, **BRIEFLY) as running:
        eventually(lambda: held(running, "public-read", "tags_unreadable") > 0)
        assert channel.acls() == {"photos": "public-read"}
        channel.faults.clear()
        eventually(lambda: is_empty(channel))
    assert channel.acls() == {"photos": "private"}


def test_an_observing_rule_does_everything_but_the_change(channel: Emulator, run: Run) -> None:
    """It looks, counts what it would do, keeps the message, and changes nothing, limits and contests or not."""
    channel.config.add_rule(ENCRYPTION, rule_id="cr-encryption")
    channel.create_buckets(["photos", "videos"], acl="private")
    observing = f"""
[[rules]]
name = "encryption"
remediation = "oss.encryption"
mode = "observe"
config_rule_ids = ["cr-encryption"]
source_identifiers = ["{ENCRYPTION}"]
limits = {{max_changes = 1, window_seconds = 3600}}
"""
    with run(observing, **FOR_LONG) as running:
        eventually(lambda: kept(channel) == 2)
        eventually(lambda: endings(running, "encryption", "would_fix") == 2)
        assert running.service.guards.changes_in_window()["encryption"] == 0
    assert changes(channel, "PutBucketEncryption") == []
    assert len(messages(channel, "config-events")) == 2


def test_a_file_pauses_changes_and_its_removal_lets_them_go_on(channel: Emulator, run: Run, tmp_path: Path) -> None:
    """While it exists messages are held, however often they come: that is no failure and never uses up attempts."""
    switch = tmp_path / "pause"
    switch.touch()
    channel.create_buckets(["photos"], acl="public-read")
    with run(f'\n[pause]\nfile = "{switch}"\n', retry__max_attempts="2", **BRIEFLY) as running:
        for number in range(1, 6):
            eventually(lambda number=number: held(running, "public-read", "paused") >= number)  # type: ignore[misc]
            channel.advance(2)
        assert channel.acls() == {"photos": "public-read"}
        switch.unlink()
        eventually(lambda: is_empty(channel))
    assert channel.acls() == {"photos": "private"}
    assert dead_letters(channel) == []


def test_an_operator_pauses_and_resumes_a_running_worker(channel: Emulator, run: Run) -> None:
    """What the signals do: pausing stops changes, resuming lets them go on."""
    with run(**BRIEFLY) as running:
        running.service.pause()
        channel.create_buckets(["photos"], acl="public-read")
        eventually(lambda: held(running, "public-read", "paused") > 0)
        assert channel.acls() == {"photos": "public-read"}
        running.service.resume()
        eventually(lambda: is_empty(channel))
    assert channel.acls() == {"photos": "private"}


def test_a_breaker_stops_a_rule_whose_changes_fail(channel: Emulator, run: Run) -> None:
    """After so many failures nothing is tried any more, until a probe works."""
    channel.faults.add("error", "PutBucketAcl", service="oss", code="InternalError", status=500)
    channel.create_buckets(count=30, acl="public-read")
    breaker = "\n[breaker]\nattempts = 5\nmin_attempts = 5\ncool_down_seconds = 1\n"
    quick = {"retry__request_attempts": "1", "retry__max_attempts": "50", "engine__workers": "2", **BRIEFLY}
    with run(breaker, **quick) as running:
        eventually(lambda: held(running, "public-read", "breaker_open") > 0)
        channel.faults.clear()
        eventually(lambda: is_empty(channel))
        assert "public-read" not in (running.service.guards.breakers.open_rules() or ())
    assert set(channel.acls().values()) == {"private"}
    assert dead_letters(channel) == []


MEMBER, STRANGER = "9876543210987654", "5555444433332222"
# The vendor's signer takes the time in a way that newer Pythons warn of.
QUIETLY = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


def accounts(channel: Emulator) -> str:
    """One member account is allowed."""
    return f'\n[accounts]\nallowed = ["{MEMBER}"]\nsts_endpoint = "{channel.control.url}"\n'


@QUIETLY
def test_a_member_account_s_bucket_is_repaired_with_its_own_role(channel: Emulator, run: Run) -> None:
    """The role is assumed once for many buckets; our own buckets are repaired with our own key."""
    theirs = channel.create_buckets(count=10, acl="public-read", owner_id=MEMBER)
    channel.create_buckets(["ours"], acl="public-read")
    with run(accounts(channel)) as running:
        eventually(lambda: is_empty(channel))
        expiry = running.service.metrics.registry.get_sample_value(
            "remediator_credentials_expiry_timestamp_seconds", {"account": MEMBER}
        )
    assert expiry is not None
    assert set(channel.acls().values()) == {"private"}
    (assumed,) = channel.journal(service="sts")
    assert assumed.resource == f"acs:ram::{MEMBER}:role/config-remediator"
    used = {entry.resource: entry.access_key_id for entry in channel.journal(service="oss", operation="PutBucketAcl")}
    assert {used.pop(bucket) for bucket in theirs} == {assumed.detail["assumed_access_key_id"]}
    assert used == {"ours": channel.endpoints.access_key_id}


@QUIETLY
def test_no_other_account_s_role_is_ever_assumed(channel: Emulator, run: Run) -> None:
    """An account that is not allowed is rejected before anything is asked of STS or OSS."""
    channel.journal_reads(True)
    channel.create_buckets(["strange"], acl="public-read", owner_id=STRANGER)
    with run(accounts(channel)):
        eventually(lambda: is_empty(channel))
    assert channel.acls() == {"strange": "public-read"}
    assert [letter["reason"] for letter in dead_letters(channel)] == ["account_not_allowed"]
    assert channel.journal(service="sts") == []
    assert asked_about(channel) == set()


@QUIETLY
def test_a_bucket_is_repaired_only_with_its_owner_s_role(channel: Emulator, run: Run) -> None:
    """An event that tells a stranger's bucket as the member's leads to no change, whoever may sign there."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["strange"], acl="public-read", owner_id=STRANGER)
    channel.config.publish(bucket="strange", rule=READ, owner_id=MEMBER)
    with run(accounts(channel)):
        eventually(lambda: len(parked(channel)) == 1)
    assert channel.acls() == {"strange": "public-read"}
    assert not is_empty(channel)


@QUIETLY
def test_a_role_that_cannot_be_assumed_is_a_failure_worth_another_try(channel: Emulator, run: Run) -> None:
    """Until the cause is mended the message is kept; other accounts' buckets do not wait for it."""
    channel.create_buckets(["theirs"], acl="public-read", owner_id=MEMBER)
    channel.create_buckets(["ours"], acl="public-read")
    nowhere = accounts(channel).replace(channel.control.url, "http://127.0.0.1:9")
    with run(nowhere, retry__max_attempts="2"):
        eventually(lambda: is_empty(channel))
    assert channel.acls() == {"theirs": "public-read", "ours": "private"}
    (letter,) = dead_letters(channel)
    assert (letter["outcome"], letter["reason"]) == ("exhausted", "role_not_assumed")
    assert re.search(f"cannot assume acs:ram::{MEMBER}:role/config-remediator", str(letter))
