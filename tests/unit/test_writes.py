"""What a target remembers of its requests that write: a refusal later never hides that something may have changed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from consumer.aliyun.writes import written_by
from consumer.core.errors import (
    DamagedReply,
    PermissionMissing,
    ResourceGone,
    ServiceError,
    Throttled,
    Unanswered,
    Unavailable,
)
from consumer.resources.base import Written
from tests.unit.fakes import service_error


@dataclass
class Target:
    """A resource that is written to."""

    written: Written = Written.NO


def fail(target: Target, kind: type[ServiceError], *, repeated: bool = False) -> None:
    """One request that writes and that fails so; `repeated` if that is the answer to its repetition."""
    error = service_error(kind)

    def request() -> None:
        raise error

    with pytest.raises(kind) as raised:
        written_by(target, request, lambda: repeated)
    assert raised.value is error


def test_a_request_that_is_accepted_has_written_and_its_result_is_passed_on() -> None:
    """Whatever was known before."""
    target = Target(Written.PERHAPS)
    assert written_by(target, lambda: "the version that was made") == "the version that was made"
    assert target.written is Written.YES


@pytest.mark.parametrize("kind", [Unanswered, DamagedReply, Unavailable])
def test_a_request_without_a_clear_end_may_have_written(kind: type[ServiceError]) -> None:
    """The service may have carried it out before the connection, or the service itself, broke."""
    target = Target()
    fail(target, kind)
    assert target.written is Written.PERHAPS


@pytest.mark.parametrize("kind", [Throttled, PermissionMissing, ResourceGone])
def test_a_request_that_is_refused_has_written_nothing(kind: type[ServiceError]) -> None:
    """It is the only one that was sent."""
    target = Target()
    fail(target, kind)
    assert target.written is Written.NO


@pytest.mark.parametrize("kind", [Throttled, PermissionMissing, ResourceGone])
def test_the_refusal_of_a_repetition_says_nothing_of_the_first_request(kind: type[ServiceError]) -> None:
    """The connection was lost, the client sent it once more, and only that one was answered."""
    target = Target()
    fail(target, kind, repeated=True)
    assert target.written is Written.PERHAPS


@pytest.mark.parametrize("known", Written)
@pytest.mark.parametrize("kind", [Unanswered, PermissionMissing])
def test_no_failure_takes_back_what_is_known(known: Written, kind: type[ServiceError]) -> None:
    """A change of several requests: one was accepted, the next one fails in whatever way."""
    target = Target(known)
    fail(target, kind)
    assert target.written >= known


def test_a_client_that_repeats_nothing_need_not_say_so() -> None:
    """A refusal is the answer to the one request that it sent."""
    target = Target()

    def request() -> None:
        raise service_error(Throttled)

    with pytest.raises(Throttled):
        written_by(target, request)
    assert target.written is Written.NO
