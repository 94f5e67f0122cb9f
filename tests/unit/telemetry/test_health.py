"""The health endpoints, over real HTTP on loopback."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse

import pytest

from consumer.core.errors import ConfigurationError
from consumer.core.outcome import Outcome
from consumer.telemetry.http_messages import Response, text_response
from consumer.telemetry.http_server import HealthServer
from tests.patience import PATIENCE_SECONDS
from tests.unit.telemetry.records import message, report
from tests.unit.telemetry.scrape import metrics

_OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Checks:
    """What the two checks answer; set by a test."""

    def __init__(self) -> None:
        self.live: Callable[[], str] = str
        self.ready: Callable[[], str] = str


@pytest.fixture
def checks() -> Checks:
    return Checks()


@contextmanager
def _serving(checks: Checks, step_seconds: float = 5.0) -> Iterator[int]:
    found = metrics()
    found.report(report(Outcome.FIXED))
    server = HealthServer(
        "127.0.0.1",
        0,
        found.registry,
        live=lambda: checks.live(),
        ready=lambda: checks.ready(),
        step_seconds=step_seconds,
    )
    server.start()
    try:
        yield server.port
    finally:
        server.close()


@pytest.fixture
def port(checks: Checks) -> Iterator[int]:
    with _serving(checks) as port:
        yield port


def _ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_all_is_well(port: int, path: str) -> None:
    """A check without a reason is a 200 that says ok."""
    response, body = _ask(port, path)
    assert (response.status, body) == (200, b"ok")


def test_each_check_speaks_for_itself(port: int, checks: Checks) -> None:
    """A reason is a 503 with the reason as text, on its own endpoint only."""
    checks.ready = lambda: "no poll has succeeded yet"
    response, body = _ask(port, "/readyz")
    assert (response.status, body) == (503, b"no poll has succeeded yet")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert _ask(port, "/livez")[0].status == 200


def test_a_check_that_fails_is_an_answer(port: int, checks: Checks, capfd: pytest.CaptureFixture[str]) -> None:
    """A fault in a check is a 500 without a traceback, there or on the process's output."""

    def broken() -> str:
        raise RuntimeError("boom")

    checks.live = broken
    response, body = _ask(port, "/livez")
    assert response.status == 500
    assert b"Traceback" not in body
    assert "Traceback" not in capfd.readouterr().err


def test_a_reason_carries_no_secret(port: int, checks: Checks) -> None:
    """What would be kept out of the log is kept out of the answer too."""
    checks.ready = lambda: "last poll failed: Authorization: MNS id:c2lnbmF0dXJl"
    assert _ask(port, "/readyz")[1] == b"[redacted]"


def test_metrics_are_served_in_the_text_format(port: int) -> None:
    """A scraper that asks for nothing special gets the classic format."""
    response, body = _ask(port, "/metrics")
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/plain")
    assert b"\nremediator_worker_slots 8.0\n" in body


def test_metrics_are_served_in_openmetrics_with_exemplars(port: int) -> None:
    """A scraper that asks for OpenMetrics gets the message id of a fix."""
    response, body = _ask(port, "/metrics", Accept=_OPENMETRICS)
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    assert f'# {{message_id="{message().message_id}"}}'.encode() in body


def test_metrics_are_compressed_on_request(port: int) -> None:
    """Prometheus asks for gzip."""
    response, body = _ask(port, "/metrics", **{"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert b"remediator_worker_slots" in gzip.decompress(body)


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz"])
def test_head_answers_without_a_body(port: int, path: str) -> None:
    """HEAD is GET without the text; read from the socket, because an HTTP client would not look for one."""
    with socket.create_connection(("127.0.0.1", port), 30) as client:
        client.sendall(f"HEAD {path} HTTP/1.0\r\n\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert b" 200 OK\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz"])
def test_other_methods_are_refused(port: int, path: str, method: str) -> None:
    """Nothing can be changed here."""
    response, _ = _ask(port, path, method)
    assert response.status == 405
    assert response.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/livez/", "/metrics/x", "/favicon.ico", "/%2e%2e/etc/passwd"])
def test_other_paths_do_not_exist(port: int, path: str) -> None:
    """Three paths and no more."""
    assert _ask(port, path)[0].status == 404


def test_a_port_in_use_names_the_key_to_change(port: int) -> None:
    """A second worker on the same port is a mistake in the configuration."""
    with pytest.raises(ConfigurationError, match=rf"http\.port = {port}: cannot listen on 127\.0\.0\.1"):
        HealthServer("127.0.0.1", port, metrics().registry, live=str, ready=str)


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), ("127.0.0.1", 70_000)])
def test_an_address_that_is_not_ours_names_the_key_to_change(host: str, port: int) -> None:
    """So is another machine's address, and a port that does not exist."""
    with pytest.raises(ConfigurationError, match=rf"http\.port = {port}"):
        HealthServer(host, port, metrics().registry, live=str, ready=str)


