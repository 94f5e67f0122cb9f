"""Whom connections trust over TLS: one context for all of them, and never more than the authorities of the moment."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from consumer.aliyun import tls
from consumer.aliyun.credentials import Credentials
from consumer.aliyun.direct import send
from consumer.aliyun.mns.queue import Queue, QueueAddress
from consumer.aliyun.oss.endpoints import Endpoints
from consumer.aliyun.oss.session import OssSession
from consumer.core.errors import DamagedReply, Unanswered
from consumer.core.observers import Hooks
from tests.certificates import Authority
from tests.patience import PATIENCE_SECONDS
from tests.tls_server import TlsServer


class _Key:
    def get_credentials(self) -> Credentials:
        return Credentials("key", "secret", "")


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Whom this process trusts, and nobody else."""
    trusted = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.path))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    return trusted


@pytest.fixture
def contexts(monkeypatch: pytest.MonkeyPatch) -> list[ssl.SSLContext]:
    """Every context that is made from here on."""
    made: list[ssl.SSLContext] = []
    original = ssl.create_default_context

    def remembered(**authorities: Any) -> ssl.SSLContext:
        made.append(original(**authorities))
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", remembered)
    # What `http.client` takes where it is given none, which is what all this is about.
    monkeypatch.setattr(ssl, "_create_default_https_context", remembered)
    return made


def _server(certificate: Path) -> Iterator[TlsServer]:
    server = TlsServer(certificate)
    yield server
    server.close()


@pytest.fixture
def server(authority: Authority) -> Iterator[TlsServer]:
    """One with a certificate of the trusted authority."""
    yield from _server(authority.issue("127.0.0.1"))


@pytest.fixture
def stranger(tmp_path: Path, authority: Authority) -> Iterator[TlsServer]:
    """One with a certificate of another authority."""
    yield from _server(Authority(tmp_path, "stranger").issue("127.0.0.1"))


@pytest.fixture
def misnamed(authority: Authority) -> Iterator[TlsServer]:
    """One with a certificate of the trusted authority, for another name."""
    yield from _server(authority.issue("mns.test"))


def _queue(port: int) -> Queue:
    address = QueueAddress(f"https://127.0.0.1:{port}", "events", PATIENCE_SECONDS, PATIENCE_SECONDS)
    return Queue(address, _Key(), Hooks())


def test_all_connections_share_one_context(contexts: list[ssl.SSLContext], server: TlsServer) -> None:
    """Queues, buckets and the services below the credentials: the authorities are loaded once."""
    queues = [_queue(server.port) for _ in range(12)]
    OssSession(endpoints=Endpoints(), connect_timeout_seconds=1)
    for _ in range(2):
        assert send("GET", f"https://127.0.0.1:{server.port}/", {}, None, 5, PATIENCE_SECONDS).status == 200
    assert len(contexts) == 1
    assert {queue._client.http.conn._context for queue in queues} == set(contexts)


def test_nothing_that_the_sdk_offers_ends_tls(server: TlsServer) -> None:
    """It makes a new connection for a new timeout, unless it knows that this one is over TLS."""
    queue = _queue(server.port)
    queue._account.mns_client.set_connection_timeout(1)
    assert isinstance(queue._client.http.conn, HTTPSConnection)


def test_threads_that_come_at_once_load_once(authority: Authority, contexts: list[ssl.SSLContext]) -> None:
    """Nobody loads beside somebody who loads."""
    gate = threading.Barrier(8)
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: (gate.wait(PATIENCE_SECONDS), tls.trusting())[1], range(8)))
    assert found == set(contexts)
    assert len(contexts) == 1


def test_a_bundle_that_was_replaced_is_read_anew(tmp_path: Path, authority: Authority) -> None:
    """Another file under the name, in the same moment and of the same size, is another bundle."""
    other = Authority(tmp_path, "another").path
    for path in (authority.path, other):
        path.write_bytes(path.read_bytes().ljust(4_000, b"\n"))
        os.utime(path, (1, 1))
    before = tls.trusting()
    assert tls.trusting() is before
    other.replace(authority.path)
    after = tls.trusting()
    assert after is not before
    assert after.get_ca_certs()[0]["subject"] != before.get_ca_certs()[0]["subject"]


