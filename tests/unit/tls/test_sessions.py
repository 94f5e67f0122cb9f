"""TLS sessions that buckets share, against a real TLS server: resumed where it is safe, and only there."""

from __future__ import annotations

import ssl
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.certificates import LIFE
from consumer.aliyun.oss import tls_sessions
from consumer.aliyun.oss.tls_sessions import (
    LONGEST_SECONDS,
    MOST_ENDPOINTS,
    MOST_SESSIONS,
    PAUSE_SECONDS,
    KeptSession,
    TlsSessions,
    loses_sessions,
)
from tests.certificates import Authority
from tests.patience import PATIENCE_SECONDS
from tests.unit.fakes import Clock
from tests.unit.tls.clients import NAMES, Client, Serve, at_most_tls_1_2, client, summary, without_tickets


def test_the_next_bucket_of_an_endpoint_resumes(authority: Authority, serve: Serve) -> None:
    """And so does the one after it, for each connection brings a ticket of its own."""
    server = serve(authority.issue(*NAMES))
    asking = client(server, authority)
    for number in range(4):
        asking.ask(f"b{number}.oss.test")
    assert summary(server.seen) == [
        ("b0.oss.test", False, False),
        *((f"b{number}.oss.test", True, True) for number in (1, 2, 3)),
    ]


def test_a_ticket_is_offered_once(authority: Authority, serve: Serve) -> None:
    """RFC 8446 appendix C.4: who uses one again can be recognised by it."""
    asking = client(serve(authority.issue(*NAMES)), authority)
    asking.ask("b1.oss.test")
    assert asking.kept() == 1
    assert asking.kept() == 0


@pytest.mark.parametrize(
    ("version", "loses"),
    [
        ((3, 11, 2), True),
        ((3, 11, 99), True),  # only security fixes since
        ((3, 12, 7), True),
        ((3, 12, 8), False),
        ((3, 13, 0), True),
        ((3, 13, 1), False),
        ((3, 14, 0), False),
    ],
)
def test_which_pythons_lose_a_session_that_is_looked_at(version: tuple[int, int, int], loses: bool) -> None:
    """By the notes of their releases: https://github.com/python/cpython/issues/116810."""
    assert loses_sessions(version) is loses


