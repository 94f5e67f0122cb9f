"""Dead letters: the original body always comes back whole, or the message stays where it is."""

from __future__ import annotations

import base64
import json
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.event import Event, decode
from consumer.core.outcome import Ending, Outcome
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
    document = json.loads(compose(rejected, ORIGIN, 1_700_000_000_000))
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
    with pytest.raises(DeadLetterTooLarge):
        compose(resolved("x"), DeadLetterTarget("q", max_message_bytes=100), 0)


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
    "document",
    [
        {},
        {"schema": SCHEMA},
        {"schema": "other/1", "body": "x", "body_encoding": "plain"},
        {"schema": SCHEMA, "body": 7, "body_encoding": "plain"},
        {"schema": SCHEMA, "body": "x", "body_encoding": "rot13"},
        {"schema": SCHEMA, "body": "x"},
        {"schema": SCHEMA, "body": "\x00~", "body_encoding": "zlib+base85"},
        {"schema": SCHEMA, "body": "c$@<O00", "body_encoding": "zlib+base85"},
        {"schema": SCHEMA, "body": "使", "body_encoding": "zlib+base85"},
    ],
)
def test_a_document_that_is_none_of_ours_is_refused(document: dict[str, object]) -> None:
    """Whatever lies in the dead-letter queue: a body of ours comes out of it, or a ValueError."""
    with pytest.raises(ValueError):
        original_body(document)


@given(st.text(alphabet=[chr(code) for code in range(33, 127)], max_size=60))
def test_damaged_compression_is_refused_and_never_a_crash(packed: str) -> None:
    """A dead letter that somebody edited raises the one error that its reader expects."""
    try:
        body = original_body({"schema": SCHEMA, "body": packed, "body_encoding": "zlib+base85"})
    except ValueError:
        body = ""
    assert len(body.encode()) <= 4 * MAX_MESSAGE_BYTES


def test_a_packed_bomb_is_refused_without_unpacking_it() -> None:
    """Whoever may write to the dead-letter queue cannot fill the memory of the operator who reads it."""
    packed = base64.b85encode(zlib.compress(b"0" * (4 * MAX_MESSAGE_BYTES + 1), 9)).decode("ascii")
    with pytest.raises(ValueError, match="larger than a message"):
        original_body({"schema": SCHEMA, "body": packed, "body_encoding": "zlib+base85"})
