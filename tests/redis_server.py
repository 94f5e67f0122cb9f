"""A real Redis for tests: Debian's, on loopback, with nothing kept unless a test wants that."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port


class RedisServer:
    """One Redis that can be killed, started again, stopped and continued."""

    def __init__(self, program: str, folder: Path, *, keep: bool, password: str) -> None:
        self.port = free_port()
        kept = ["--appendonly", "yes", "--appendfsync", "always"] if keep else ["--appendonly", "no"]
        self._command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", *kept]
        self._command += ["--dir", str(folder), *(["--requirepass", password] if password else [])]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def section(self) -> str:
        """The configuration of who shares it, with a patience that says nothing about how fast it has to answer."""
        return f'[shared]\nurl = "{self.url}"\ntimeout_seconds = 10\n'

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert time.monotonic() < end, "redis-server does not answer"
            assert self._process.poll() is None, "redis-server has ended"
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def command(self, *words: str) -> None:
        """Carry out one command that answers OK."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS) as connection:
            connection.sendall((" ".join(words) + "\r\n").encode())
            answer = connection.recv(64)
        assert answer.startswith(b"+OK"), answer

    def is_new(self, prefix: str = "config-remediator") -> None:
        """Say, as a person may, that nothing was changed before there was this store: nobody has to wait."""
        self.command("SET", f"{{{prefix}}}:new", "1")

    def signal(self, number: int) -> None:
        """Stop or continue it."""
        assert self._process is not None
        os.kill(self._process.pid, number)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False


@contextmanager
def redis_server(folder: Path, *, keep: bool = False, password: str = "") -> Iterator[RedisServer]:
    """A running Redis for the block; skips where none is installed, except in CI."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is needed: apt-get install redis-server")
        pytest.skip("needs redis-server: apt-get install redis-server")
    server = RedisServer(program, folder, keep=keep, password=password)
    server.start()
    try:
        yield server
    finally:
        server.kill()
