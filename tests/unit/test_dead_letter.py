"""Dead letters: the original body always comes back whole, or the message stays where it is."""

from __future__ import annotations

import base64
import json
import random
import tracemalloc
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.event import Event, decode
from consumer.core.outcome import Ending, Outcome
from consumer.core.parked import Carried, History
from consumer.core.queue_limits import MAX_MESSAGE_BYTES
from consumer.engine.dead_letter import (
    LETTER_FIELDS,
    SCHEMA,
    DeadLetterTarget,
    DeadLetterTooLarge,
    compose,
    original_body,
)
from consumer.engine.delivery import Delivery
from consumer.guards.rule import Mode, Rule, Selector
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions
from tests.unit.bodies import ACCOUNT, event_body
from tests.unit.fakes import Clock, delivery, received

ORIGIN = DeadLetterTarget("config-events")
NOISE = random.Random(7)  # noqa: S311 - noise that does not compress, the same on every run


def resolved(body: str, *, detail: str = "because") -> Delivery:
    """A delivery of this body that was rejected."""
    ending = Ending(Outcome.REJECTED, "permission_missing", detail, error_class="PermissionMissing")
    found = delivery(Clock(), received("m-7", body))
    found.ending, found.attempts = ending, 3
    return found


def test_a_dead_letter_says_what_why_and_where_from() -> None:
    """Everything an operator needs to judge it and a redrive needs to send it."""
    body = event_body()
    event = decode(body)
    assert isinstance(event, Event)
    rule = Rule("acl", Selector(), BucketAcl(BucketAclOptions()), Mode.ENFORCE, 1.0)
    rejected = resolved(body)
    rejected.event, rejected.rule = event, rule
    text = compose(rejected, ORIGIN, 1_700_000_000_000)
    document = json.loads(text)
    assert text == json.dumps(document, separators=(",", ":")), "no byte of a full message is spent on spaces"
    assert document == {
        "schema": SCHEMA,
        "outcome": "rejected",
        "reason": "permission_missing",
        "detail": "because",
        "error_class": "PermissionMissing",
        "attempts": 3,
        "dequeue_count": 1,
        "receipts": 1,
        "rule": "acl",
        "remediation": "oss.bucket-acl",
        "resource_type": "ACS::OSS::Bucket",
        "resource_id": "a-public-bucket",
        "region": "cn-beijing",
        "account_id": ACCOUNT,
        "message_id": "m-7",
        "origin_id": "m-7",
        "queue": "config-events",
        "enqueued_at_ms": 1_630_907_920_000,
        "first_seen_ms": 1_630_907_921_000,
        "first_dead_lettered_at_ms": 1_700_000_000_000,
        "dead_lettered_at_ms": 1_700_000_000_000,
        "body_encoding": "plain",
        "body": body,
    }
    assert set(document) == LETTER_FIELDS | {"body", "body_encoding"}


@given(st.text(max_size=300))
def test_any_body_comes_back_as_it_was(body: str) -> None:
    """Text of any kind goes into ASCII and comes back."""
    text = compose(resolved(body), ORIGIN, 0)
    assert text.isascii()
    assert original_body(json.loads(text)) == body


@given(st.text(alphabet='aé使\n"\\<', min_size=1, max_size=20), st.integers(1, 65_536))
def test_a_large_body_is_compressed_and_comes_back_as_it_was(piece: str, size: int) -> None:
    """Escapes would make a body outgrow the queue: then it is compressed, and never cut."""
    body = (piece * size)[:65_536]
    text = compose(resolved(body), ORIGIN, 0)
    assert len(text) <= MAX_MESSAGE_BYTES
    assert original_body(json.loads(text)) == body


def test_a_full_message_of_random_base64_still_fits() -> None:
    """The worst body that Cloud Config could send, base64 of noise to the last byte, fits compressed."""
    body = base64.b64encode(NOISE.randbytes(49_152)).decode()
    assert len(body) == MAX_MESSAGE_BYTES
    text = compose(resolved(body), ORIGIN, 0)
    assert json.loads(text)["body_encoding"] == "zlib+base85"
    assert len(text) <= MAX_MESSAGE_BYTES
    assert original_body(json.loads(text)) == body


def test_what_does_not_fit_stays_where_it_is() -> None:
    """A body that no compression makes small enough is not cut to fit."""
    noise = "".join(map(chr, NOISE.choices(range(0x4E00, 0x9FFF), k=21_000)))
    with pytest.raises(DeadLetterTooLarge):
        compose(resolved(noise * 2), ORIGIN, 0)
    with pytest.raises(DeadLetterTooLarge) as refused:
        compose(resolved("x"), DeadLetterTarget("config-events", max_message_bytes=100), 0)
    error = refused.value
    assert (error.service, error.operation, error.code) == ("mns", "SendMessage", "too_large")
    assert f"{len(packed_letter('x'))} bytes, and the dead-letter queue takes 100" in str(error)


def packed_letter(body: str) -> str:
    """The dead letter of a body that is compressed as hard as it can be."""
    document = json.loads(compose(resolved(body), ORIGIN, 0))
    packed = base64.b85encode(zlib.compress(body.encode(), 9)).decode()
    return json.dumps({**document, "body_encoding": "zlib+base85", "body": packed}, separators=(",", ":"))


