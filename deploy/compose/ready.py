"""The emulator container's health check: exit status 0 when it accepts requests."""

from __future__ import annotations

import sys

from deploy.compose.emulated import emulated
from emulator.client import ControlError


def main() -> int:
    """Ask the control port; what is wrong goes to standard output, where the container engine keeps it."""
    try:
        emulated().control.call("GET", "/healthz")
    except (OSError, ControlError) as error:
        sys.stdout.write(f"the emulator does not answer: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