def test_where_looking_at_a_session_loses_memory_nobody_looks(
    authority: Authority, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every bucket would take 6 kB for ever: nothing is read, kept or offered there, and everything is answered."""

    def looked_at(_connection: ssl.SSLSocket) -> None:
        raise AssertionError("somebody looks at the session")

    monkeypatch.setattr(tls_sessions, "KEEPS_SESSIONS", False)
    monkeypatch.setattr(ssl.SSLSocket, "session", property(looked_at))
    server = serve(authority.issue(*NAMES))
    asking = client(server, authority)
    for number in range(3):
        asking.ask(f"b{number}.oss.test")
    assert summary(server.seen) == [(f"b{number}.oss.test", False, False) for number in range(3)]


class FromAnyEndpoint(TlsSessions):
    """Offers sessions to hosts that they are not for, as only a fault could."""

    def take(self, endpoint: str) -> KeptSession | None:
        return super().take(f"oss.test:{endpoint.partition(':')[2]}")


def test_a_resumed_connection_to_a_name_that_its_certificate_does_not_have_is_closed_before_anything_is_sent(
    authority: Authority, serve: Serve
) -> None:
    """OpenSSL resumes it without a word. The connection after it is a full one, which fails as it always did."""
    server = serve(authority.issue(*NAMES))
    asking = Client(server.port, FromAnyEndpoint(authority.trusted()))
    asking.ask("b1.oss.test")
    with pytest.raises(ssl.SSLCertVerificationError, match="evil"):
        asking.ask("b1.evil.test")
    server.close()
    first, wrong, full = server.seen
    assert first.received
    assert (wrong.offered, wrong.resumed, wrong.received) == (True, True, b"")
    assert (full.offered, full.received) == (False, b"")


@pytest.mark.parametrize("host", ["b1.other.test", "a.b.oss.test", "oss.test"])
def test_a_session_is_offered_only_directly_below_its_endpoint(authority: Authority, serve: Serve, host: str) -> None:
    """Although the certificate is good for the other name, too."""
    server = serve(authority.issue(*NAMES, "*.other.test", "*.b.oss.test"))
    asking = client(server, authority)
    asking.ask("b1.oss.test")
    asking.ask(host)
    assert not server.seen[-1].offered


def test_another_port_is_another_endpoint(authority: Authority, serve: Serve) -> None:
    """Whoever listens there need not be the same."""
    servers = [serve(authority.issue(*NAMES)) for _ in range(2)]
    sessions = TlsSessions(authority.trusted())
    for server in servers:
        Client(server.port, sessions).ask("b1.oss.test")
    assert not servers[1].seen[0].offered


@pytest.mark.parametrize("host", ["b1.oss.test", "B1.OSS.test"])
def test_a_certificate_for_single_names_brings_no_session(authority: Authority, serve: Serve, host: str) -> None:
    """It would be offered in vain, and cost a connection each time."""
    server = serve(authority.issue("b1.oss.test", "b2.oss.test"))
    asking = client(server, authority)
    asking.ask(host)
    asking.ask("b2.oss.test")
    assert summary(server.seen)[1] == ("b2.oss.test", False, False)


@pytest.mark.parametrize("days", [LIFE.days / 2 + 0.1, -LIFE.days / 2 - 0.1], ids=["expired", "not valid yet"])
def test_a_certificate_that_is_not_valid_any_more_ends_its_sessions(
    authority: Authority, serve: Serve, days: float
) -> None:
    """The resumed connection carries no request; a full handshake decides."""
    server = serve(authority.issue(*NAMES))
    wall, monotonic = Clock(time.time()), Clock()
    asking = client(server, authority, wall=wall, monotonic=monotonic)
    asking.ask("b1.oss.test")
    wall.now += days * 86_400
    asking.ask("b2.oss.test")
    assert summary(server.seen)[1:] == [("b2.oss.test", True, True), ("b2.oss.test", False, False)]
    assert server.seen[1].received == b""
    monotonic.advance(PAUSE_SECONDS)
    asking.ask("b3.oss.test")
    assert asking.kept() == 0


def test_no_certificate_is_good_for_no_host(authority: Authority) -> None:
    """Not knowing is never a match."""
    sessions = TlsSessions(authority.trusted())
    for certificate in (None, {}, {"subjectAltName": (("DNS", "*.oss.test"),)}):
        assert not sessions.good_for(certificate, "b1.oss.test")


def test_a_certificate_is_verified_anew_after_a_while(authority: Authority, serve: Serve) -> None:
    """However often its session was resumed since: the time counts from the full handshake."""
    server = serve(authority.issue(*NAMES))
    monotonic = Clock()
    asking = client(server, authority, monotonic=monotonic)
    for _ in range(3):
        asking.ask("b1.oss.test")
        monotonic.advance(LONGEST_SECONDS / 3)
    asking.ask("b1.oss.test")
    assert [each.resumed for each in server.seen] == [False, True, True, False]


def test_a_changed_certificate_is_verified_and_ends_the_sessions_of_the_former_one(
    authority: Authority, serve: Serve
) -> None:
    """What the endpoint shows now counts."""
    server = serve(authority.issue(*NAMES))
    asking = client(server, authority)
    with ExitStack() as opened:
        for connection in [opened.enter_context(asking.connected(f"b{number}.oss.test")) for number in range(3)]:
            connection.answered()
    server.show(authority.issue(*NAMES, "more.test"))
    asking.ask("b3.oss.test")
    assert summary(server.seen) == [
        *((f"b{number}.oss.test", False, False) for number in range(3)),
        ("b3.oss.test", True, False),
    ]
    assert asking.kept() == 1


def test_a_session_of_the_former_certificate_does_not_end_those_of_the_new_one(
    authority: Authority, serve: Serve
) -> None:
    """It may still be under way when the endpoint shows another certificate, and is not kept any more."""
    server = serve(authority.issue(*NAMES))
    asking = client(server, authority)
    asking.ask("b1.oss.test")
    with asking.connected("b2.oss.test") as under_way:
        server.show(authority.issue(*NAMES, "more.test"))
        with asking.connected("b3.oss.test") as new:
            new.answered()
            under_way.answered()
    asking.ask("b4.oss.test")
    assert [each.resumed for each in server.seen] == [False, True, False, True]


def test_a_changed_certificate_for_other_names_is_refused(authority: Authority, serve: Serve) -> None:
    """A session to offer changes nothing about that."""
    server = serve(authority.issue(*NAMES))
    asking = client(server, authority)
    asking.ask("b1.oss.test")
    server.show(authority.issue("*.evil.test"))
    with pytest.raises(ssl.SSLCertVerificationError):
        asking.ask("b2.oss.test")
    server.close()
    assert server.seen[-1].received == b""


def test_a_changed_trust_ends_every_session(authority: Authority, serve: Serve, tmp_path: Path) -> None:
    """They were verified against another set of authorities."""
    server = serve(authority.issue(*NAMES))
    asking = client(server, authority)
    asking.ask("b1.oss.test")
    asking.sessions.context.load_verify_locations(Authority(tmp_path, "another").path)
    asking.ask("b2.oss.test")
    asking.ask("b3.oss.test")
    assert [each.offered for each in server.seen] == [False, False, True]


def test_a_context_that_trusts_others_gets_no_session(authority: Authority, serve: Serve, tmp_path: Path) -> None:
    """Its own verification fails, as if nobody had connected before."""
    server = serve(authority.issue(*NAMES))
    asking = client(server, authority)
    asking.ask("b1.oss.test")
    with pytest.raises(ssl.SSLCertVerificationError):
        client(server, Authority(tmp_path, "another")).ask("b2.oss.test")
    server.close()
    assert (server.seen[1].offered, server.seen[1].received) == (False, b"")


def test_a_context_that_verifies_nothing_shares_nothing(authority: Authority, serve: Serve) -> None:
    """There is no certificate that anybody has looked at."""
    server = serve(authority.issue(*NAMES))
    asking = client(server, authority)
    asking.sessions.context.check_hostname = False
    asking.ask("b1.oss.test")
    asking.ask("b2.oss.test")
    assert [each.offered for each in server.seen] == [False, False]


class CountingSocket(ssl.SSLSocket):
    """Counts how often a session is taken from it, which costs a sixth of a handshake."""

    taken = 0

    @property
    def session(self) -> ssl.SSLSession | None:
        CountingSocket.taken += 1
        return super().session

    @session.setter
    def session(self, session: ssl.SSLSession) -> None:
        ssl.SSLSocket.session.__set__(self, session)  # type: ignore[attr-defined]


def test_a_server_without_tickets_is_soon_left_alone(
    authority: Authority, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three looks nothing is spent on it for a while; then it may have changed."""
    server = serve(authority.issue(*NAMES), without_tickets)
    monotonic = Clock()
    asking = client(server, authority, monotonic=monotonic)
    asking.sessions.context.sslsocket_class = CountingSocket
    monkeypatch.setattr(CountingSocket, "taken", 0)
    for number in range(20):
        asking.ask(f"b{number}.oss.test")
    assert CountingSocket.taken == 3
    monotonic.advance(PAUSE_SECONDS)
    asking.ask("b.oss.test")
    assert CountingSocket.taken == 4
    assert not any(each.offered for each in server.seen)


def test_a_session_that_resumes_nothing_is_not_kept(authority: Authority, serve: Serve) -> None:
    """Giving it to a connection would take as long as one that does."""
    asking = client(serve(authority.issue(*NAMES), without_tickets), authority)
    asking.ask("b.oss.test")
    assert asking.kept() == 0


def test_a_server_that_ignores_its_tickets_is_soon_left_alone(authority: Authority, serve: Serve) -> None:
    """Every handshake is a full one with every check, and after three refusals none is tried for a while."""
    server = serve(authority.issue(*NAMES))
    server.forgets = True
    monotonic = Clock()
    asking = client(server, authority, monotonic=monotonic)
    for number in range(10):
        asking.ask(f"b{number}.oss.test")
    assert [each.offered for each in server.seen] == [False, True, True, True, *[False] * 6]
    monotonic.advance(PAUSE_SECONDS)
    server.forgets = False
    for number in range(3):
        asking.ask(f"b{number}.oss.test")
    assert [each.resumed for each in server.seen[-3:]] == [False, True, True]


def test_a_server_that_misses_now_and_then_is_not_left_alone(authority: Authority, serve: Serve) -> None:
    """As behind an address with several servers: a session that was resumed begins the count anew."""
    server = serve(authority.issue(*NAMES))
    asking = client(server, authority)
    asking.ask("b.oss.test")
    for forgets in (True, False, False) * 3:
        server.forgets = forgets
        asking.ask("b.oss.test")
    assert [each.resumed for each in server.seen] == [False, *(False, False, True) * 3]
    assert all(each.offered for each in server.seen[1:])


def test_under_tls_1_2_every_handshake_is_a_full_one(authority: Authority, serve: Serve) -> None:
    """RFC 6066 section 3 forbids its servers to resume under another name."""
    server = serve(authority.issue(*NAMES), at_most_tls_1_2)
    asking = client(server, authority)
    for number in range(3):
        asking.ask(f"b{number}.oss.test")
    assert {(each.version, each.offered, each.resumed) for each in server.seen} == {("TLSv1.2", False, False)}


def test_a_server_that_cannot_bear_an_offer_is_asked_again_without_one(authority: Authority, serve: Serve) -> None:
    """At once, within the same request, and is left alone for a while."""
    server = serve(authority.issue(*NAMES))
    server.breaks_resumption = True
    asking = client(server, authority)
    for number in range(4):
        asking.ask(f"b{number}.oss.test")
    assert [each.offered for each in server.seen] == [False, True, False, False, False]


def test_a_second_attempt_takes_no_second_timeout(authority: Authority, serve: Serve) -> None:
    """Both together have the time of one."""
    server = serve(authority.issue(*NAMES))
    server.breaks_resumption = True
    clock = Clock()

    class Slow(TlsSessions):
        def pause(self, endpoint: str) -> None:
            super().pause(endpoint)
            clock.advance(PATIENCE_SECONDS)

    asking = Client(server.port, Slow(authority.trusted()), monotonic=clock)
    asking.ask("b1.oss.test")
    with pytest.raises(TimeoutError):
        asking.ask("b2.oss.test")
    server.close()
    assert [each.offered for each in server.seen] == [False, True]


def test_what_is_kept_is_bounded(authority: Authority, serve: Serve) -> None:
    """Whatever regions and buckets are asked for."""
    asking = client(serve(authority.issue(*NAMES)), authority)
    with asking.connected("b.oss.test") as http:
        for _ in range(2 * MOST_SESSIONS):
            asking.sessions.keep(asking.endpoint, "b.oss.test", http.sock, None)
        assert asking.kept() == MOST_SESSIONS
        for number in range(2 * MOST_ENDPOINTS):
            asking.sessions.keep(f"endpoint {number}", "b.oss.test", http.sock, None)
            asking.sessions.pause(f"another {number}")
            assert len(asking.sessions._endpoints) <= MOST_ENDPOINTS
