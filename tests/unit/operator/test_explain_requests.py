"""Requests in a journal's line, whatever stands there, and how people see them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.journal.format import ChainHead, Entry, parsed, sealed
from consumer.operator import output
from consumer.operator.explain.explained import Explained
from consumer.operator.explain.journals import read
from consumer.operator.explain.requests import journaled
from consumer.operator.explain.story import messages_about
from consumer.operator.explain.view import draw, requested, what
from tests.unit.operator.report.journals import ACCOUNT, Book

UUID = "2F5C7A90-0000-4000-8000-000000000001"
REQUEST: dict[str, Any] = {
    "at_ms": 1_790_000_000_000,
    "service": "ecs",
    "operation": "DescribeSecurityGroupAttribute",
    "code": "Throttling.User",
    "request_id": UUID,
    "ms": 12,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*REQUEST, "x"]), inner, max_size=6),
    max_leaves=12,
)


def ending(**fields: Any) -> Entry:
    """The line about an ending."""
    line, _ = sealed(ChainHead(), {"at_ms": 1, "who": "me", "step": "decided", **fields})
    return parsed(line.removesuffix(b"\n"))


def test_a_request_is_read_as_it_was_written() -> None:
    """Every value of it."""
    found = journaled(ending(requests=[REQUEST]))
    assert found is not None
    assert [each.document() for each in found.shown] == [{**REQUEST, "writes": False}]


@given(JSON, JSON)
def test_whatever_stands_there_is_bounded(requests: Any, left_out: Any) -> None:
    """A file may hold anything: nothing is raised, and no text is long."""
    found = journaled(ending(requests=requests, requests_left_out=left_out))
    assert (found is None) is not isinstance(requests, list)
    for each in found.shown if found else ():
        assert max(map(len, (each.service, each.operation, each.code, each.request_id))) <= 129


def test_more_than_a_worker_writes_are_counted() -> None:
    """And none of them is lost from the number."""
    found = journaled(ending(requests=[REQUEST] * 1_000, requests_left_out=5))
    assert found is not None
    assert (len(found.shown), found.left_out) == (64, 941)
    assert journaled(ending()) is None


@pytest.mark.parametrize("width", [40, 80, 180])
def test_no_word_is_split_at_any_width(tmp_path: Path, width: int) -> None:
    """Operations, error codes and ids can be searched for and copied; no line is wider than its widest word."""
    book = Book(tmp_path / "journal.jsonl")
    message = {"message_id": "A" * 32, "dequeue_count": 2}
    event = {"resource": "sg-bp1abcdefghijklmnopq", "account": ACCOUNT, "region": "cn-hangzhou"}
    states = {"before": "0.0.0.0/0 tcp/22", "after": "none"}
    book.line("received", **message)
    book.line("before", **message, rule="no-ssh", **event, **states)
    changed = {**REQUEST, "operation": "RevokeSecurityGroup", "code": "ok"}
    tried = {"outcome": "failed", "reason": "Throttling.User", "requests": [REQUEST, changed], **states}
    book.line("decided", **message, rule="no-ssh", **event, **tried)
    journals = read([book.path], "A" * 32, 3)
    entries = [parsed(line) for line in book.path.read_bytes().splitlines()]
    messages = tuple(messages_about([entries], journals.search.found))
    stream = io.StringIO()
    draw(output.console(stream, width), Explained("A" * 32, messages, (), False, journals, (), ()))
    text = stream.getvalue()
    for word in ("DescribeSecurityGroupAttribute", "Throttling.User,", UUID, "RevokeSecurityGroup:", "A" * 32):
        assert word in text.split()
    assert all(len(line) <= width or len(line.split()) == 1 for line in text.splitlines())
    flowing = " ".join(text.split())
    assert "received the 2nd time" in flowing
    assert "about to be made: 0.0.0.0/0 tcp/22 → none" in flowing
    assert "failed: Throttling.User; wanted: 0.0.0.0/0 tcp/22 → none" in flowing


def put(code: str, request_id: str = UUID, operation: str = "PutBucketAcl") -> dict[str, Any]:
    """One write, and how it was answered."""
    return {**REQUEST, "service": "oss", "operation": operation, "code": code, "request_id": request_id}


UNKNOWN = "; whether it was written is not known: no answer came"


@pytest.mark.parametrize(
    ("writes", "shown"),
    [
        ([put("ok")], ("change", "a → b, by PutBucketAcl: ok")),
        ([put("Busy"), put("ok")], ("change", "a → b, by PutBucketAcl: Busy, PutBucketAcl: ok")),
        ([put("timeout", ""), put("ok")], ("change", "a → b, by PutBucketAcl: timeout, PutBucketAcl: ok")),
        ([put("AccessDenied")], ("requested", "a → b, by PutBucketAcl: AccessDenied")),
        ([put("ok"), put("Busy")], ("requested", "a → b, by PutBucketAcl: ok, PutBucketAcl: Busy")),
        ([put("Busy", operation="PutX"), put("ok")], ("requested", "a → b, by PutX: Busy, PutBucketAcl: ok")),
        ([put("timeout", "")], ("requested", f"a → b, by PutBucketAcl: timeout{UNKNOWN}")),
        (
            [put("timeout", ""), put("Busy")],
            ("requested", f"a → b, by PutBucketAcl: timeout, PutBucketAcl: Busy{UNKNOWN}"),
        ),
        ([REQUEST], ("announced", "a → b, which no request on record has sent")),
    ],
)
def test_a_change_is_called_one_only_where_the_service_has_taken_it(
    writes: list[dict[str, Any]], shown: tuple[str, str]
) -> None:
    """What was refused was asked for; where no answer came nobody knows; each operation by its last try."""
    requests = journaled(ending(requests=writes))
    assert requests is not None
    assert requested(ending(before="a", after="b"), requests) == shown


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"outcome": "held"}, "held; wanted: a → b"),
        ({"outcome": "would_fix"}, "would_fix; wanted: a → b"),
        ({"outcome": "failed", "in_part": True}, "failed; made in part: a → b"),
        ({"outcome": "rejected"}, "rejected; a → b"),
        ({"outcome": "held", "after": "a"}, "held; a"),
        ({"step": "before"}, "about to be made: a → b"),
        ({"step": "verified", "outcome": "fixed"}, "fixed; a → b"),
    ],
)
def test_two_states_are_a_change_only_where_one_was_made(fields: dict[str, Any], shown: str) -> None:
    """As `undo` sees it: what was only wanted is called so."""
    assert what(ending(**{"before": "a", "after": "b", **fields})) == shown
