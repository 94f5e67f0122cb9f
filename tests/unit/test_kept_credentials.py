"""Credentials that are kept: nobody waits for their source while there are valid ones, and failures are remembered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from consumer.aliyun.credentials import Credentials
from consumer.aliyun.kept_credentials import KeptCredentials
from consumer.app.renewal import CredentialRenewal, RefusedKeys
from consumer.core.errors import CredentialsUnavailable, NotAuthenticated
from consumer.core.observers import ApiCall
from consumer.engine.heartbeat import Heartbeat
from tests.patience import PATIENCE_SECONDS
from tests.unit.fakes import Clock

HOUR = 3_600
REFUSAL = NotAuthenticated("sts", "AssumeRole", "role_not_assumed", "cannot assume the role: NoPermission")
SILENCE = CredentialsUnavailable("credentials", "GetCredentials", "no_credentials", "sts.example does not answer")


@dataclass
class Source:
    """Stands where STS or the metadata service stands: new keys at every question, or an error."""

    clock: Clock
    lifetime: float | None = HOUR
    failure: Exception | None = None
    asked: int = 0
    answering: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.answering.set()

    def get_credentials(self) -> Credentials:
        """The answer, as soon as the source gives any."""
        self.asked += 1
        number = self.asked
        assert self.answering.wait(PATIENCE_SECONDS)
        if self.failure:
            raise self.failure
        ends_at = None if self.lifetime is None else self.clock() + self.lifetime
        return Credentials(f"key-{number}", "secret", "token", ends_at)


@pytest.fixture
def clock() -> Clock:
    """Both the monotonic clock and the wall's."""
    return Clock()


@pytest.fixture
def source(clock: Clock) -> Iterator[Source]:
    """One that lets go of every thread at the end."""
    made = Source(clock)
    yield made
    made.answering.set()


def kept(source: Source, *, fetches: bool = True, only_if_used: bool = False) -> KeptCredentials:
    """What that source gives, kept; pauses are as long as they may be."""
    return KeptCredentials(
        source,
        fetches=fetches,
        only_if_used=only_if_used,
        monotonic=source.clock,
        wall=source.clock,
        jitter=lambda _, longest: longest,
    )


def own(source: Source) -> KeptCredentials:
    """The worker's own, after its start."""
    found = kept(source, fetches=False)
    found.checked()
    return found


def test_they_are_requested_once(source: Source, clock: Clock) -> None:
    """And used by everybody until they are renewed."""
    found = own(source)
    clock.advance(HOUR - 900 - 1)
    assert {found.get_credentials().access_key_id for _ in range(100)} == {"key-1"}
    assert not found.renewal_due()
    assert source.asked == 1


@pytest.mark.parametrize(("lifetime", "renewed_after"), [(HOUR, HOUR - 900), (43_200, 42_300), (900, 450), (60, 30)])
def test_they_are_renewed_long_before_they_end(
    source: Source, clock: Clock, lifetime: float, renewed_after: float
) -> None:
    """A quarter of an hour before, or at half of a short life."""
    source.lifetime = lifetime
    found = own(source)
    clock.advance(renewed_after - 1)
    assert not found.renewal_due()
    clock.advance(1)
    assert found.renewal_due()
    found.renew()
    assert (found.get_credentials().access_key_id, found.expires_at) == ("key-2", clock() + lifetime)


def test_keys_that_do_not_end_are_never_requested_again(source: Source, clock: Clock) -> None:
    """A source that gives a token without an end is: the profile files' providers leave the end out."""
    source.lifetime = None
    found = own(source)
    clock.advance(60)
    assert found.renewal_due()
    found.renew()
    assert (found.get_credentials().access_key_id, found.expires_at) == ("key-2", None)

    class Fixed:
        def get_credentials(self) -> Credentials:
            return Credentials("key", "secret", "")

    fixed = KeptCredentials(Fixed(), monotonic=clock, wall=clock)
    fixed.checked()
    clock.advance(10 * 365 * 86_400)
    assert not fixed.renewal_due()


@pytest.mark.parametrize("failure", [REFUSAL, SILENCE])
def test_valid_keys_are_used_while_they_last(source: Source, clock: Clock, failure: NotAuthenticated) -> None:
    """For a quarter of an hour a refusing source changes nothing; then the reason is what the source said last."""
    found = own(source)
    source.failure = failure
    clock.advance(HOUR - 900)
    found.renew()
    clock.advance(899)
    assert found.get_credentials().access_key_id == "key-1"
    clock.advance(1)
    with pytest.raises(type(failure), match=str(failure.args[0])) as raised:
        found.get_credentials()
    assert raised.value.code == failure.code
    assert found.expires_at == clock(), "the end is shown while renewing fails, and beyond it"
    source.failure = None
    found.renew()
    assert found.get_credentials().access_key_id.startswith("key-")


