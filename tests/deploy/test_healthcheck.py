"""The container's health check asks the worker that runs beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from consumer import healthcheck
from consumer.telemetry.http_server import HealthServer
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port


@contextmanager
def _serving(problem: str) -> Iterator[int]:
    server = HealthServer("127.0.0.1", 0, CollectorRegistry(), live=lambda: problem, ready=lambda: "not yet")
    server.start()
    try:
        yield server.port
    finally:
        server.close()


def test_a_live_worker_is_healthy_before_it_is_ready() -> None:
    """Restarting a worker that waits for its first poll would not help it."""
    with _serving("") as port:
        assert healthcheck.alive("127.0.0.1", port, timeout_seconds=PATIENCE_SECONDS) == ""


def test_a_fault_is_reported() -> None:
    """What the worker says is what the container engine keeps."""
    with _serving("thread worker-3 fell silent") as port:
        assert "thread worker-3 fell silent" in healthcheck.alive("127.0.0.1", port, timeout_seconds=PATIENCE_SECONDS)


def test_no_worker_is_unhealthy() -> None:
    """Nobody listens there."""
    assert "does not answer" in healthcheck.alive("127.0.0.1", free_port(), timeout_seconds=1)


@pytest.mark.parametrize(
    ("text", "environ", "expected"),
    [
        ("", {}, ("127.0.0.1", 9108)),
        ('[http]\nhost = "0.0.0.0"\nport = 9200', {}, ("127.0.0.1", 9200)),
        ('[http]\nhost = "::"', {}, ("::1", 9108)),
        ('[http]\nhost = "192.0.2.7"', {}, ("192.0.2.7", 9108)),
        (
            "[http]\nport = 9200",
            {"REMEDIATOR__HTTP__HOST": "::", "REMEDIATOR__HTTP__PORT": "9300"},
            ("::1", 9300),
        ),
        ("http = 7", {}, ("127.0.0.1", 9108)),
        ("not TOML", {}, ("127.0.0.1", 9108)),
    ],
)
def test_it_asks_where_the_worker_listens(
    tmp_path: Path, text: str, environ: dict[str, str], expected: tuple[str, int]
) -> None:
    """Environment over file over default, and loopback for every address."""
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    assert healthcheck.address(path, environ) == expected


def test_a_missing_file_leaves_the_defaults(tmp_path: Path) -> None:
    """The worker itself says what is wrong with its configuration."""
    assert healthcheck.address(tmp_path / "missing.toml", {}) == ("127.0.0.1", 9108)


def test_the_exit_status_says_it_all(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """0 is healthy, 1 is not, and why is on standard output."""
    monkeypatch.setattr("sys.argv", ["healthcheck"])
    monkeypatch.setenv("REMEDIATOR__HTTP__PORT", "nonsense")
    assert healthcheck.main() == 1
    assert "REMEDIATOR__HTTP__PORT" in capsys.readouterr().out
    with _serving("") as port:
        monkeypatch.setenv("REMEDIATOR__HTTP__PORT", str(port))
        assert healthcheck.main() == 0
    assert capsys.readouterr().out == ""
