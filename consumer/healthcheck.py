"""Checks whether the worker in the same container lives: `python -m consumer.healthcheck [CONFIG]`, exits 0 or 1.

For container engines without HTTP probes of their own. It uses the standard library alone, so that a check every few
seconds costs next to nothing, and it reads the configuration only for the port.
"""

from __future__ import annotations

import http.client
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PATH = "/livez"
_DEFAULT_PORT = 9108
_TIMEOUT_SECONDS = 4.0
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not listened on
"""Where to connect when the worker listens on every address."""


def address(configuration: Path | None, environ: Mapping[str, str]) -> tuple[str, int]:
    """Host and port of the worker's HTTP server; a file that cannot be read leaves the defaults.

    Raises:
        ValueError: the port is no number.
    """
    table = _http_table(configuration)
    host = environ.get("REMEDIATOR__HTTP__HOST") or str(table.get("host", ""))
    port = environ.get("REMEDIATOR__HTTP__PORT") or table.get("port", _DEFAULT_PORT)
    return _EVERYWHERE.get(host, host), int(port)


def _http_table(configuration: Path | None) -> Mapping[str, Any]:
    try:
        document = tomllib.loads(configuration.read_text(encoding="utf-8")) if configuration else {}
    except (OSError, ValueError, RecursionError):
        return {}  # the worker itself says what is wrong with its file
    table = document.get("http", {})
    return table if isinstance(table, Mapping) else {}


def alive(host: str, port: int, timeout_seconds: float = _TIMEOUT_SECONDS) -> str:
    """Nothing when the worker says that it lives, else what it or the network says."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_seconds)
    try:
        connection.request("GET", _PATH)
        answer = connection.getresponse()
        text = answer.read(500).decode("utf-8", "replace").strip()
        return "" if answer.status == http.client.OK else f"{answer.status}: {text}"
    except (OSError, http.client.HTTPException) as error:
        return f"{host}:{port} does not answer: {error}"
    finally:
        connection.close()


def main() -> int:
    """The exit status; what is wrong goes to standard output, where the container engine keeps it."""
    configuration = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    try:
        problem = alive(*address(configuration, os.environ))
    except ValueError as error:
        problem = f"REMEDIATOR__HTTP__PORT or http.port: {error}"
    if problem:
        sys.stdout.write(f"{problem}\n")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
