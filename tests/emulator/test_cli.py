"""The emulator as a process: one JSON line, a quick and clean end, TLS, and clear words when it cannot start."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from emulator.client import Emulator
from emulator.process import in_process
from emulator.settings import Endpoints
from tests.certificates import Authority
from tests.emulator.wire import connect, request
from tests.patience import PATIENCE_SECONDS


@contextmanager
def _started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "emulator", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_help_explains_every_option() -> None:
    """A newcomer starts here."""
    shown = subprocess.run([sys.executable, "-m", "emulator", "--help"], capture_output=True, text=True, check=True)
    for option in ("--mns-port", "--oss-port", "--control-port", "--tls-cert", "--seed", "--journal-reads"):
        assert option in shown.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_success_though_requests_are_held(number: signal.Signals) -> None:
    """Open connections and long waits do not keep it alive, and nothing else is printed."""
    with _started("--account-id", "42", "--region", "cn-beijing") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        emulator = Emulator(Endpoints(**json.loads(line)))
        assert (emulator.endpoints.account_id, emulator.endpoints.region) == ("42", "cn-beijing")
        emulator.faults.add("stall", seconds=3600)
        with connect(emulator.mns) as connection:
            connection.sendall(request("/"))
            process.send_signal(number)
            rest, errors = process.communicate(timeout=PATIENCE_SECONDS)
        assert (process.returncode, rest, errors) == (0, "", "")


def test_a_port_in_use_is_reported_in_one_line() -> None:
    """No traceback for an everyday mistake."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with _started("--control-port", port) as process:
            output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert output == ""
    assert "in use" in errors
    assert len(errors.splitlines()) == 1


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    """Half of a TLS setup is refused at once."""
    certificate = tmp_path / "certificate.pem"
    certificate.write_text("x")
    with _started("--tls-cert", str(certificate)) as process:
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 2
    assert "--tls-cert and --tls-key go together" in errors


def test_mns_and_oss_can_be_served_over_tls(tmp_path: Path) -> None:
    """Clients verify the certificate; resets work through it too."""
    authority = Authority(tmp_path)
    both = str(authority.issue("127.0.0.1"))
    with in_process("--tls-cert", both, "--tls-key", both) as emulator:
        assert emulator.mns.startswith("https://")
        assert emulator.endpoints.control.startswith("http://")
        context = authority.trusted()
        port = urlsplit(emulator.oss).port
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
        ):
            secured.sendall(request("/"))
            assert secured.recv(12) == b"HTTP/1.1 403"
        emulator.faults.add("reset_before", service="oss")
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as secured,
        ):
            secured.sendall(request("/"))
            # Python's ssl may report ECONNRESET as an end without the TLS farewell; a quiet close sends that.
            with pytest.raises((ConnectionResetError, ssl.SSLEOFError)):
                secured.recv(1)


def test_it_ends_without_a_word_when_nobody_reads_its_line() -> None:
    """Whoever started it was stopped while it started: it stays behind no longer than that, and prints nothing."""
    with _started() as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, errors) == (1, "")
