"""Finds the emulator of the compose project, with the ports and the key of docker-compose.yml, and waits for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from http.client import HTTPException

from mns.mns_exception import MNSExceptionBase

from emulator.client import ControlError, Emulator
from emulator.settings import Endpoints, Settings

UNAVAILABLE = (OSError, HTTPException, ControlError, MNSExceptionBase)
"""What a request to an emulator ends with that is not there, is just starting, or has forgotten everything."""

_LOOK_SECONDS = 1.0

Pause = Callable[[float], object]
"""Waits so many seconds; true when there is no reason to wait any longer."""


def emulated() -> Emulator:
    """The emulator on the host that EMULATOR_HOST names, with the image's ports and the emulator's default key."""
    host = os.environ.get("EMULATOR_HOST", "127.0.0.1")
    known = Settings()
    return Emulator(
        Endpoints(
            mns=f"http://{host}:8001",
            oss=f"http://{host}:8002",
            control=f"http://{host}:8003",
            account_id=known.account_id,
            region=known.region,
            access_key_id=known.access_key_id,
            access_key_secret=known.access_key_secret,
        )
    )


def persist(emulator: Emulator, act: Callable[[], object], pause: Pause) -> bool:
    """Do something that needs the emulator, as often as it takes; false when `pause` said to give up.

    What is waited for is written once, in one line, and another time when that has come.
    """
    reason = ""
    while True:
        try:
            act()
        except UNAVAILABLE as error:
            if (found := _reason(error)) != reason:
                reason = found
                say(f"waiting for the emulator at {emulator.control.url}: {reason}")
            if pause(_LOOK_SECONDS):
                return False
        else:
            if reason:
                say(f"the emulator at {emulator.control.url} answers")
            return True


def _reason(error: Exception) -> str:
    """The same words for the same reason, without what differs from one request to the next."""
    if isinstance(error, MNSExceptionBase):
        return f"{error.type}: {error.message}"
    return str(error) or type(error).__name__


def say(line: str) -> None:
    """One line of the container's log."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
