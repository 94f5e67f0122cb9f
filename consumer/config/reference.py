"""Writes the reference of the configuration from the models: tables for people, comments for the example file.

`python -m consumer.config.reference docs/configuration.md` rewrites the tables of that page, which a test compares.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import Enum
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from consumer.config.environment import variable
from consumer.config.introspection import Key, allowed, keys
from consumer.config.model import Config
from consumer.remediations.catalogue import catalogue

START = "<!-- reference: generated, see consumer/config/reference.py -->"
END = "<!-- end of the reference -->"


def toml(value: Any) -> str:
    """A default as TOML writes it."""
    if isinstance(value, Enum):
        return json.dumps(value.value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(sorted(value) if isinstance(value, frozenset) else value, ensure_ascii=False)


def default(key: Key) -> str:
    """What holds when the key is not given, in words."""
    if key.field.is_required():
        return "required"
    value = key.field.get_default(call_default_factory=True)
    return "not set" if value is None else toml(value)


def comment(key: Key) -> str:
    """What the example says above a key, in one paragraph."""
    state = "Required" if key.field.is_required() else f"Default: {default(key)}"
    meaning = (key.field.description or "").rstrip(".")
    return f"{meaning}. Takes {allowed(key.kind, key.name)}. {state}."


def reference() -> str:
    """The tables of every section and of every remediation's options, as Markdown."""
    parts = [
        _table(_heading(path), list(group)) for path, group in groupby(keys(Config), key=lambda key: key.path[:-1])
    ]
    parts += [_options(name, kind.Options) for name, kind in sorted(catalogue().items())]
    return "\n\n".join(parts)


def rewritten(page: str) -> str:
    """The page with its tables made anew.

    Raises:
        ValueError: the marks between which the tables stand are missing.
    """
    before, _, rest = page.partition(START)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"the page has no {START} … {END}")
    return f"{before}{START}\n\n{reference()}\n\n{END}{after}"


def _heading(path: Sequence[str]) -> str:
    if not path:
        return "### Top level"
    table = ".".join(part.removesuffix("[]") for part in path)
    return f"### `[[{table}]]`" if path[-1].endswith("[]") else f"### `[{table}]`"


def _options(name: str, options: type[BaseModel]) -> str:
    return _table(f"### `rules.options` of `{name}`", list(keys(options)), overridable=False)


def _table(heading: str, rows: Sequence[Key], *, overridable: bool = True) -> str:
    lines = [heading, "", "| key | takes | default | meaning |", "|---|---|---|---|"]
    for key in rows:
        name = f"`{key.path[-1] if overridable else key.name}`"
        if overridable and (override := variable(key)):
            name += f"<br>`{override}`"
        what = (allowed(key.kind, key.name), f"`{default(key)}`", key.field.description or "")
        lines.append(" | ".join([f"| {name}", *(cell.replace("|", r"\|") for cell in what)]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(rewritten(target.read_text(encoding="utf-8")), encoding="utf-8")
