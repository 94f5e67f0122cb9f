"""The fault that shows an old state: reads of a target as its first one in the last seconds was answered."""

from __future__ import annotations

from emulator.earlier_answers import EarlierAnswers
from emulator.http import Request, Response

FAULTS = frozenset({1})


def read(target: str = "/?acl") -> Request:
    """A read of one target."""
    path, _, query = target.partition("?")
    return Request("GET", path, query, {"host": "bucket.example"})


def test_the_first_answer_since_then_is_shown() -> None:
    """What was true at most so long ago, and the truth once that is over."""
    earlier = EarlierAnswers()
    for at, body in ((0.0, b"old"), (2.0, b"new"), (3.0, b"newer")):
        earlier.keep(read(), Response(200, body=body), at, FAULTS)
    found = [earlier.earliest(read(), since) for since in (0.0, 1.0, 3.0, 4.0)]
    assert [response.body if response else None for response in found] == [b"old", b"new", b"newer", None]


def test_other_targets_and_changes_are_not_mixed_in() -> None:
    """Each target for itself, and only reads."""
    earlier = EarlierAnswers()
    earlier.keep(Request("PUT", "/", "acl", {"host": "bucket.example"}), Response(200, body=b"change"), 0.0, FAULTS)
    earlier.keep(read("/?policy"), Response(200, body=b"policy"), 0.0, FAULTS)
    assert earlier.earliest(read(), 0.0) is None


def test_it_stays_small() -> None:
    """Answers of more than a minute ago and the longest unread targets are forgotten."""
    earlier = EarlierAnswers()
    earlier.keep(read(), Response(200, body=b"old"), 0.0, FAULTS)
    earlier.keep(read(), Response(200, body=b"new"), 61.0, FAULTS)
    found = earlier.earliest(read(), 0.0)
    assert found is not None
    assert found.body == b"new"
    for number in range(5_000):
        earlier.keep(read(f"/{number}?acl"), Response(200), 61.0, FAULTS)
    assert earlier.earliest(read(), 0.0) is None


def test_a_new_fault_shows_nothing_from_before_it() -> None:
    """What was read when nobody wanted staleness, or another fault did, is not an old state of now."""
    earlier = EarlierAnswers()
    earlier.keep(read(), Response(200, body=b"old"), 0.0, FAULTS)
    earlier.keep(read(), Response(200, body=b"new"), 1.0, frozenset({2}))
    found = earlier.earliest(read(), 0.0)
    assert found is not None
    assert found.body == b"new"
