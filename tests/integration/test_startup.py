"""The start during an outage: alive and not ready for as long as it takes, then at work; what is certain ends at once.

Two minutes pass by a clock of the test's own; everything else is real: SDKs, HTTP, threads, probes.
"""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from consumer.aliyun.credentials import Credentials, CredentialsProvider
from consumer.aliyun.standard_chain import StandardChain
from consumer.app import service as app
from consumer.app.prerequisites import StartupError
from consumer.app.threads import Wiring
from consumer.config import Config
from consumer.core.errors import ConfigurationError
from consumer.core.exit_codes import ExitCode
from emulator.client import Emulator
from tests.emulation import eventually
from tests.identity_tokens import PROVIDER, identity_token
from tests.integration.conftest import QUEUE, Configure, FixedCredentials, Run
from tests.integration.queues import is_empty
from tests.patience import PATIENCE_SECONDS
from tests.unit.fakes import Clock

OUTAGE_SECONDS = 120.0

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


@dataclass
class Start:
    """A start whose pauses pass on the test's clock; what the probes say is written down in each of them."""

    config: Config
    credentials: CredentialsProvider
    over: Callable[[], object]
    """Ends the outage, once its time has passed."""
    clock: Clock = field(default_factory=Clock)
    readiness: list[tuple[int, str]] = field(default_factory=list)
    liveness: set[tuple[int, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.began = self.clock()
        self.service = app.build(self.config, self.credentials, monotonic=self.clock, pause=self.pause)

    def pause(self, seconds: float) -> None:
        """Look at the probes, and let the time pass."""
        self.readiness.append(self.get("/readyz"))
        self.liveness.add(self.get("/livez"))
        self.clock.advance(seconds)
        if self.clock() - self.began >= OUTAGE_SECONDS:
            self.over()

    def get(self, path: str) -> tuple[int, str]:
        """What the health port answers."""
        assert self.service.health
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.service.health.port}{path}", timeout=PATIENCE_SECONDS
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def run(self, then: Callable[[], object] = lambda: None) -> ExitCode:
        """Start, look, and stop."""
        status: list[ExitCode] = []
        thread = threading.Thread(target=lambda: status.append(self.service.run()))
        thread.start()
        try:
            then()
        finally:
            self.service.stop()
            thread.join(PATIENCE_SECONDS)
        (code,) = status
        return code


def repaired(channel: Emulator) -> Callable[[], None]:
    """Waits until the one public bucket is repaired and the queue is empty."""

    def wait() -> None:
        eventually(lambda: is_empty(channel))
        assert channel.acls() == {"photos": "private"}

    channel.create_buckets(["photos"], acl="public-read")
    return wait


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("error", {"status": 503, "code": "ServiceUnavailable"}, "does not work at the moment"),
        ("error", {"status": 429, "code": "TooManyRequests"}, "TooManyRequests"),
        ("reset_before", {}, "cannot be reached (reset)"),
        ("web_page", {}, "is not an answer of the service"),
    ],
)
def test_an_outage_of_mns(
    kind: str,
    more: dict[str, object],
    said: str,
    configure: Configure,
    channel: Emulator,
    credentials: FixedCredentials,
) -> None:
    """Two minutes without an answer of the queue; the reason is on /readyz all the while."""
    wait = repaired(channel)
    channel.faults.add(kind, service="mns", **more)
    start = Start(configure(), credentials, channel.faults.clear)
    assert start.run(wait) is ExitCode.DRAINED
    assert start.clock() - start.began >= OUTAGE_SECONDS
    assert start.liveness == {(200, "ok")}
    assert {status for status, _ in start.readiness} == {503}
    assert all(said in text and "waiting to start" in text for _, text in start.readiness), start.readiness
    assert len(start.readiness) < 20, "it is tried ever more seldom"


