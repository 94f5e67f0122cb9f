"""The control port: what it takes, what it refuses, and what its answers say."""

from __future__ import annotations

import threading

import oss2
import pytest
from mns.mns_exception import MNSServerException
from mns.queue import QueueMeta

from emulator.client import ControlError, Emulator
from emulator.provisioning import account, setup_channel
from tests.emulation import eventually
from tests.emulator.wire import connect, request, until_end
from tests.patience import PATIENCE_SECONDS


def test_the_root_lists_every_endpoint_with_its_purpose(emulator: Emulator) -> None:
    """Nobody has to guess a path."""
    endpoints = emulator.control.call("GET", "/")["endpoints"]
    assert {"GET /healthz", "POST /faults", "POST /config/publish"} <= {
        f"{each['method']} {each['path']}" for each in endpoints
    }
    assert all(each["purpose"] for each in endpoints)


def test_health_names_the_ports(emulator: Emulator) -> None:
    """Anybody who finds the control port finds the others."""
    health = emulator.control.call("GET", "/healthz")
    assert (health["mns"], health["oss"]) == (emulator.mns, emulator.oss)


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("POST", "/faults", {"kind": "sneeze"}, "kind: Input should be 'error', 'latency'"),
        ("POST", "/faults", {}, "kind: Field required"),
        (
            "POST",
            "/faults",
            {"kind": "error", "probability": 2},
            "probability: Input should be less than or equal",
        ),
        ("POST", "/faults", {"kind": "error", "operatoin": "x"}, "operatoin: Extra inputs are not permitted"),
        ("POST", "/clock", {}, "advance_seconds: Field required"),
        ("POST", "/reset", {"parts": ["moon"]}, "parts.0: Input should be 'mns', 'oss'"),
        ("POST", "/buckets", {}, "names: at least one name"),
        ("POST", "/buckets", {"names": ["A_B"]}, "A_B: "),
        ("POST", "/buckets", {"names": ["abc"], "acl": "public"}, "acl: Input should be 'private'"),
        ("POST", "/buckets", {"names": ["abc"], "encryption": {"algorithm": "AES256", "x": 1}}, "encryption.x: "),
        ("POST", "/config/rules", {"identifier": "oss-nothing"}, "identifier: none of oss-bucket-public-read"),
        ("POST", "/config/publish", {"rule": "cr-nothing"}, "rule: none of cr-"),
        ("POST", "/config/publish", {"overrides": {"a.b": 1}}, "overrides: 'a.b': 'a' is no object"),
        ("PUT", "/queues/q/dead-letter-policy", {"target_queue": "q", "max_receive_count": 3}, "q to q: "),
        ("DELETE", "/journal?through=x", None, "through: a sequence number"),
        ("GET", "/journal?limit=0", None, "limit: Input should be greater than or equal to 1"),
    ],
)
def test_a_refusal_names_the_field_and_what_is_allowed(
    emulator: Emulator, method: str, path: str, body: dict[str, object] | None, named: str
) -> None:
    """A typing error in a test is found from the answer alone."""
    with pytest.raises(ControlError) as refusal:
        emulator.control.call(method, path, body)
    assert refusal.value.status in (400, 404)
    assert named in refusal.value.problem


def test_what_is_not_there_is_reported_in_json(emulator: Emulator) -> None:
    """Unknown paths, wrong methods and missing buckets are no web pages."""
    for method, path, status in (("GET", "/nope", 404), ("PUT", "/faults", 405), ("GET", "/buckets/none", 404)):
        with pytest.raises(ControlError) as refusal:
            emulator.control.call(method, path)
        assert refusal.value.status == status


def test_a_fault_is_met_by_a_real_sdk_and_counted(emulator: Emulator) -> None:
    """The error carries the code the fault asked for, once."""
    fault = emulator.faults.add("error", "CreateQueue", service="mns", status=503, code="ServiceBusy", count=1)
    with account(emulator) as owner:
        queue = owner.get_queue("q")
        with pytest.raises(MNSServerException) as refusal:
            queue.create(QueueMeta())
        assert refusal.value.type == "ServiceBusy"
        queue.create(QueueMeta())
    assert emulator.faults.struck()[fault] == 1


def test_moving_the_clock_ends_a_held_long_poll(emulator: Emulator) -> None:
    """Thirty seconds of waiting take no time."""
    setup_channel(emulator, queue="q")
    refusals: list[str] = []

    def poll() -> None:
        try:
            with account(emulator) as owner:
                owner.get_queue("q").receive_message(30)
        except MNSServerException as refusal:
            refusals.append(refusal.type)

    poller = threading.Thread(target=poll)
    poller.start()
    eventually(lambda: emulator.state()["mns"]["long_polls_held"] == 1)
    emulator.advance(31)
    poller.join(PATIENCE_SECONDS)
    assert refusals == ["MessageNotExist"]


def test_moving_the_clock_ends_a_stall(emulator: Emulator) -> None:
    """A stalled connection is closed when its emulated time is over."""
    fault = emulator.faults.add("stall", seconds=3600, service="mns")
    with connect(emulator.mns) as connection:
        connection.sendall(request("/"))
        eventually(lambda: emulator.faults.struck()[fault] == 1)
        emulator.advance(3601)
        assert until_end(connection).data == b""


