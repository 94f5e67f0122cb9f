"""A TLS server to which every name leads, and the session that oss2 gets."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from consumer.aliyun import name_lookup
from consumer.aliyun.name_lookup import NameLookup
from consumer.aliyun.oss import tls_sessions
from consumer.aliyun.oss.endpoints import Endpoints
from consumer.aliyun.oss.session import OssSession
from tests.certificates import Authority
from tests.patience import PATIENCE_SECONDS
from tests.tls_server import TlsServer
from tests.unit.tls.clients import Serve


@pytest.fixture(autouse=True)
def _names_lead_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name is one of this machine."""

    def resolve(_host: str, port: int, *_: object) -> list[Any]:
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(name_lookup, "lookup", NameLookup(resolve))


@pytest.fixture(autouse=True)
def _sessions_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a Python that loses a little memory over each of them."""
    monkeypatch.setattr(tls_sessions, "KEEPS_SESSIONS", True)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Whom the clients trust."""
    return Authority(tmp_path)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers and ends them after the test."""
    servers: list[TlsServer] = []

    def start(certificate: Path, configure: Callable[[ssl.SSLContext], None] = lambda _context: None) -> TlsServer:
        servers.append(TlsServer(certificate, configure))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def session(authority: Authority) -> Iterator[Callable[[TlsServer], OssSession]]:
    """The session that oss2 gets, with every region at a server."""
    made: list[OssSession] = []

    def for_server(server: TlsServer) -> OssSession:
        endpoints = Endpoints({"*": f"https://oss.test:{server.port}"})
        made.append(OssSession(endpoints=endpoints, connect_timeout_seconds=PATIENCE_SECONDS, tls=authority.trusted()))
        return made[-1]

    yield for_server
    for each in made:
        each.close()