@dataclass
class Sts:
    """Stands between the worker and the emulator's STS, out of order until it is put right."""

    emulator: Emulator
    status: int = 503

    def __post_init__(self) -> None:
        stage = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if stage.status != 200:
                    self.send_response(stage.status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                with urllib.request.urlopen(stage.emulator.control.url + self.path, timeout=PATIENCE_SECONDS) as answer:
                    body = answer.read()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def put_right(self) -> None:
        """The outage is over."""
        self.status = 200

    def close(self) -> None:
        """End the server."""
        self.server.shutdown()
        self._thread.join(PATIENCE_SECONDS)
        self.server.server_close()


@pytest.fixture
def sts(emulator: Emulator) -> Iterator[Sts]:
    """An STS that is out of order."""
    started = Sts(emulator)
    yield started
    started.close()


@pytest.fixture
def pod(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A pod's identity and no other source; the file with the token."""
    file = tmp_path / "identity"
    file.write_text(identity_token(), encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
    monkeypatch.setenv("ALIBABA_CLOUD_ROLE_ARN", f"acs:ram::{emulator.endpoints.account_id}:role/worker")
    monkeypatch.setenv("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", PROVIDER)
    monkeypatch.setenv("ALIBABA_CLOUD_OIDC_TOKEN_FILE", str(file))
    return file


@pytest.mark.usefixtures("pod")
@pytest.mark.parametrize("status", [503, 429])
def test_an_outage_of_sts(status: int, configure: Configure, channel: Emulator, sts: Sts) -> None:
    """Nothing can be signed for two minutes; MNS is not asked meanwhile."""
    sts.status = status
    wait = repaired(channel)
    start = Start(configure(), StandardChain(sts_endpoint=sts.url), sts.put_right)
    assert start.run(wait) is ExitCode.DRAINED
    assert start.clock() - start.began >= OUTAGE_SECONDS
    assert start.liveness == {(200, "ok")}
    assert {code for code, _ in start.readiness} == {503}
    assert all("no credentials: RRSA: 127.0.0.1:" in text for _, text in start.readiness), start.readiness


@pytest.mark.usefixtures("pod")
def test_an_sts_that_cannot_be_reached(configure: Configure, channel: Emulator) -> None:
    """Connection refused is an outage like any other; a stop during the wait is in good order."""
    start = Start(configure(), StandardChain(sts_endpoint="http://127.0.0.1:9"), lambda: start.service.stop())
    assert start.run(lambda: eventually(lambda: start.service.stopping)) is ExitCode.DRAINED
    assert all("127.0.0.1:9 does not answer (refused)" in text for _, text in start.readiness)


def test_an_outage_of_oss(run: Run, channel: Emulator) -> None:
    """The start needs no bucket: it is ready, the message is kept, and repaired once OSS answers again."""
    outage = channel.faults.add("error", service="oss", status=503, code="ServiceUnavailable")
    wait = repaired(channel)
    with run() as worker:
        eventually(lambda: channel.faults.struck()[outage] >= 2)
        eventually(lambda: worker.service.not_ready() == "")
        channel.advance(OUTAGE_SECONDS)
        before = channel.faults.struck()[outage]
        eventually(lambda: channel.faults.struck()[outage] > before)
        assert channel.acls() == {"photos": "public-read"}
        channel.faults.clear()
        channel.advance(OUTAGE_SECONDS)
        wait()


def test_a_bound_ends_the_wait_with_its_reason(
    configure: Configure, channel: Emulator, credentials: FixedCredentials
) -> None:
    """For whoever wants a process that ends, for example under systemd with a limit of its own."""
    channel.faults.add("error", service="mns", status=503, code="ServiceUnavailable")
    start = Start(configure(engine__startup_wait_seconds="60"), credentials, lambda: None)
    with pytest.raises(StartupError, match=r"ServiceUnavailable.*engine\.startup_wait_seconds"):
        start.service.run()
    assert 60 <= start.clock() - start.began < 120


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"queue__name": "absent"}, "queue.name: the queue 'absent' does not exist"),
        ({"queue__dead_letter_queue": "absent"}, "queue.dead_letter_queue: the queue 'absent' does not exist"),
    ],
)
def test_a_queue_that_does_not_exist_ends_it_at_once(
    overrides: dict[str, str], named: str, configure: Configure, credentials: FixedCredentials
) -> None:
    """Waiting would not create it."""
    start = Start(configure(**overrides), credentials, lambda: None)
    with pytest.raises(StartupError, match=named):
        start.service.run()
    assert start.readiness == []


