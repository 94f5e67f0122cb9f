"""Commands that a person is told to type, whole: with the options without which they would be refused."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

_VARIABLE = "REMEDIATOR_CONFIG"


def command(*words: str, config: Path) -> str:
    """The command line for a shell, with `--config` unless the environment names the same file."""
    named = os.environ.get(_VARIABLE)
    option = () if named and Path(named) == config else ("--config", str(config))
    return shlex.join(("config-remediator", *words, *option))


def writable(journal: str) -> bool:
    """Whether lines can be appended to the configured journal from here; an empty name is none."""
    path = Path(journal)
    return bool(journal) and os.access(path if path.exists() else path.parent, os.W_OK)
