"""Our signature is oss2's, byte for byte, for every request that this project can make."""

from __future__ import annotations

import calendar
from typing import Any

import oss2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oss2 import http

from consumer.aliyun.credentials import Credentials
from consumer.aliyun.oss.signer import Signer

NOW = calendar.timegm((2026, 11, 23, 23, 59, 58))
MOMENT = "20261123T235958Z"

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
names = st.from_regex(r"[a-z0-9][a-z0-9-]{1,20}", fullmatch=True)


class Given:
    """One set of credentials."""

    def __init__(self, token: str) -> None:
        self._credentials = Credentials("LTAI5tExample", "a+secret/of=thirty", token)

    def get_credentials(self) -> Credentials:
        return self._credentials


def request(**changes: Any) -> Any:
    """A request as oss2 makes it."""
    wanted = {"method": "GET", "url": "http://b.oss.example/", "region": "cn-hangzhou", "product": "oss"}
    return http.Request(**{**wanted, **changes})


def signed_by_oss2(signed: Any, bucket: str, key: str, provider: Given) -> str:
    """What oss2 itself makes of the headers that are on the request, at the moment they tell."""
    credentials = provider.get_credentials()
    theirs = oss2.ProviderAuthV4(provider)
    return str(theirs._ProviderAuthV4__make_signature(signed, bucket, key, None, credentials, MOMENT))


@given(
    method=st.sampled_from(["GET", "PUT", "DELETE"]),
    bucket=st.one_of(names, st.just("")),
    key=text,
    params=st.dictionaries(text, text, max_size=4),
    headers=st.dictionaries(
        st.sampled_from(["Content-Type", "content-md5", "x-oss-acl", "X-Oss-Meta-A", "Date", "x-oss-zone"]), names
    ),
    region=names,
    token=st.sampled_from(["", "CAIS-token"]),
)
def test_it_is_the_signature_that_the_sdk_would_make(
    method: str, bucket: str, key: str, params: dict[str, str], headers: dict[str, str], region: str, token: str
) -> None:
    """Same request, same moment, same signature: of any method, path, parameter and header."""
    provider = Given(token)
    asked = request(method=method, params=params, headers=headers, region=region)

    Signer(provider, wall=lambda: NOW)._sign_request(asked, bucket, key)

    expected = signed_by_oss2(asked, bucket, key, provider)
    scope = f"20261123/{region}/oss/aliyun_v4_request"
    assert asked.headers["authorization"] == (
        f"OSS4-HMAC-SHA256 Credential=LTAI5tExample/{scope}, Signature={expected}"
    )
    assert asked.headers["x-oss-date"] == MOMENT
    assert asked.headers.get("x-oss-security-token", "") == token


def test_the_key_of_a_new_secret_or_day_is_a_new_one() -> None:
    """What is remembered of one is never used for another."""
    seen = set()
    for secret in ("one", "two"):
        for day in (NOW, NOW + 86_400):
            credentials = Credentials("LTAI5tExample", secret, "")
            provider = Given("")
            provider._credentials = credentials
            asked = request()
            Signer(provider, wall=lambda day=day: day)._sign_request(asked, "b", "")  # type: ignore[misc]
            seen.add(asked.headers["authorization"].partition("Signature=")[2])
    assert len(seen) == 4


def test_headers_that_would_have_to_be_signed_too_are_refused() -> None:
    """Better no request than one that the service refuses for its signature."""
    with pytest.raises(ValueError, match="additional"):
        Signer(Given(""))._sign_request(request(), "b", "", {"host"})