def test_nobody_waits_for_a_source_that_hangs(source: Source, clock: Clock) -> None:
    """Neither while there are valid keys nor after their end: what cannot be signed is an error at once."""
    found = own(source)
    source.answering.clear()
    clock.advance(HOUR - 900)
    refresher = threading.Thread(target=found.renew)
    refresher.start()
    while source.asked < 2:
        pass
    assert found.get_credentials().access_key_id == "key-1"
    clock.advance(900)
    with pytest.raises(CredentialsUnavailable, match="being queried"):
        found.get_credentials()
    found.renew()
    assert source.asked == 2, "and nobody asks a second time meanwhile"
    source.answering.set()
    refresher.join(PATIENCE_SECONDS)
    assert found.get_credentials().access_key_id == "key-2"


def test_failures_are_remembered_with_a_growing_pause(source: Source, clock: Clock) -> None:
    """So a source in trouble is asked ever more seldom, at least once a minute."""
    found = own(source)
    source.failure = SILENCE
    clock.advance(HOUR - 900)
    asked_at = []
    for second in range(300):
        if found.renewal_due():
            asked_at.append(second)
            found.renew()
        clock.advance(1)
    assert asked_at == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]


def test_many_callers_of_a_failing_member_role_ask_once(source: Source, clock: Clock) -> None:
    """The first is told after the answer, the others at once; after the pause one asks again."""
    source.failure = REFUSAL
    found = kept(source, only_if_used=True)
    errors = []
    for _ in range(20):
        with pytest.raises(NotAuthenticated, match="NoPermission") as refused:
            found.get_credentials()
        errors.append(refused.value)
    assert source.asked == 1
    assert errors[0] is not errors[1], "a gateway writes into its own which operation failed"
    clock.advance(1)
    source.failure = None
    assert found.get_credentials().access_key_id == "key-2"


def test_callers_who_need_them_first_share_one_question(source: Source) -> None:
    """Many workers with buckets of one account."""
    found = kept(source, only_if_used=True)
    threads = [threading.Thread(target=found.get_credentials) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert source.asked == 1


def test_keys_that_nobody_needs_any_more_are_not_renewed(source: Source, clock: Clock) -> None:
    """And their end is no news: an account without events must not look as if renewing had failed."""
    found = kept(source, only_if_used=True)
    assert found.expires_at is None
    found.get_credentials()
    clock.advance(HOUR - 901)
    assert found.expires_at == clock() + 901
    clock.advance(1)
    assert (found.renewal_due(), found.expires_at) == (False, None)
    found.get_credentials()
    assert (found.renewal_due(), found.expires_at) == (True, clock() + 900)


def test_keys_that_have_ended_already_are_refused(source: Source) -> None:
    """Where this machine's clock is ahead; used, they would be asked for again at every request."""
    source.lifetime = -1
    with pytest.raises(NotAuthenticated, match="compare this machine's clock"):
        kept(source).checked()


def test_the_worker_s_own_come_first(clock: Clock) -> None:
    """A member account whose role hangs or refuses holds up neither them nor the other accounts' for long."""
    sources = {name: Source(clock) for name in ("own", "member-1", "member-2")}
    accounts = {"own": own(sources["own"])}
    for name in ("member-1", "member-2"):
        accounts[name] = kept(sources[name], only_if_used=True)
        accounts[name].get_credentials()
        accounts[name].get_credentials()
    renewal = CredentialRenewal(accounts, threading.Event(), Heartbeat("credentials", 60, monotonic=clock))
    assert renewal.step(), "nothing is due, so there is a pause"
    sources["member-1"].failure = SILENCE
    clock.advance(HOUR - 900)
    steps = []
    while not renewal.step():
        steps.append([each.asked for each in sources.values()])
    assert steps == [[2, 1, 1], [2, 2, 1], [2, 2, 2]]


@pytest.mark.parametrize(
    "code",
    ["InvalidAccessKeyId", "InvalidSecurityToken", "SecurityTokenExpired", "AccessKeyIdAndSecurityTokenNotMatch"],
)
def test_a_key_that_is_refused_before_its_end_is_replaced(source: Source, code: str) -> None:
    """Revoked, or the source says too late when it ends: asked anew at once, and then every five seconds at most."""
    made = kept(source, fetches=False)
    made.renew()
    watching = RefusedKeys([made])
    watching.api_call(ApiCall("mns", "BatchReceiveMessage", "ok", 0.1, "r"))
    assert not made.renewal_due()
    for _ in range(3):
        watching.api_call(ApiCall("mns", "BatchReceiveMessage", code, 0.1, "r"))
        assert made.renewal_due()
    made.renew()
    assert made.get_credentials().access_key_id == "key-2"
    watching.api_call(ApiCall("oss", "GetBucketInfo", code, 0.1, "r"))
    assert not made.renewal_due()
    source.clock.advance(5)
    watching.api_call(ApiCall("oss", "GetBucketInfo", code, 0.1, "r"))
    assert made.renewal_due()
