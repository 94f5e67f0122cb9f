"""What the adapter promises to every service: exact requests in, exact answers out, nobody waits for a lost client."""

from __future__ import annotations

import http.client
import logging
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from emulator import asgi
from emulator.server import create_world, running_services
from emulator.settings import Settings
from tests.emulator.echo import EchoService
from tests.emulator.wire import End, ask, connect, request, until, until_end
from tests.patience import PATIENCE_SECONDS

_CLOSE = "Connection: close\r\n"


@pytest.fixture
def echo() -> EchoService:
    return EchoService()


@pytest.fixture
def url(echo: EchoService) -> Iterator[str]:
    settings = Settings()
    with running_services(settings, lambda _: [echo], create_world(settings)) as endpoints:
        yield endpoints.mns


def test_path_and_query_arrive_exactly_as_sent(url: str) -> None:
    """Signatures cover the raw target, so nothing of it is decoded, sorted or re-encoded."""
    seen = ask(url, request("/ask/a%2Fb%20c?ReceiptHandle=1-a+b/c==&acl&x=%41", headers=_CLOSE))
    assert b"<Echo>GET /ask/a%2Fb%20c?ReceiptHandle=1-a+b/c==&acl&x=%41 </Echo>" in seen.data


def test_header_names_keep_the_case_the_service_gave(url: str) -> None:
    """Some SDKs look header names up without folding their case."""
    seen = ask(url, request(headers=_CLOSE))
    assert b"\r\nX-Mixed-Case: " in seen.data


def test_every_answer_carries_length_date_and_connection(url: str) -> None:
    """Clients keep connections alive by the length, and correct their clock by the date."""
    seen = ask(url, request("/nothing", headers=_CLOSE))
    assert seen.data.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert b"\r\nContent-Length: 0\r\n" in seen.data
    assert b"\r\nDate: " in seen.data
    assert b"\r\nConnection: close\r\n" in seen.data


def test_a_connection_serves_many_requests(url: str) -> None:
    """Keep-alive works with an ordinary HTTP client."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_SECONDS)
    for number in range(5):
        connection.request("POST", f"/ask?{number}", b"x" * number)
        answer = connection.getresponse()
        assert answer.read() == f"<Echo>POST /ask?{number} {'x' * number}</Echo>".encode()
        assert answer.getheader("Connection") == "keep-alive"
    connection.close()


def test_pipelined_requests_are_answered_in_order(url: str) -> None:
    """Requests that were sent before the first answer each get theirs."""
    seen = ask(url, request("/ask?1") + request("/ask?2") + request("/ask?3", headers=_CLOSE))
    positions = [seen.data.index(f"GET /ask?{number} ".encode()) for number in (1, 2, 3)]
    assert positions == sorted(positions)


def test_a_head_request_gets_the_length_but_no_body(url: str) -> None:
    """HEAD answers declare the length a GET would have."""
    seen = ask(url, request(method="HEAD", headers=_CLOSE))
    assert b"\r\nContent-Length: 23\r\n" in seen.data
    assert seen.data.endswith(b"\r\n\r\n")


def test_a_service_can_end_the_connection_with_its_answer(url: str) -> None:
    """An answer with Connection: close is the last one, though the client would have gone on."""
    assert ask(url, request("/last")).end is End.CLOSED


def test_a_chunked_body_arrives_whole(url: str) -> None:
    """Bodies without a declared length are put together."""
    chunks = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    headers = f"Transfer-Encoding: chunked\r\n{_CLOSE}"
    assert b" hello world</Echo>" in ask(url, request(method="PUT", headers=headers) + chunks).data


def test_repeated_headers_are_joined(url: str) -> None:
    """Signatures see a repeated header as one, joined with commas."""
    seen = ask(url, request(headers=f"X-Asked: a\r\nx-asked: b\r\n{_CLOSE}"))
    assert b"\r\nX-Mixed-Case: a,b\r\n" in seen.data


def test_a_body_beyond_the_bound_is_refused_and_the_connection_ends(
    url: str, echo: EchoService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can fill the emulator's memory with one request."""
    monkeypatch.setattr(asgi, "MAX_BODY_BYTES", 1000)
    seen = ask(url, request(method="PUT", body=b"x" * 1001))
    assert seen.data.startswith(b"HTTP/1.1 400 ")
    assert b"EntityTooLarge" in seen.data
    assert echo.carried_out == []


def test_a_defect_in_a_service_is_its_500(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """An exception reaches the client as the service's own error, and the log as a traceback."""
    with caplog.at_level(logging.ERROR):
        seen = ask(url, request("/fail", headers=_CLOSE))
    assert seen.data.startswith(b"HTTP/1.1 500 ")
    assert b"<Code>InternalError</Code>" in seen.data
    assert "broken on purpose" in caplog.text


def test_a_held_request_is_cancelled_when_its_client_leaves(url: str, echo: EchoService) -> None:
    """A long poll does not go on for nobody: it would take a message that no one gets."""
    with connect(url) as connection:
        connection.sendall(request("/hold"))
        assert echo.holding.wait(PATIENCE_SECONDS)
    assert echo.cancelled.wait(PATIENCE_SECONDS)


def test_stopping_cuts_held_requests(echo: EchoService) -> None:
    """An open long poll does not keep the emulator from ending."""
    settings = Settings()
    with running_services(settings, lambda _: [echo]) as endpoints:
        connection = connect(endpoints.mns)
        connection.sendall(request("/hold"))
        assert echo.holding.wait(PATIENCE_SECONDS)
    with connection:
        assert until_end(connection).data == b""
    assert echo.cancelled.is_set()


def test_rubbish_is_answered_with_400(url: str) -> None:
    """What is no HTTP ends the connection and nothing else."""
    assert ask(url, b"\x16\x03\x01 rubbish\r\n\r\n").data.startswith(b"HTTP/1.1 400 ")


def test_a_client_may_wait_for_leave_to_send_its_body(url: str) -> None:
    """Expect: 100-continue is honoured, as several HTTP libraries want."""
    with connect(url) as connection:
        head = f"PUT /ask HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n{_CLOSE}\r\n"
        connection.sendall(head.encode())
        assert until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"ok")
        assert b" ok</Echo>" in until_end(connection).data


def test_a_get_that_announces_a_body_and_sends_none_is_answered_and_closed(url: str) -> None:
    """Nothing that follows on the connection can be taken for the missing body."""
    with connect(url) as connection:
        connection.sendall(request("/ask?1", headers="Content-Length: 9\r\n"))
        seen = until_end(connection)
    assert b"Connection: close\r\n" in seen.data
    assert b"GET /ask?1 " in seen.data


def test_a_get_with_a_body_leaves_its_connection_usable(url: str) -> None:
    """The body is skipped, and the next request on the connection is understood."""
    seen = ask(url, request("/ask?1", body=b"<ignored>") + request("/ask?2", headers=_CLOSE))
    assert b"GET /ask?1 </Echo>" in seen.data
    assert b"GET /ask?2 </Echo>" in seen.data


def test_a_body_in_chunks_is_put_together(url: str) -> None:
    """Transfer-Encoding: chunked is as good as a Content-Length."""
    sent = (
        request(method="PUT", headers=f"Transfer-Encoding: chunked\r\n{_CLOSE}") + b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"
    )
    assert b" abcde</Echo>" in ask(url, sent).data


@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_the_case_of_header_names_does_not_matter(url: str, case: Callable[[str], str]) -> None:
    """Some clients send all names in lower case."""
    assert b"X-Mixed-Case: yes" in ask(url, request(headers=f"{case('X-Asked')}: yes\r\n{_CLOSE}")).data
