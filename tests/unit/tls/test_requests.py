"""Requests of oss2 over shared TLS sessions, and which of them are sent again."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import oss2
import pytest

from consumer.aliyun.http import Exchange
from consumer.aliyun.oss.bucket_connection import BucketConnection
from consumer.aliyun.oss.session import OssSession
from consumer.core.errors import Unanswered
from tests.certificates import Authority
from tests.patience import PATIENCE_SECONDS
from tests.tls_server import TlsServer
from tests.unit.tls.clients import NAMES, Serve, client, summary

PACKAGE = Path(__file__).parents[3] / "consumer"


def bucket(server: TlsServer, session: OssSession, name: str) -> oss2.Bucket:
    auth = oss2.AuthV4("id", "secret")
    return oss2.Bucket(auth, f"https://oss.test:{server.port}", name, session=session, region="cn-hangzhou")


ForServer = Callable[[TlsServer], OssSession]


def test_the_buckets_of_the_sdk_resume(authority: Authority, serve: Serve, session: ForServer) -> None:
    """The way that production goes: a kept connection per bucket, a resumed one for the next."""
    server = serve(authority.issue(*NAMES))
    shared = session(server)
    for name in ("photos", "papers", "photos"):
        assert bucket(server, shared, name).get_bucket_acl().acl == "private"
    assert summary(server.seen) == [("photos.oss.test", False, False), ("papers.oss.test", True, True)]


def test_the_endpoint_itself_neither_resumes_nor_brings_a_session(
    authority: Authority, serve: Serve, session: ForServer
) -> None:
    """Its name is not one directly below it."""
    server = serve(authority.issue(*NAMES, "*.test"))
    shared = session(server)
    at_endpoint = oss2.http.Request("GET", f"https://oss.test:{server.port}/")
    bucket(server, shared, "photos").get_bucket_acl()
    for _ in range(2):
        assert shared.do_request(at_endpoint, PATIENCE_SECONDS).status == 200
        shared.close()
    bucket(server, shared, "papers").get_bucket_acl()
    assert summary(server.seen) == [
        ("photos.oss.test", False, False),
        ("oss.test", False, False),
        ("oss.test", False, False),
        ("papers.oss.test", True, True),
    ]


def test_no_other_service_shares_sessions() -> None:
    """MNS, ECS, STS and Cloud Config have hosts of another form; only the session of OSS makes such connections."""
    users = sorted(
        path.name for path in PACKAGE.rglob("*.py") if re.search(r"BucketConnection\(\w", path.read_text("utf-8"))
    )
    assert users == ["bucket_connection.py", "session.py"]


def test_a_misdirected_request_is_sent_again_over_a_full_connection(
    authority: Authority, serve: Serve, session: ForServer
) -> None:
    """RFC 9110 section 15.5.20; the service has not done anything, and no resumption is tried for a while."""
    server = serve(authority.issue(*NAMES))
    server.status = lambda seen: 421 if seen.resumed else 200
    shared = session(server)
    for name in ("photos", "papers", "plans"):
        assert bucket(server, shared, name).get_bucket_acl().acl == "private"
    assert [each.resumed for each in server.seen] == [False, True, False, False]


def test_a_resumed_connection_that_ends_without_an_answer_is_followed_by_a_full_one(
    authority: Authority, serve: Serve, session: ForServer
) -> None:
    """Within the same request; and no resumption is tried for a while, so that it fails no request twice."""
    server = serve(authority.issue(*NAMES))
    server.status = lambda seen: 0 if seen.resumed else 200
    shared = session(server)
    for name in ("photos", "papers", "plans"):
        assert bucket(server, shared, name).get_bucket_acl().acl == "private"
    assert [each.resumed for each in server.seen] == [False, True, False, False]


def test_a_resumed_connection_without_an_answer_in_time_is_the_last_one_for_a_while(
    authority: Authority, serve: Serve
) -> None:
    """There is no time for a second attempt then; the request's next one is over a full connection."""
    server = serve(authority.issue(*NAMES))
    asking = client(server, authority)
    asking.ask("b1.oss.test")
    http = BucketConnection("b2.oss.test", server.port, asking.sessions)
    Exchange(http, PATIENCE_SECONDS).begin(PATIENCE_SECONDS)
    http.connect()
    http.close()
    asking.ask("b3.oss.test")
    assert [each.offered for each in server.seen] == [False, True, False]


def test_a_full_connection_that_ends_without_an_answer_is_not_asked_again(
    authority: Authority, serve: Serve, session: ForServer
) -> None:
    """That is the caller's decision."""
    server = serve(authority.issue(*NAMES))
    server.status = lambda _seen: 0
    with pytest.raises(Unanswered):
        bucket(server, session(server), "photos").get_bucket_acl()
    assert len(server.seen) == 1


def test_a_kept_connection_that_has_ended_says_nothing_about_resuming(
    authority: Authority, serve: Serve, session: ForServer
) -> None:
    """Servers close what is idle; the connection that was resumed long ago has proved itself."""
    server = serve(authority.issue(*NAMES))
    shared = session(server)
    bucket(server, shared, "photos").get_bucket_acl()
    bucket(server, shared, "papers").get_bucket_acl()
    server.end_connections()
    bucket(server, shared, "papers").get_bucket_acl()
    assert [each.resumed for each in server.seen] == [False, True, True]


def test_a_full_connection_that_is_misdirected_is_not_asked_again(
    authority: Authority, serve: Serve, session: ForServer
) -> None:
    """That is an answer."""
    server = serve(authority.issue(*NAMES))
    server.status = lambda _seen: 421
    with pytest.raises(oss2.exceptions.OssError):
        bucket(server, session(server), "photos").get_bucket_acl()
    assert len(server.seen) == 1


def test_a_bucket_that_cannot_be_verified_is_unanswered(authority: Authority, serve: Serve, session: ForServer) -> None:
    """With the same word in the metrics as ever."""
    server = serve(authority.issue(*NAMES))
    shared = session(server)
    bucket(server, shared, "photos").get_bucket_acl()
    server.show(authority.issue("*.evil.test"))
    with pytest.raises(Unanswered) as raised:
        bucket(server, shared, "papers").get_bucket_acl()
    assert raised.value.code == "tls"


def test_threads_share_sessions(authority: Authority, serve: Serve, session: ForServer) -> None:
    """Every answer comes, every connection is for its own bucket, and most are resumed."""
    server = serve(authority.issue(*NAMES))
    shared = session(server)

    def repair(number: int) -> str:
        found: str = bucket(server, shared, f"bucket-{number}").get_bucket_acl().acl
        shared.close()
        return found

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(repair, range(64))) == ["private"] * 64
    assert sorted(each.name for each in server.seen) == sorted(f"bucket-{n}.oss.test" for n in range(64))
    assert sum(not each.resumed for each in server.seen) <= 8
