"""Shows the configuration in effect, its schema and the example file."""

from __future__ import annotations

import os
import sys
from enum import Enum
from pathlib import Path
from typing import Any

from rich.console import Console

import consumer
from consumer.config import EffectiveValue, SourceKind, json_schema, load_with_sources
from consumer.config.credentials_refused import names_credential, shown
from consumer.core.errors import ConfigurationError
from consumer.core.exit_codes import CommandExit
from consumer.operator import output

MASKED = "(not shown)"
_EXAMPLE = "config.example.toml"


def show(path: Path, form: str, *, changed: bool) -> CommandExit:
    """Show every effective value with its source."""
    loaded = load_with_sources(path, os.environ)
    kept = [each for each in loaded.settings if not changed or each.source is not SourceKind.DEFAULT]
    rows = [(each.key, _text(each), each.source.value, each.name) for each in kept]

    def draw(console: Console) -> None:
        console.print(output.table(("key", "value", "from", "where"), rows))

    output.show(form, [_document(each) for each in kept], draw)
    return CommandExit.DONE


def schema() -> CommandExit:
    """Print the JSON Schema."""
    output.write_json(json_schema())
    return CommandExit.DONE


def example() -> CommandExit:
    """Print the example file.

    Raises:
        ConfigurationError: this installation lacks it.
    """
    package = Path(consumer.__file__).parent
    # A wheel and the image have it inside the package, a checkout beside it.
    found = [folder / _EXAMPLE for folder in (package, package.parent) if (folder / _EXAMPLE).is_file()]
    if not found:
        raise ConfigurationError(f"{package / _EXAMPLE} is missing; install the worker again")
    sys.stdout.write(found[0].read_text(encoding="utf-8"))
    return CommandExit.DONE


def _text(setting: EffectiveValue) -> str:
    if names_credential(setting.key):
        return MASKED
    if setting.value is None:
        return "not set"
    return shown(_plain(setting.value))


def _document(setting: EffectiveValue) -> dict[str, Any]:
    value = _plain(setting.value)
    # What `shown` will not repeat is not repeated for scripts either.
    secret = names_credential(setting.key) or "looks like a secret" in shown(value)
    return {
        "key": setting.key,
        "value": MASKED if secret else value,
        "source": setting.source.value,
        "name": setting.name,
    }


def _plain(value: object) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | frozenset | set | list):
        return [_plain(entry) for entry in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
