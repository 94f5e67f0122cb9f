"""One run of `config-remediator catch-up`, exactly as a job would make it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from emulator.client import Identity


def catch_up(configuration: Path, key: Identity) -> frozenset[str]:
    """Send what no event came for; returns the resources for which an event was sent.

    Raises:
        RuntimeError: the run failed.
    """
    state = configuration.with_name("caught-up")  # and no file of the person who runs the demonstration
    done = subprocess.run(  # noqa: S603 - ourselves
        [
            *(sys.executable, "-m", "consumer", "catch-up", "--config", str(configuration)),
            *("--apply", "--state", str(state), "--output", "json"),
        ],
        env={
            **os.environ,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": key.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": key.access_key_secret,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"catch-up ended with exit status {done.returncode}:\n{done.stderr}{done.stdout}")
    return frozenset(each["resource"] for each in json.loads(done.stdout)["resources"] if each["sent_as"])
