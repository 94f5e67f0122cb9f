"""What our bucket sends is what oss2's own would send, byte for byte, and what it refuses is what oss2 refuses."""

from __future__ import annotations

import calendar
from typing import Any
from urllib.parse import urlsplit

import oss2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oss2 import exceptions

from consumer.aliyun.credentials import Credentials
from consumer.aliyun.oss.requests import RequestingBucket
from consumer.aliyun.oss.session import OssResponse, written
from consumer.aliyun.oss.signer import Signer
from consumer.aliyun.reply import Headers

NOW = calendar.timegm((2026, 11, 23, 23, 59, 58))
ENDPOINTS = ["https://oss-cn-hangzhou.aliyuncs.com", "http://127.0.0.1:8080", "http://localhost:8080"]

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
names = st.from_regex(r"[a-z0-9][a-z0-9-]{1,20}[a-z0-9]", fullmatch=True)
latin = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
headers = st.dictionaries(
    st.sampled_from(["Content-MD5", "Content-Type", "x-oss-acl", "X-Oss-Meta-A", "Date", "User-Agent"]), latin
)


class Given:
    """One set of credentials."""

    def __init__(self, token: str) -> None:
        self._credentials = Credentials("LTAI5tExample", "a+secret/of=thirty", token)

    def get_credentials(self) -> Credentials:
        return self._credentials


class Wiretap:
    """The session that a bucket sends through: keeps what would go over the wire, and answers all of it alike."""

    def __init__(self, status: int = 200, body: bytes = b"") -> None:
        self.seen: list[tuple[str, bytes, float]] = []
        self._answer = (status, Headers({"x-oss-request-id": "4F0B3E4D59A19502B715C158"}), body)

    def do_request(self, req: Any, timeout: float) -> OssResponse:
        url = urlsplit(req.url)
        self.seen.append((url.netloc, written(req, url), timeout))
        return OssResponse(*self._answer)


def bucket(kind: type[oss2.Bucket], tap: Wiretap, name: str, endpoint: str, token: str = "") -> Any:
    """One bucket, of the SDK's class or of ours."""
    signer = Signer(Given(token), wall=lambda: NOW)
    return kind(signer, endpoint, name, session=tap, connect_timeout=7.0, region="cn-hangzhou")


@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE"]),
    name=names,
    endpoint=st.sampled_from(ENDPOINTS),
    params=st.dictionaries(text, text, max_size=3),
    headers=st.none() | headers,
    data=st.none() | st.binary(max_size=20) | text,
    token=st.sampled_from(["", "CAIS-token"]),
)
def test_every_request_is_the_sdks_own(
    method: str,
    name: str,
    endpoint: str,
    params: dict[str, str],
    headers: dict[str, str] | None,
    data: bytes | str | None,
    token: str,
) -> None:
    """Of any method, name, endpoint, parameter, header and body; also of a bucket that was made from another."""
    theirs, ours, derived = Wiretap(), Wiretap(), Wiretap()
    buckets = [
        bucket(oss2.Bucket, theirs, name, endpoint, token),
        bucket(RequestingBucket, ours, name, endpoint, token),
        bucket(RequestingBucket, derived, "any-bucket", endpoint, token).named(name),
    ]
    for each in buckets:
        more = {} if headers is None else {"headers": dict(headers)}
        each._do(method, name, "", params=dict(params), data=data, **more)
    assert len(theirs.seen) == 1
    assert theirs.seen == ours.seen == derived.seen


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_requests_that_the_sdk_itself_makes_are_the_same(endpoint: str) -> None:
    """Those of its methods that are used here."""
    theirs, ours = Wiretap(), Wiretap()
    for each in (bucket(oss2.Bucket, theirs, "photos", endpoint), bucket(RequestingBucket, ours, "photos", endpoint)):
        each.put_bucket_acl("private")
        each.delete_bucket()
    assert len(theirs.seen) == 2
    assert theirs.seen == ours.seen


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "AccessDenied"), (404, "NoSuchBucket"), (409, "BucketNotEmpty"), (503, "ServiceUnavailable"), (301, "")],
)
def test_a_refusal_is_the_sdks_own(status: int, code: str) -> None:
    """The same exception with the same code, message and status."""
    body = f"<Error><Code>{code}</Code><Message>why</Message></Error>".encode() if code else b""
    raised = []
    for kind in (oss2.Bucket, RequestingBucket):
        with pytest.raises(exceptions.OssError) as refusal:
            bucket(kind, Wiretap(status, body), "photos", ENDPOINTS[0]).put_bucket_acl("private")
        raised.append((type(refusal.value), str(refusal.value)))
    assert raised[0] == raised[1]


@pytest.mark.parametrize(
    "name", ["", "ab", "Upper", "a_b", "a-", "-a", "a" * 64, "a.b", "a/b", " abc", "abc\n", "ü-bucket"]
)
def test_a_name_that_no_bucket_has_is_refused(name: str) -> None:
    """Before anything is sent, as when the SDK makes a bucket."""
    made = bucket(RequestingBucket, Wiretap(), "any-bucket", ENDPOINTS[0])
    with pytest.raises(exceptions.ClientError, match="bucket_name"):
        made.named(name)


def test_a_bucket_made_from_another_leaves_that_one_alone() -> None:
    """One serves as the pattern of all, on every thread."""
    tap = Wiretap()
    pattern = bucket(RequestingBucket, tap, "any-bucket", ENDPOINTS[0])
    for name in ("photos", "videos"):
        pattern.named(name).put_bucket_acl("private")
    pattern.put_bucket_acl("private")
    assert [host.partition(".")[0] for host, _, _ in tap.seen] == ["photos", "videos", "any-bucket"]


@pytest.mark.parametrize(("name", "key"), [("photos", "object"), ("other", "")])
def test_a_request_about_anything_else_is_refused(name: str, key: str) -> None:
    """Nothing here may read or write an object, or another bucket under this one's address."""
    tap = Wiretap()
    with pytest.raises(ValueError, match="about a bucket"):
        bucket(RequestingBucket, tap, "photos", ENDPOINTS[0])._do("GET", name, key)
    assert not tap.seen