def test_closing_frees_the_port(checks: Checks) -> None:
    """The next server can take the same port at once, and closing one that was never started is no fault."""
    with _serving(checks) as port:
        pass
    second = HealthServer("127.0.0.1", port, metrics().registry, live=str, ready=str)
    assert second.port == port
    second.close()


@pytest.mark.parametrize("sent", [b"", b"GET /livez", b"GET /livez HTTP/1.1\r\nHost: x\r\n"])
def test_a_half_open_scraper_is_let_go(checks: Checks, sent: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """A client that never finishes its request loses the connection, without a word on the process's output."""
    with _serving(checks, step_seconds=0.2) as port, socket.create_connection(("127.0.0.1", port), 30) as client:
        client.sendall(sent)
        while client.recv(1024):  # ends when the server closes; the test's own timeout fails it otherwise
            pass
    assert "Traceback" not in capfd.readouterr().err


def test_a_trickle_of_bytes_does_not_prolong_the_deadline(checks: Checks) -> None:
    """The deadline is one for the whole request: a byte now and then does not hold a connection for ever."""
    with _serving(checks, step_seconds=0.2) as port, socket.create_connection(("127.0.0.1", port), 30) as client:
        assert _closed_while_trickling(client)


def _closed_while_trickling(client: socket.socket) -> bool:
    client.settimeout(0.05)  # the pause between two bytes
    client.sendall(b"GET /livez?")
    for _ in range(600):
        try:
            client.sendall(b"x")
            if not client.recv(1024):
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


@contextmanager
def _drawing(draw: Callable[[], Response] | None) -> Iterator[int]:
    server = HealthServer("127.0.0.1", 0, metrics().registry, live=str, ready=str, draw=draw)
    server.start()
    try:
        yield server.port
    finally:
        server.close()


def test_the_status_page_is_served_to_who_reads_it() -> None:
    """With GET and HEAD, whatever stands in the query; with nothing else, and beside everything else."""
    with _drawing(lambda: text_response(HTTPStatus.OK, "a page")) as port:
        for path in ("/", "/?refresh=1"):
            response, body = _ask(port, path)
            assert (response.status, body) == (200, b"a page")
        response, body = _ask(port, "/", "HEAD")
        assert (response.status, body, response.getheader("Content-Length")) == (200, b"", "6")
        assert _ask(port, "/", "POST")[0].status == 405
        assert _ask(port, "/index.html")[0].status == 404
        assert b"remediator_build_info" in _ask(port, "/metrics")[1]


def test_without_a_page_there_is_none() -> None:
    """As before there was one."""
    with _drawing(None) as port:
        assert _ask(port, "/")[0].status == 404


def test_a_page_that_cannot_be_drawn_is_an_error() -> None:
    """Without a traceback, and the next one may work."""
    answers = iter([ValueError("secret detail"), text_response(HTTPStatus.OK, "a page")])

    def draw() -> Response:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    with _drawing(draw) as port:
        response, body = _ask(port, "/")
        assert (response.status, body) == (500, b"the page could not be rendered")
        assert _ask(port, "/")[0].status == 200


def test_a_page_that_takes_its_time_holds_up_no_probe() -> None:
    """It is drawn by the thread that renders, once for all who wait for it."""
    going_on, drawn = threading.Event(), []

    def draw() -> Response:
        drawn.append(1)
        going_on.wait(PATIENCE_SECONDS)
        return text_response(HTTPStatus.OK, "a page")

    with _drawing(draw) as port:
        waiting = [threading.Thread(target=_ask, args=(port, "/")) for _ in range(9)]
        for each in waiting:
            each.start()
        assert [_ask(port, "/livez")[0].status for _ in range(20)] == [200] * 20
        going_on.set()
        for each in waiting:
            each.join()
    assert 1 <= len(drawn) <= len(waiting)
