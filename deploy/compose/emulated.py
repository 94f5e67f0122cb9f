"""Finds the emulator of the compose project, whose ports and key are the ones of docker-compose.yml."""

from __future__ import annotations

import os

from emulator.client import Emulator
from emulator.settings import Endpoints, Settings


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
