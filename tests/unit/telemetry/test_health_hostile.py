"""The health endpoints under clients that mean no good: slow, idle, huge, half-open, and very many."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection
from socket import SHUT_WR, SO_RCVBUF, SOL_SOCKET, create_connection, socket

import pytest
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from consumer.telemetry.http_loop import MOST_CONNECTIONS, HttpLoop
from consumer.telemetry.http_messages import LARGEST_REQUEST_BYTES, Request, Response
from consumer.telemetry.http_server import HealthServer
from consumer.telemetry.scrapes import MOST_WAITING, Scrapes
from tests.patience import PATIENCE_SECONDS
from tests.unit.fakes import Clock

_NEVER = 3_600.0
"""A step that does not end within a test, so that what is seen is not owed to a deadline."""


class Page(Collector):
    """A page of metrics that is rendered when a test lets it."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.begun = threading.Semaphore(0)
        self.rendered = 0

    def collect(self) -> Iterator[Metric]:
        self.begun.release()
        assert self.may_go_on.wait(PATIENCE_SECONDS)
        self.rendered += 1
        yield GaugeMetricFamily("large", "x" * 2_000_000, 1)


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture
def port(page: Page) -> Iterator[int]:
    """A server whose steps take as long as they like."""
    with _serving(page) as port:
        yield port


@contextmanager
def _serving(page: Page, step_seconds: float = _NEVER) -> Iterator[int]:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(page)
    server = HealthServer("127.0.0.1", 0, registry, live=str, ready=str, step_seconds=step_seconds)
    server.start()
    try:
        yield server.port
    finally:
        page.may_go_on.set()
        server.close()


@pytest.fixture
def clients() -> Iterator[Callable[[int, bytes], socket]]:
    """Opens connections that say something and then stay; closes them after the test."""
    with ExitStack() as opened:

        def connect(port: int, sent: bytes) -> socket:
            client = opened.enter_context(create_connection(("127.0.0.1", port), 30))
            client.sendall(sent)
            return client

        yield connect


def _status(port: int, path: str = "/livez") -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def _everything(client: socket) -> bytes:
    """What arrives until the server ends the connection."""
    return b"".join(iter(lambda: client.recv(65_536), b""))


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET", b"GET /livez HTTP/1.1\r\nHost: x\r\n", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"],
    ids=["silent", "half a line", "half a head", "an answer that nobody reads"],
)
def test_probes_answer_beside_hundreds_of_connections_that_stay(
    port: int, clients: Callable[[int, bytes], socket], sent: bytes
) -> None:
    """Nobody's idle connection costs a probe, and none of them gets a thread."""
    threads = threading.active_count()
    for number in range(3 * MOST_CONNECTIONS):
        clients(port, sent)
        if not number % 16:
            assert (_status(port), _status(port, "/readyz")) == (HTTPStatus.OK, HTTPStatus.OK)
    assert [_status(port) for _ in range(40)] == [HTTPStatus.OK] * 40
    assert threading.active_count() <= threads


def test_the_connection_that_has_waited_longest_makes_room(port: int, clients: Callable[[int, bytes], socket]) -> None:
    """One too many costs the oldest idle one its place, and nobody else."""
    idle = [clients(port, b"") for _ in range(MOST_CONNECTIONS + 1)]
    assert idle[0].recv(1) == b""
    idle[-1].sendall(b"GET /livez HTTP/1.0\r\n\r\n")
    assert b"200 OK" in _everything(idle[-1])
    idle[1].sendall(b"GET /livez HTTP/1.0\r\n\r\n")
    assert b"200 OK" in _everything(idle[1])


