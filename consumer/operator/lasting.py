"""What makes an undo last: an exemption in the configuration, or a pause. Written before the resource is touched.

Without either, a rule that enforces makes its change again at the next event.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from consumer.config import load
from consumer.core.errors import ConfigurationError
from consumer.guards.exemptions import exemption_toml


@dataclass(frozen=True, slots=True)
class WantedExemption:
    """Who wants a resource left as it is, why and until when."""

    owner: str
    reason: str
    until: date


@dataclass(frozen=True, slots=True)
class Lasting:
    """What a person wants done so that an undo lasts; nothing, by default."""

    exemption: WantedExemption | None = None
    pause: bool = False


def exemption_text(change: str, rule: str, account: str, resource: str, wanted: WantedExemption) -> str:
    """The `[[exemptions]]` entry, in TOML, that leaves one resource to its owner as far as one rule goes."""
    return exemption_toml(f"undo-{change}", wanted.owner, wanted.reason, wanted.until, account, resource, rule)


def write_exemption(path: Path, text: str, environ: Mapping[str, str]) -> None:
    """Add an entry at the end of a configuration file; what comes out is read as a whole before it takes its place.

    Raises:
        ConfigurationError: the file cannot be written, or would not be a configuration any more; nothing was changed.
    """
    if path.is_symlink():
        raise ConfigurationError(f"{path} is a link, as a mounted ConfigMap is; add this where it comes from:\n{text}")
    try:
        before = path.read_bytes()
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            new = Path(file.name)
            file.write(before.rstrip(b"\n") + b"\n\n" + text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be changed: {error.strerror}; add this to it:\n{text}") from None
    try:
        _still_loads(new, path, environ, text)
        new.chmod(path.stat().st_mode & 0o777)
        new.replace(path)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be changed: {error.strerror}; add this to it:\n{text}") from None
    finally:
        with suppress(FileNotFoundError):
            new.unlink()


def _still_loads(new: Path, path: Path, environ: Mapping[str, str], text: str) -> None:
    try:
        load(new, environ)
    except ConfigurationError as error:
        why = str(error).replace(str(new), str(path))
        raise ConfigurationError(
            f"with the exemption at its end, {why}; it was left as it is. Add this:\n{text}"
        ) from None


def write_pause(file: str, why: str) -> None:
    """Pause every change of every worker that looks at this file, within its next look.

    Raises:
        ConfigurationError: no such file is configured, or it cannot be written.
    """
    if not file:
        raise ConfigurationError("pause.file: no such file is configured, so changes cannot be paused from here")
    try:
        Path(file).write_text(f"{why}\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"pause.file: {file} cannot be written: {error.strerror}") from None
