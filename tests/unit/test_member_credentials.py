"""Credentials of a member account's role: cached, renewed, and quick to say no while STS does."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from consumer.aliyun.credentials import Credentials, MemberCredentials, MemberRole
from consumer.core.errors import NotAuthenticated
from tests.unit.fakes import Clock

ENDS_AT = 4_600
ROLE = MemberRole("9876543210987654", "config-remediator")


@dataclass
class Provider:
    """Stands where the vendor's provider stands, which is tested end to end elsewhere."""

    refusal: Exception | None = None
    asked: int = 0

    def get_credentials(self) -> Provider:
        """What STS said."""
        self.asked += 1
        if self.refusal:
            raise self.refusal
        return self

    def get_access_key_id(self) -> str:
        return "STS.an-id"

    def get_access_key_secret(self) -> str:
        return "a-key"

    def get_security_token(self) -> str:
        return "a-token"

    def get_expiration(self) -> int:
        return ENDS_AT


@dataclass
class Own:
    """Our own credentials."""

    key: Credentials = field(default_factory=lambda: Credentials("own", "key", ""))

    def get_credentials(self) -> Credentials:
        return self.key


def member(provider: Provider, clock: Clock) -> MemberCredentials:
    """The role's credentials, from that provider; both clocks are the one, and STS gives an hour from 1,000 on."""
    found = MemberCredentials(ROLE, Own(), monotonic=clock, wall=clock)
    found._provider = provider
    return found


def test_the_role_is_named_by_account_and_name() -> None:
    """As every API writes it."""
    assert ROLE.arn == "acs:ram::9876543210987654:role/config-remediator"


def test_the_end_is_known_once_they_were_needed() -> None:
    """Before that there is nothing to tell."""
    found = member(Provider(), Clock())
    assert found.expires_at is None
    assert found.get_credentials() == Credentials("STS.an-id", "a-key", "a-token", ENDS_AT)
    assert found.expires_at == ENDS_AT


def test_the_end_of_credentials_that_nobody_needs_any_more_is_no_news() -> None:
    """Only who asks has them renewed: an account without events must not look as if renewing had failed."""
    clock = Clock()
    found = member(Provider(), clock)
    found.get_credentials()
    clock.advance(2_699)
    assert found.expires_at == ENDS_AT
    clock.advance(1)
    assert found.expires_at is None


def test_the_end_is_shown_while_renewing_fails() -> None:
    """Until it works again, also beyond the end."""
    clock, provider = Clock(), Provider()
    found = member(provider, clock)
    found.get_credentials()
    clock.advance(2_900)
    provider.refusal = Exception("no answer")
    with pytest.raises(NotAuthenticated):
        found.get_credentials()
    assert found.expires_at == ENDS_AT
    clock.advance(2_000)
    assert found.expires_at == ENDS_AT
    provider.refusal = None
    found.get_credentials()
    assert found.expires_at is None


def test_while_sts_refuses_it_is_not_asked_by_everybody() -> None:
    """The first is told after the answer, the others at once, and after a moment one asks again."""
    clock, provider = Clock(), Provider(Exception('result: {"Code": "NoPermission", "RequestId": "A1"}'))
    found = member(provider, clock)
    for _ in range(20):
        with pytest.raises(NotAuthenticated, match=r"cannot assume acs:ram::.*: NoPermission") as refused:
            found.get_credentials()
    assert (provider.asked, refused.value.code) == (1, "role_not_assumed")

    clock.advance(5)
    provider.refusal = None
    assert found.get_credentials().access_key_id == "STS.an-id"


def test_each_caller_gets_an_error_of_its_own() -> None:
    """A gateway writes into it which operation failed; another thread's error must not change."""
    found = member(Provider(Exception("no answer")), Clock())
    errors = []
    for _ in range(2):
        with pytest.raises(NotAuthenticated) as refused:
            found.get_credentials()
        errors.append(refused.value)
    assert errors[0] is not errors[1]
    assert "Exception" in str(errors[1])


def test_callers_wait_for_one_request() -> None:
    """Many workers with buckets of one account ask STS one at a time."""
    provider = Provider()
    found = member(provider, Clock())
    threads = [threading.Thread(target=found.get_credentials) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert provider.asked == 8


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("", "sts.aliyuncs.com"),
        ("https://sts.cn-hangzhou.aliyuncs.com", "sts.cn-hangzhou.aliyuncs.com"),
        ("http://127.0.0.1:9", "http://127.0.0.1:9"),
    ],
)
def test_requests_are_https_unless_it_is_written_otherwise(written: str, used: str) -> None:
    """The vendor's own scheme is https; plain http needs the URL to say so."""
    found = MemberCredentials(MemberRole("12345", "role", sts_endpoint=written), Own())
    assert found._provider._sts_endpoint == used  # type: ignore[attr-defined]
