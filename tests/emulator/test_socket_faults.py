"""What each kind of fault does to a connection and to the request that it strikes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.faults import Fault, Kind
from emulator.server import create_world, running_services
from emulator.settings import Settings
from emulator.world import World
from tests.emulator.echo import EchoService
from tests.emulator.wire import End, Seen, ask, connect, request, until, until_end
from tests.patience import PATIENCE_SECONDS


class Faulty:
    """An echo service on a socket, with faults added before it is asked."""

    def __init__(self, url: str, echo: EchoService, world: World) -> None:
        self.url = url
        self.echo = echo
        self.world = world

    def add(self, kind: Kind, **fault: object) -> None:
        """Add a fault; nothing else runs in the emulator meanwhile."""
        self.world.faults.add(Fault(0, "mns", "*", kind, **fault))  # type: ignore[arg-type]

    def struck_by(self, kind: Kind, **fault: object) -> Seen:
        """What a client sees whose only request is struck."""
        self.add(kind, count=1, **fault)
        return ask(self.url, request(headers="Connection: close\r\n"))

    @property
    def carried_out(self) -> bool:
        """Whether the service saw the request."""
        return self.echo.carried_out == ["/ask"]


@pytest.fixture
def faulty() -> Iterator[Faulty]:
    settings, echo = Settings(), EchoService()
    world = create_world(settings)
    with running_services(settings, lambda _: [echo], world) as endpoints:
        yield Faulty(endpoints.mns, echo, world)


def test_error_answers_in_the_service_s_words_without_effect(faulty: Faulty) -> None:
    """An injected error looks like the service's own and nothing happened."""
    seen = faulty.struck_by(Kind.ERROR, status=503, code="ServiceUnavailable")
    assert seen.data.startswith(b"HTTP/1.1 503 ")
    assert b"<Code>ServiceUnavailable</Code>" in seen.data
    assert not faulty.carried_out


def test_error_after_answers_an_error_though_it_took_effect(faulty: Faulty) -> None:
    """The nastier error: it was done all the same."""
    assert faulty.struck_by(Kind.ERROR_AFTER).data.startswith(b"HTTP/1.1 500 ")
    assert faulty.carried_out


def test_reset_before_resets_without_effect(faulty: Faulty) -> None:
    """The client sees a TCP reset, not a quiet end."""
    assert faulty.struck_by(Kind.RESET_BEFORE) == Seen(b"", End.RESET)
    assert not faulty.carried_out


def test_reset_after_resets_though_it_took_effect(faulty: Faulty) -> None:
    """The client cannot know that it was done."""
    assert faulty.struck_by(Kind.RESET_AFTER) == Seen(b"", End.RESET)
    assert faulty.carried_out


def test_lost_reply_closes_quietly_though_it_took_effect(faulty: Faulty) -> None:
    """The end of the stream comes instead of the answer."""
    assert faulty.struck_by(Kind.LOST_REPLY) == Seen(b"", End.CLOSED)
    assert faulty.carried_out


def test_truncated_sends_half_of_the_declared_body(faulty: Faulty) -> None:
    """The declared length never arrives."""
    seen = faulty.struck_by(Kind.TRUNCATED)
    head, _, body = seen.data.partition(b"\r\n\r\n")
    assert b"Content-Length: 22" in head
    assert body == b"<Echo>GET /"
    assert seen.end is End.CLOSED


def test_not_xml_answers_a_web_page_though_it_took_effect(faulty: Faulty) -> None:
    """The status says success, the body is some proxy's page."""
    seen = faulty.struck_by(Kind.NOT_XML)
    assert seen.data.startswith(b"HTTP/1.1 200 ")
    assert b"<!DOCTYPE html>" in seen.data
    assert faulty.carried_out


def test_web_page_answers_200_without_effect(faulty: Faulty) -> None:
    """A captive portal never passed the request on."""
    seen = faulty.struck_by(Kind.WEB_PAGE)
    assert seen.data.startswith(b"HTTP/1.1 200 ")
    assert b"<!DOCTYPE html>" in seen.data
    assert not faulty.carried_out


def test_damaged_xml_is_framed_correctly(faulty: Faulty) -> None:
    """Only the document is cut, so no HTTP library notices."""
    head, _, body = faulty.struck_by(Kind.DAMAGED_XML).data.partition(b"\r\n\r\n")
    assert b"Content-Length: 11" in head
    assert body == b"<Echo>GET /"


def test_redirect_points_elsewhere_without_effect(faulty: Faulty) -> None:
    """302 to wherever the fault says."""
    seen = faulty.struck_by(Kind.REDIRECT, location="http://127.0.0.1:1/elsewhere")
    assert seen.data.startswith(b"HTTP/1.1 302 ")
    assert b"\r\nLocation: http://127.0.0.1:1/elsewhere\r\n" in seen.data
    assert not faulty.carried_out


def test_drip_sends_the_whole_answer_byte_by_byte(faulty: Faulty) -> None:
    """Nothing is missing in the end; it only takes its time."""
    seen = faulty.struck_by(Kind.DRIP, seconds=0.0001)
    assert seen.data.endswith(b"<Echo>GET /ask </Echo>")
    assert seen.end is End.CLOSED


def test_stall_carries_out_and_then_stays_silent(faulty: Faulty) -> None:
    """The connection is half-open: neither an answer nor an end."""
    faulty.add(Kind.STALL, seconds=3600.0)
    with connect(faulty.url) as connection:
        connection.sendall(request())
        assert faulty.echo.asked.wait(PATIENCE_SECONDS)
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert faulty.carried_out


def test_latency_delays_the_effect_even_when_the_client_has_left(faulty: Faulty) -> None:
    """A slow server still does what it was asked long ago."""
    faulty.add(Kind.LATENCY, seconds=0.3)
    with connect(faulty.url) as connection:
        connection.sendall(request())
    assert faulty.echo.asked.wait(PATIENCE_SECONDS)


def test_a_connection_goes_on_after_a_fault_that_did_not_end_it(faulty: Faulty) -> None:
    """The next request on the same connection is served."""
    faulty.add(Kind.ERROR, count=1)
    with connect(faulty.url) as connection:
        connection.sendall(request())
        until(connection, b"</Error>")
        connection.sendall(request(headers="Connection: close\r\n"))
        assert until_end(connection).data.startswith(b"HTTP/1.1 200 ")


def test_delay_refusal_and_spoiling_can_strike_the_same_request(faulty: Faulty) -> None:
    """Faults of different groups add up; within a group the first one added strikes."""
    faulty.add(Kind.LATENCY, count=1, seconds=0.001)
    seen = faulty.struck_by(Kind.NOT_XML)
    assert b"<!DOCTYPE html>" in seen.data
    assert faulty.world.faults.struck == {1: 1, 2: 1}