def test_probes_do_not_wait_for_a_page_of_metrics(
    port: int, page: Page, clients: Callable[[int, bytes], socket]
) -> None:
    """However long a page takes; when it is there, its scraper gets it."""
    page.may_go_on.clear()
    scraper = clients(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert page.begun.acquire(timeout=PATIENCE_SECONDS)
    assert [_status(port) for _ in range(40)] == [HTTPStatus.OK] * 40
    page.may_go_on.set()
    assert b"large 1.0" in _everything(scraper)


def test_a_page_is_rendered_once_for_all_who_wait(
    port: int, page: Page, clients: Callable[[int, bytes], socket]
) -> None:
    """A crowd of scrapers costs one page; the one that began before they asked is not theirs."""
    page.may_go_on.clear()
    first = clients(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert page.begun.acquire(timeout=PATIENCE_SECONDS)
    crowd = [clients(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(50)]
    assert _status(port) == HTTPStatus.OK  # by now the server has read what came before
    page.may_go_on.set()
    for client in (first, *crowd):
        assert b"large 1.0" in _everything(client)
    assert page.rendered == 2


def test_a_page_that_nobody_reads_holds_up_no_other(
    port: int, page: Page, clients: Callable[[int, bytes], socket]
) -> None:
    """Who does not take the answer does not keep the renderer from others."""
    for _ in range(3):
        clients(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").setsockopt(SOL_SOCKET, SO_RCVBUF, 4_096)
        assert page.begun.acquire(timeout=PATIENCE_SECONDS)
    assert _status(port, "/metrics") == HTTPStatus.OK


def test_a_client_that_takes_its_answer_too_slowly_is_let_go() -> None:
    """Sending has a deadline as a whole, as reading has."""
    clock = Clock()
    large = Response(HTTPStatus.OK, b"x" * 20_000_000)
    loop = HttpLoop("127.0.0.1", 0, lambda _request, reply: reply(large), step_seconds=5.0, monotonic=clock)
    loop.start()
    try:
        with create_connection(("127.0.0.1", loop.port), 30) as slow:
            slow.sendall(b"GET / HTTP/1.0\r\n\r\n")
            received = len(slow.recv(1))  # the answer has begun
            clock.advance(5.0)
            with create_connection(("127.0.0.1", loop.port), 30) as other:
                other.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
                assert b"200 OK" in _everything(other)
            with suppress(ConnectionError):
                received += len(_everything(slow))
        assert received < len(large.body)
    finally:
        loop.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"x" * 2 * LARGEST_REQUEST_BYTES, 431),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * LARGEST_REQUEST_BYTES, 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET /livez HTTP/1.1\nHost: x\n\n", 400),
        (b"GET /livez HTTP/1.1\r\nA: \0\r\n\r\n", 400),
        (b"GET livez HTTP/1.1\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200),
        (b"POST /livez HTTP/1.1\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000, 405),
        (b"GET /livez HTTP/1.1\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000, 200),
        (b"CONNECT example.com:443 HTTP/1.1\r\n\r\n", 400),
    ],
    ids=[
        "long line",
        "long head",
        "tls",
        "line feeds",
        "nul",
        "no path",
        "upgrade",
        "body",
        "body of a GET",
        "connect",
    ],
)
def test_an_odd_request_gets_a_whole_answer(
    port: int, clients: Callable[[int, bytes], socket], sent: bytes, status: int
) -> None:
    """What was sent beyond the head does not take the answer away from its client."""
    client = clients(port, sent)
    client.shutdown(SHUT_WR)
    assert _everything(client).startswith(f"HTTP/1.1 {status} ".encode())


def test_a_head_in_single_bytes_is_read(port: int, clients: Callable[[int, bytes], socket]) -> None:
    """However the network cuts it."""
    client = clients(port, b"")
    for byte in b"GET /livez?verbose=1 HTTP/1.1\r\nHost: x\r\n\r\n":
        client.sendall(bytes([byte]))
    assert _everything(client).endswith(b"\r\n\r\nok")


_WITHOUT_DESCRIPTORS = """
import os, resource, socket
from prometheus_client import CollectorRegistry
from consumer.telemetry.http_server import HealthServer

server = HealthServer("127.0.0.1", 0, CollectorRegistry(), live=str, ready=str)
server.start()
clients = [socket.socket() for _ in range(8)]
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
taken = []
try:
    while True:
        taken.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
for client in clients:
    client.settimeout(180)
    client.connect(("127.0.0.1", server.port))
    client.sendall(b"GET /livez HTTP/1.0\\r\\n\\r\\n")
os.close(taken.pop())
for client in clients:
    print(client.recv(15).decode())
server.close()
"""


def test_a_process_that_has_one_file_descriptor_left_still_answers() -> None:
    """Connections that wait for one are answered in turn as soon as there is one, and none is given up for good."""
    script = [sys.executable, "-W", "ignore::ResourceWarning", "-c", _WITHOUT_DESCRIPTORS]
    done = subprocess.run(script, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert (done.stdout.splitlines(), done.stderr) == (["HTTP/1.1 200 OK"] * 8, "")


def test_more_scrapes_than_may_wait_are_refused_at_once(page: Page) -> None:
    """Clients that come and go do not pile up before a slow page."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(page)
    page.may_go_on.clear()
    answered: list[Response] = []
    scrapes = Scrapes(registry)
    scrapes.start()
    try:
        for number in range(MOST_WAITING + 2):
            scrapes.request(Request("GET", "/metrics", f"n={number}", {}), answered.append)
            if not number:
                assert page.begun.acquire(timeout=PATIENCE_SECONDS)
        assert [answer.status for answer in answered] == [HTTPStatus.SERVICE_UNAVAILABLE]
    finally:
        page.may_go_on.set()
        scrapes.close()


def test_an_answer_that_comes_after_the_end_is_dropped() -> None:
    """The renderer may finish a page when its server is gone already."""
    owed: list[Callable[[Response], None]] = []
    loop = HttpLoop("127.0.0.1", 0, lambda _request, reply: owed.append(reply), step_seconds=_NEVER)
    loop.start()
    with create_connection(("127.0.0.1", loop.port), 30) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while not owed:
            threading.Event().wait(0.01)
        loop.close()
        owed[0](Response(HTTPStatus.OK, b""))
        assert client.recv(1) == b""


def test_metrics_of_a_name_can_be_requested() -> None:
    """The library's own filter still works."""
    registry = CollectorRegistry()
    Gauge("one", "x", registry=registry)
    Gauge("two", "x", registry=registry)
    server = HealthServer("127.0.0.1", 0, registry, live=str, ready=str)
    server.start()
    try:
        with create_connection(("127.0.0.1", server.port), 30) as client:
            client.sendall(b"GET /metrics?name[]=two HTTP/1.0\r\n\r\n")
            body = _everything(client)
    finally:
        server.close()
    assert b"\ntwo 0.0\n" in body
    assert b"one" not in body
