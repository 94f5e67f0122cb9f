"""Name resolution with a deadline: a name server that does not answer costs its caller's time and nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPSConnection

import pytest
from mns.mns_http import MNSHTTPConnection, MNSHTTPSConnection

from consumer.aliyun import name_lookup
from consumer.aliyun.credentials import Credentials
from consumer.aliyun.http import Exchange, failure_code
from consumer.aliyun.mns.queue import Queue, QueueAddress
from consumer.aliyun.name_lookup import THREAD_NAME, NameLookup, NameLookupTimeout
from consumer.core.errors import Unanswered
from consumer.core.observers import Hooks
from tests.patience import PATIENCE_SECONDS

ANSWER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]
NAME = "mns.example"
_REAL = socket.getaddrinfo


class NameServer:
    """Stands where `socket.getaddrinfo` stands: literal addresses are known, names hang until it is released."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.answering = threading.Event()
        self.failure = failure
        self.asked: list[str] = []

    def __call__(
        self, host: str, port: int, family: int = 0, kind: int = 0, protocol: int = 0, flags: int = 0
    ) -> list[object]:
        if flags & socket.AI_NUMERICHOST:
            return list(_REAL(host, port, family, kind, protocol, flags))
        self.asked.append(host)
        assert self.answering.wait(PATIENCE_SECONDS)
        if self.failure:
            raise self.failure
        return list(ANSWER)


@pytest.fixture
def server() -> Iterator[NameServer]:
    """One that hangs, and lets go of every thread at the end."""
    made = NameServer()
    yield made
    made.answering.set()
    for thread in threading.enumerate():
        if thread.name == THREAD_NAME:
            thread.join(PATIENCE_SECONDS)


def hanging() -> int:
    """How many look-ups have a thread."""
    return sum(thread.name == THREAD_NAME for thread in threading.enumerate())


def test_a_name_server_that_hangs_costs_the_deadline_and_no_more(server: NameServer) -> None:
    """The caller goes on; the look-up goes on beside it, and its answer is there for whoever asks meanwhile."""
    lookup = NameLookup(server)
    with pytest.raises(NameLookupTimeout, match=r"mns\.example was not resolved"):
        lookup.addresses(NAME, 80, 0.01)
    server.answering.set()
    assert list(lookup.addresses(NAME, 80, 30)) == ANSWER


def test_everybody_who_needs_a_name_shares_one_look_up(server: NameServer) -> None:
    """Twenty callers and one thread, or a stuck name server would take a thread from the machine for every retry."""
    lookup = NameLookup(server)
    for _ in range(20):
        with pytest.raises(NameLookupTimeout):
            lookup.addresses(NAME, 80, 0)
    assert (server.asked, hanging()) == ([NAME], 1)


def test_only_so_many_look_ups_hang_at_once(server: NameServer) -> None:
    """Every bucket has a name of its own; those beyond the limit fail at once, and are looked up when others end."""
    lookup = NameLookup(server, most_at_once=3)
    for number in range(5):
        with pytest.raises(NameLookupTimeout):
            lookup.addresses(f"bucket-{number}.example", 443, 0)
    assert hanging() == 3
    server.answering.set()
    for thread in [each for each in threading.enumerate() if each.name == THREAD_NAME]:
        thread.join(PATIENCE_SECONDS)
    assert list(lookup.addresses("bucket-4.example", 443, 30)) == ANSWER


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "name_not_found"),
        (OSError(24, "Too many open files"), "network"),
        (UnicodeError("label too long"), "network"),
    ],
)
def test_a_name_that_cannot_be_resolved_says_so(failure: Exception, code: str) -> None:
    """Each caller gets an error of its own kind and its own traceback."""
    server = NameServer(failure)
    server.answering.set()
    raised = []
    for _ in range(2):
        with pytest.raises(OSError, match=str(failure.args[-1])) as seen:
            NameLookup(server).addresses(NAME, 80, 30)
        raised.append(seen.value)
    assert raised[0] is not raised[1]
    assert [failure_code(each) for each in raised] == [code, code]


def test_an_address_needs_no_look_up(server: NameServer) -> None:
    """Neither a thread nor a name server."""
    lookup = NameLookup(server)
    assert [each[4][0] for each in lookup.addresses("127.0.0.1", 80, 0)] == ["127.0.0.1"]
    assert [each[4][0] for each in lookup.addresses("::1", 80, 0)] == ["::1"]
    assert (server.asked, hanging()) == ([], 0)


def test_a_machine_without_threads_is_an_error_of_the_network(
    server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next look-up of the same name starts anew."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    lookup = NameLookup(server)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(OSError, match="can't start new thread"):
            lookup.addresses(NAME, 80, 0)
    server.answering.set()
    assert list(lookup.addresses(NAME, 80, 30)) == ANSWER


def test_every_address_is_tried_within_one_deadline() -> None:
    """The second one answers; the first one's refusal is not the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: it refuses
        port = listener.getsockname()[1]
        places = [unused.getsockname(), listener.getsockname()]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(name_lookup, "lookup", NameLookup(lambda *_: found))
            with name_lookup.connect(NAME, port, 30) as connection:
                assert connection.getpeername() == listener.getsockname()


def test_no_address_is_tried_after_the_deadline() -> None:
    """Ten addresses that do not answer take the timeout once, not ten times."""
    tried: list[object] = []
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", number)) for number in range(1, 11)]
    clock = iter([0.0, 0.0, 5.0, 5.0])

    class Silent(socket.socket):
        def connect(self, address: object) -> None:
            tried.append(address)
            raise TimeoutError("timed out")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(name_lookup, "lookup", NameLookup(lambda *_: found))
        patched.setattr(socket, "socket", Silent)
        with pytest.raises(TimeoutError, match=r"no address of mns\.example answered within 5\.0 s"):
            name_lookup.connect(NAME, 80, 5, monotonic=lambda: next(clock))
    assert len(tried) == 1


@pytest.mark.parametrize("kind", [HTTPConnection, HTTPSConnection, MNSHTTPConnection, MNSHTTPSConnection])
def test_every_kind_of_connection_resolves_within_its_timeout(
    kind: type[HTTPConnection], server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stock ones call `getaddrinfo` in the calling thread, and the MNS SDK's plain one does so by itself."""
    monkeypatch.setattr(socket, "getaddrinfo", server)
    connection = kind(NAME, 80)
    exchange = Exchange(connection, connect_timeout_seconds=0.01)
    exchange.begin(30)
    with pytest.raises(NameLookupTimeout):
        connection.request("GET", "/")
    assert server.asked == [NAME]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_gateway_reports_a_hanging_name_server_as_unanswered(
    scheme: str, server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a poller is silent for its announced time at most, waits and polls again; it used to be taken for dead."""
    monkeypatch.setattr(socket, "getaddrinfo", server)
    queue = Queue(QueueAddress(f"{scheme}://{NAME}", "events", connect_timeout_seconds=0.01), Keys(), Hooks())
    with pytest.raises(Unanswered, match=r"mns\.example was not resolved") as raised:
        queue.receive(16, 30)
    assert raised.value.code == "timeout"


class Keys:
    """Credentials that are there."""

    def get_credentials(self) -> Credentials:
        return Credentials("id", "key", "")
