"""Where what catch-up has sent is remembered, so that what was sent in the last minutes is not sent again.

The file that is named, or else the store that replicas share, or else a file of the person who runs it. A job whose
disk goes with it, and that has neither of the first two, has none: there the schedule keeps its runs apart.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from pathlib import Path

from consumer.app.build import build_store
from consumer.config import Config
from consumer.operator.catch_up.sent import Sent
from consumer.operator.catch_up.shared_sent import SharedSent

_FOLDER = "config-remediator"


def memory(config: Config, named: Path | None, environment: Mapping[str, str], *, writable: bool) -> Sent | SharedSent:
    """What remembers; `named` is the file on the command line.

    Raises:
        ConfigurationError: a file cannot be read or written, is something else, or another run is using it.
    """
    keep_seconds = config.catch_up.resend_after_seconds
    forget_before_ms = int((time.time() - keep_seconds) * 1000)
    configured = named or (Path(config.catch_up.state) if config.catch_up.state else None)
    if configured:
        key = "--state" if named else "catch_up.state"
        return Sent(configured, key=key, forget_before_ms=forget_before_ms, writable=writable)
    if store := build_store(config, lambda *_, **__: None):
        return SharedSent(store, keep_seconds=keep_seconds)
    own = _own_file(config, environment, writable=writable)
    return Sent(own, key="the memory of catch-up", forget_before_ms=forget_before_ms, writable=writable)


def _own_file(config: Config, environment: Mapping[str, str], *, writable: bool) -> Path | None:
    """A file for this queue where programs keep what should outlive them; None where that cannot be, as in a container.

    https://specifications.freedesktop.org/basedir-spec/latest/ says where.
    """
    folder = _state_folder(environment)
    if folder is None:
        return None
    if writable:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.joinpath(_name(config)).touch(mode=0o600)
        except OSError:
            return None
    return folder / _name(config)


def _state_folder(environment: Mapping[str, str]) -> Path | None:
    chosen = Path(environment.get("XDG_STATE_HOME", ""))
    if chosen.is_absolute():
        return chosen / _FOLDER
    home = Path(environment.get("HOME", ""))
    return home / ".local" / "state" / _FOLDER if home.is_absolute() and home.is_dir() else None


def _name(config: Config) -> str:
    """One for each queue: what was sent to a queue says nothing of another one that is called the same elsewhere."""
    queue = config.queue
    where = "\n".join((queue.endpoint, queue.region, config.account_id, queue.name))
    return f"catch-up-{re.sub('[^0-9A-Za-z-]', '-', queue.name)}-{hashlib.sha256(where.encode()).hexdigest()[:8]}"