def test_refused_credentials_end_it_at_once(configure: Configure, channel: Emulator) -> None:
    """As the queue service says."""
    key = channel.endpoints.access_key_id
    start = Start(configure(), FixedCredentials(Credentials(key, "another secret", "")), lambda: None)
    with pytest.raises(StartupError, match="SignatureDoesNotMatch"):
        start.service.run()
    assert start.readiness == []


@pytest.mark.parametrize("spoiled", ["no token", ""])
def test_an_identity_that_is_refused_or_missing_ends_it_at_once(
    spoiled: str, pod: Path, configure: Configure, channel: Emulator
) -> None:
    """STS was reached and said no, or there is nothing to ask it with."""
    pod.write_text(spoiled, encoding="utf-8")
    start = Start(configure(), StandardChain(sts_endpoint=channel.control.url), lambda: None)
    with pytest.raises(ConfigurationError, match=r"OIDCToken\.Invalid|is empty"):
        start.service.run()
    assert start.readiness == []


def test_a_start_that_falls_silent_is_not_alive(
    configure: Configure, channel: Emulator, credentials: FixedCredentials
) -> None:
    """Waiting is announced; a look that never comes back is a fault like that of any thread."""
    start = Start(configure(), credentials, lambda: None)
    assert start.service.health
    with contextlib.closing(start.service.health):
        assert start.service.fault() == ""
        start.clock.advance(10_000)
        assert "the start fell silent" in start.service.fault()


_SEND = "startup.parking_not_permitted"


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("error", {"status": 403, "code": "AccessDenied"}, [_SEND]),
        ("error", {"status": 429, "code": "TooManyRequests"}, []),
        ("error", {"status": 503, "code": "ServiceUnavailable"}, []),
        ("error", {"status": 400, "code": "SomethingNew"}, []),
        ("reset_before", {}, []),
        ("stall", {"seconds": 30}, []),
        ("web_page", {}, []),
        ("", {}, []),
    ],
)
def test_what_the_queue_says_to_a_send_neither_delays_nor_breaks_a_start(
    kind: str,
    more: dict[str, object],
    said: list[str],
    configure: Configure,
    channel: Emulator,
    credentials: FixedCredentials,
) -> None:
    """A permission that is missing is named at once, whatever else it answers is no reason to wait; nothing is sent."""
    if kind:
        channel.faults.add(kind, "SendMessage", service="mns", **more)
    events: list[tuple[str, dict[str, object]]] = []
    wiring = Wiring(configure(), credentials, lambda event, **fields: events.append((event, fields)))
    service = app.Service(wiring, monotonic=time.monotonic)
    status: list[ExitCode] = []
    thread = threading.Thread(target=lambda: status.append(service.run()))
    thread.start()
    try:
        eventually(lambda: service.not_ready() == "")
        missing = {"action": "mns:SendMessage", "resource": f"acs:mns:*:*:/queues/{QUEUE}/messages"}
        found = wiring.metrics.registry.get_sample_value("remediator_permission_missing", missing)
    finally:
        service.stop()
        thread.join(PATIENCE_SECONDS)
    assert status == [ExitCode.DRAINED]
    assert found == (1 if said else None)
    assert [event for event, _ in events if event.startswith("startup.")] == said
    assert dict(events).get(_SEND, {}) == ({"queue": QUEUE, "missing": "mns:SendMessage"} if said else {})
    assert is_empty(channel)
    assert not channel.journal(operation="SendMessage")


def test_a_start_that_waits_asks_once_what_it_may_send(
    configure: Configure, channel: Emulator, credentials: FixedCredentials
) -> None:
    """While a queue is out of reach it is not asked for more, and afterwards what is missing is named once."""
    refused = channel.faults.add("error", "SendMessage", service="mns", status=403, code="AccessDenied")
    channel.faults.add("error", "GetQueueAttributes", service="mns", status=503, code="ServiceUnavailable", count=5)
    start = Start(configure(), credentials, lambda: None)
    start.run(lambda: eventually(lambda: start.service.not_ready() == ""))
    assert start.readiness
    assert channel.faults.struck()[refused] == 1