def test_the_journal_shows_what_changed_in_order(emulator: Emulator) -> None:
    """Requests, what the emulator did by itself, and what was done by hand stand in one order."""
    setup_channel(emulator)
    start = emulator.journal()[-1].sequence
    emulator.create_buckets(["made-public"], acl="public-read")
    emulator.journal(start, operation="EventDelivered", wait_seconds=20)
    emulator.change_bucket("made-public", acl="private", encryption={"algorithm": "AES256"})
    steps = [(entry.service, entry.operation, entry.resource) for entry in emulator.journal(start)]
    assert steps == [
        ("oss", "PutBucket", "made-public"),
        ("mns", "PublishMessage", "topics/config-topic"),
        ("mns", "PushToQueue", "queues/config-events"),
        ("config", "EventDelivered", "made-public"),
        ("control", "PatchBucket", "made-public"),
    ]
    (by_hand,) = emulator.journal(start, service="control")
    assert by_hand.detail["before"] == {"acl": "public-read", "encryption": None}
    assert by_hand.detail["after"]["encryption"]["algorithm"] == "AES256"


def test_the_journal_can_be_filtered_paged_and_forgotten(emulator: Emulator) -> None:
    """A campaign reads on from where it was, and keeps the emulator small."""
    emulator.create_buckets(count=25)
    page = emulator.control.call("GET", "/journal", limit=10, operation="PutBucket")
    assert len(page["entries"]) == 10
    rest = emulator.journal(page["next"], resource="bucket-00024")
    assert [entry.resource for entry in rest] == ["bucket-00024"]
    emulator.clear_journal(through=page["next"])
    assert len(emulator.journal()) == 15


def test_buckets_are_created_changed_and_deleted_by_hand(emulator: Emulator) -> None:
    """Everything that can be configured can be set without a signature."""
    names = emulator.create_buckets(count=2, prefix="many-", owner_id="77", region="eu-central-1", tagging={"a": "b"})
    assert names == ["many-00000", "many-00001"]
    emulator.change_bucket("many-00000", acl="public-read", policy={"Version": "1"}, tagging={"c": "d"})
    first, second = (emulator.control.call("GET", f"/buckets/{name}") for name in names)
    assert (first["acl"], first["policy"], first["tagging"]) == ("public-read", '{"Version": "1"}', {"c": "d"})
    assert (second["acl"], second["owner_id"], second["region"]) == ("private", "77", "eu-central-1")
    assert second["tagging"] == {"a": "b"}
    emulator.delete_bucket("many-00000")
    assert emulator.acls() == {"many-00001": "private"}


def test_taken_names_create_nothing(emulator: Emulator) -> None:
    """One name that is taken refuses the whole request."""
    emulator.create_buckets(["taken"])
    with pytest.raises(ControlError) as refusal:
        emulator.create_buckets(["free", "taken"])
    assert refusal.value.status == 409
    assert list(emulator.acls()) == ["taken"]


def test_reset_can_be_partial(emulator: Emulator) -> None:
    """Only the named parts start over."""
    setup_channel(emulator)
    emulator.create_buckets(["kept"])
    emulator.advance(100)
    emulator.reset("mns", "clock")
    state = emulator.state()
    assert state["mns"]["queues"] == {}
    assert list(state["oss"]["buckets"]) == ["kept"]
    assert emulator.control.call("GET", "/clock")["offset_seconds"] == 0


def test_reads_are_journaled_until_a_reset(emulator: Emulator) -> None:
    """Whoever starts over begins with the journal as the emulator was started."""
    emulator.journal_reads(True)
    emulator.reset("journal")
    emulator.create_buckets(["mine"])
    known = emulator.endpoints
    oss2.Bucket(oss2.Auth(known.access_key_id, known.access_key_secret), emulator.oss, "mine").get_bucket_acl()
    assert [entry.operation for entry in emulator.journal(service="oss") if entry.access_key_id] == []


def test_options_change_how_services_behave_until_a_reset(emulator: Emulator) -> None:
    """A new bucket is born with Block Public Access when the account's are."""
    emulator.set_options(block_public_access_by_default=True)
    known = emulator.endpoints
    bucket = oss2.Bucket(oss2.Auth(known.access_key_id, known.access_key_secret), emulator.oss, "guarded")
    bucket.create_bucket()
    with pytest.raises(oss2.exceptions.ServerError) as refusal:
        bucket.put_bucket_acl(oss2.BUCKET_ACL_PUBLIC_READ)
    assert refusal.value.status == 403
    emulator.reset("options")
    assert emulator.control.call("GET", "/options")["block_public_access_by_default"] is False


def test_queue_policies_reach_mns(emulator: Emulator) -> None:
    """The dead-letter policy, the throttle, the long-poll cap and false figures can be switched on and off."""
    setup_channel(emulator, dead_letter_queue="dead")
    emulator.set_dead_letter_policy("config-events", "dead", 3)
    emulator.set_consumption_throttle(10, 60)
    emulator.set_long_poll_cap(1)
    emulator.set_queue_figures("zero")
    state = emulator.state()["mns"]
    assert state["queue_figures"] == "zero"
    assert len(state["dead_letter_policies"]) == 1
    assert state["long_poll_cap"] == 1
    emulator.clear_dead_letter_policy("config-events")
    emulator.clear_consumption_throttle()
    emulator.set_long_poll_cap(None)
    emulator.control.call("DELETE", "/queue-figures")
    state = emulator.state()["mns"]
    assert state["queue_figures"] == "counted"
    assert state["dead_letter_policies"] == []
    assert state["long_poll_cap"] is None
