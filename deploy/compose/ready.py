"""The emulator container's health check: exit status 0 when it accepts requests.

It imports next to nothing, since it is started every few seconds.
"""

from __future__ import annotations

import http.client
import os
import sys

CONTROL_PORT = 8003
_TIMEOUT_SECONDS = 4.0


def ready(host: str, port: int) -> str:
    """Nothing when the control port answers, else what is wrong."""
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
        return "" if status == http.client.OK else f"the emulator answers {status}"
    except (OSError, http.client.HTTPException) as error:
        return f"the emulator does not answer: {error}"
    finally:
        connection.close()


def main() -> int:
    """Ask; what is wrong goes to standard output, where the container engine keeps it."""
    problem = ready(os.environ.get("EMULATOR_HOST", "127.0.0.1"), CONTROL_PORT)
    if problem:
        sys.stdout.write(f"{problem}\n")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