def test_a_body_is_compressed_only_if_it_has_to_be_and_then_as_hard_as_it_can_be() -> None:
    """What fits to the last byte is left as it is, and what fits compressed to the last byte is no less welcome."""
    body = " ".join(f"bucket-{number}-{number * 7_919 % 1_000}" for number in range(2_000))
    plain = compose(resolved(body), ORIGIN, 0)
    packed = packed_letter(body)
    assert compose(resolved(body), DeadLetterTarget("config-events", len(plain)), 0) == plain
    assert compose(resolved(body), DeadLetterTarget("config-events", len(plain) - 1), 0) == packed
    assert compose(resolved(body), DeadLetterTarget("config-events", len(packed)), 0) == packed
    with pytest.raises(DeadLetterTooLarge):
        compose(resolved(body), DeadLetterTarget("config-events", len(packed) - 1), 0)


def test_of_a_body_that_is_no_event_nothing_is_said() -> None:
    """Whatever only an event or a rule could tell is empty."""
    document = json.loads(compose(resolved("poison"), ORIGIN, 0))
    told = ("rule", "remediation", "resource_type", "resource_id", "region", "account_id")
    assert {name: document[name] for name in told} == dict.fromkeys(told, "")


@pytest.mark.parametrize(("earlier_ms", "first_ms"), [(5, 5), (0, 7_000)])
def test_a_letter_that_was_redriven_says_when_it_first_became_one(earlier_ms: int, first_ms: int) -> None:
    """Its history knows that; one that was only parked has never been a letter before."""
    found = resolved("body")
    history = History("m-1", 1, 2, receipts=3, attempts=1, reason="failed:timeout", dead_letter_ms=earlier_ms)
    found.message = replace(found.message, carried=Carried(history))
    document = json.loads(compose(found, ORIGIN, 7_000))
    assert (document["first_dead_lettered_at_ms"], document["dead_lettered_at_ms"]) == (first_ms, 7_000)


def test_a_long_detail_costs_the_body_nothing() -> None:
    """Only the description is shortened."""
    document = json.loads(compose(resolved("body", detail="x" * 5_000), ORIGIN, 0))
    assert len(document["detail"]) == 1_000
    assert document["body"] == "body"


def test_a_released_delivery_is_no_dead_letter() -> None:
    """Without an ending there is nothing to tell."""
    with pytest.raises(ValueError, match="ending"):
        compose(delivery(Clock()), ORIGIN, 0)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({}, "not a dead letter of config-remediator"),
        ({"schema": SCHEMA}, "not a dead letter of config-remediator"),
        ({"schema": "other/1", "body": "x", "body_encoding": "plain"}, "not a dead letter of config-remediator"),
        ({"schema": SCHEMA, "body": 7, "body_encoding": "plain"}, "not a dead letter of config-remediator"),
        ({"schema": SCHEMA, "body": "x", "body_encoding": "rot13"}, "unknown body encoding 'rot13'"),
        ({"schema": SCHEMA, "body": "x"}, "unknown body encoding None"),
        ({"schema": SCHEMA, "body": "\x00~", "body_encoding": "zlib+base85"}, ""),
        ({"schema": SCHEMA, "body": "c$@<O00", "body_encoding": "zlib+base85"}, "the compressed body is damaged: "),
        ({"schema": SCHEMA, "body": "使", "body_encoding": "zlib+base85"}, ""),
    ],
)
def test_a_document_that_is_none_of_ours_is_refused(document: dict[str, object], text: str) -> None:
    """Whatever lies in the dead-letter queue: a body of ours comes out of it, or a ValueError that says why not.

    In words of ours, or of the standard library's.
    """
    with pytest.raises(ValueError) as refused:
        original_body(document)
    assert str(refused.value).startswith(text)


@given(st.text(alphabet=[chr(code) for code in range(33, 127)], max_size=60))
def test_damaged_compression_is_refused_and_never_a_crash(packed: str) -> None:
    """A dead letter that somebody edited raises the one error that its reader expects."""
    try:
        body = original_body({"schema": SCHEMA, "body": packed, "body_encoding": "zlib+base85"})
    except ValueError:
        body = ""
    assert len(body.encode()) <= 4 * MAX_MESSAGE_BYTES


def packed(size: int) -> dict[str, object]:
    """A dead letter whose body is so large, and tiny as long as it is compressed."""
    body = base64.b85encode(zlib.compress(b"0" * size, 9)).decode("ascii")
    return {"schema": SCHEMA, "body": body, "body_encoding": "zlib+base85"}


LARGEST_BODY = 4 * MAX_MESSAGE_BYTES


def test_a_packed_bomb_is_refused_without_unpacking_it() -> None:
    """Whoever may write to the dead-letter queue cannot fill the memory of the operator who reads it."""
    assert len(original_body(packed(LARGEST_BODY))) == LARGEST_BODY
    refused = "the compressed body is damaged: it is larger than a message, or cut"
    with pytest.raises(ValueError, match=f"^{refused}$"):
        original_body(packed(LARGEST_BODY + 1))
    bomb = packed(64 * LARGEST_BODY)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=f"^{refused}$"):
            original_body(bomb)
        assert tracemalloc.get_traced_memory()[1] < 8 * LARGEST_BODY
    finally:
        tracemalloc.stop()


def test_what_is_no_compression_is_refused_with_the_reason() -> None:
    """Whoever edited the letter reads where to look."""
    body = base64.b85encode(b"plain text").decode("ascii")
    with pytest.raises(ValueError) as refused:
        original_body({"schema": SCHEMA, "body": body, "body_encoding": "zlib+base85"})
    assert str(refused.value).startswith("the compressed body is damaged: Error -3 while decompressing data")
