"""Commands that are printed for a person to type, whole: with the options without which they would be refused."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

_VARIABLE = "REMEDIATOR_CONFIG"


def command(*words: str, config: Path | None) -> str:
    """The command line for a shell, with `--config` unless the environment names the same file; None for no file."""
    named = os.environ.get(_VARIABLE)
    option = () if config is None or (named and Path(named) == config) else ("--config", str(config))
    return shlex.join(("config-remediator", *words, *option))


def option(name: str, value: Path | None) -> tuple[str, ...]:
    """An option and its value as words, or none where it was not given."""
    return () if value is None else (name, str(value))


def listed(*commands: tuple[str, str]) -> str:
    """Commands and what each is for, below each other."""
    width = max(len(each) for each, _ in commands)
    return "\n".join(f"  {each:{width}}   {why}" for each, why in commands)


def writable(journal: str) -> bool:
    """Whether lines can be appended to the configured journal from here; an empty name is none."""
    path = Path(journal)
    return bool(journal) and os.access(path if path.exists() else path.parent, os.W_OK)