def test_a_bundle_that_is_missing_trusts_nobody(authority: Authority, server: TlsServer) -> None:
    """It is not an error to have none, and nobody is believed then; as soon as there is one, it counts."""
    kept = authority.path.read_bytes()
    authority.path.unlink()
    with pytest.raises(Unanswered) as refused:
        _queue(server.port).attributes()
    assert refused.value.code == "tls"
    authority.path.write_bytes(kept)
    with pytest.raises(DamagedReply):  # it is reached: what it says is no answer of a queue
        _queue(server.port).attributes()


def _trusted() -> list[str]:
    """The names of those that a new connection would believe."""
    return sorted(dict(part[0] for part in found["subject"])["commonName"] for found in tls.trusting().get_ca_certs())


def test_authorities_of_a_directory_are_believed_under_the_names_that_openssl_reads(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside those of the bundle, and in memory: no handshake looks into a directory."""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, name in ((first, "0123abcd.0"), (second, "0123abcd.12"), (first, "corporate.pem"), (first, "0123abcd")):
        folder.mkdir(exist_ok=True)
        Authority(tmp_path, name).path.replace(folder / name)
    (first / "00000000.0").write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    (first / "00000000.1").mkdir()
    os.mkfifo(first / "00000000.2")  # nobody would ever write to it
    monkeypatch.setenv("SSL_CERT_DIR", f"{first}{os.pathsep}{second}{os.pathsep}{tmp_path / 'none'}{os.pathsep}")
    assert _trusted() == ["0123abcd.0", "0123abcd.12", "authority"]
    authority.path.unlink()
    assert _trusted() == ["0123abcd.0", "0123abcd.12"]


def test_a_directory_with_another_authority_is_read_anew(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one directory or of several."""
    folder = tmp_path / "authorities"
    folder.mkdir()
    os.utime(folder, (1, 1))
    for directories in (str(folder), f"{tmp_path / 'none'}{os.pathsep}{folder}"):
        monkeypatch.setenv("SSL_CERT_DIR", directories)
        assert _trusted() == ["authority"]
        added = folder / "0123abcd.0"
        Authority(tmp_path, "added").path.replace(added)
        os.utime(folder, (2, 2))  # whatever the resolution of the file system's clock is
        assert _trusted() == ["added", "authority"]
        added.unlink()
        os.utime(folder, (1, 1))
        assert _trusted() == ["authority"]


def test_a_bundle_that_cannot_be_read_hides_no_directory(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is no error of a start: whoever needs it is refused."""
    authority.path.write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    assert _trusted() == []
    Authority(tmp_path, "beside").path.replace(tmp_path / "0123abcd.0")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert _trusted() == ["beside"]


def test_a_context_is_as_strict_as_pythons_own(authority: Authority) -> None:
    """Names and certificates are checked, with the same versions, flags and ciphers."""
    made, own = tls.trusting(), ssl.create_default_context(cafile=authority.path)
    for name in ("verify_mode", "check_hostname", "verify_flags", "options", "minimum_version", "maximum_version"):
        assert getattr(made, name) == getattr(own, name), name
    assert made.get_ciphers() == own.get_ciphers()
    assert made.check_hostname
    assert made.verify_mode is ssl.CERT_REQUIRED


def test_a_queue_believes_the_trusted_authority(server: TlsServer) -> None:
    """The request arrives, with the host that it is for."""
    with pytest.raises(DamagedReply):
        _queue(server.port).attributes()
    (seen,) = server.seen
    assert seen.received.startswith(b"GET /queues/events HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{server.port}\r\n".encode() in seen.received


@pytest.mark.parametrize("which", ["stranger", "misnamed"])
def test_a_queue_sends_nothing_to_anybody_else(which: str, request: pytest.FixtureRequest) -> None:
    """A certificate of another authority, or for another name."""
    other: TlsServer = request.getfixturevalue(which)
    with pytest.raises(Unanswered) as refused:
        _queue(other.port).attributes()
    assert refused.value.code == "tls"
    assert not any(seen.received for seen in other.seen)
