"""Keeps secrets out of the configuration, and out of messages about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from consumer.config.introspection import Location

REFUSED = (
    "credentials never stand in the configuration, and the value is not shown: they come from the environment"
    " (ALIBABA_CLOUD_ACCESS_KEY_ID and _SECRET), RRSA or the ECS RAM role"
)

_NAMES = re.compile(r"(access|private|api)[_-]?key|secret|token|passw(or)?d|passphrase|credential", re.IGNORECASE)
_CREDENTIALS = (
    r"LTAI[A-Za-z0-9]{8}"  # an access key id
    r"|STS\.[A-Za-z0-9]{8}"  # its temporary kind
    r"|://[^/?#\s]*@"  # a password in a URL
    rf"|[?#&;][^=&;#\s]*(?i:{_NAMES.pattern}|signature)[^=&;#\s]*="  # a token, or a signature, in its query
    r"|-----BEGIN"
)
_CERTAIN = re.compile(_CREDENTIALS)
_VALUES = re.compile(
    _CREDENTIALS
    + r"|(?<![A-Za-z0-9])(?=[A-Za-z0-9+/]*[a-z])(?=[A-Za-z0-9+/]*[A-Z])(?=[A-Za-z0-9+/]*[0-9])[A-Za-z0-9+/]{30}"
)
_LONGEST_SHOWN = 80


def names_credential(key: str) -> bool:
    """Whether a key or a variable is named like one that holds a credential."""
    return bool(_NAMES.search(key))


def carries_credential(text: str) -> bool:
    """Whether a text that is shown or published, such as a link, has a credential in it for certain."""
    return bool(_CERTAIN.search(text))


def without_credentials(table: Mapping[str, Any], found: list[Location], path: Location = ()) -> dict[str, Any]:
    """The table without any key that is named like a credential, at any depth; where they stood goes into `found`."""
    kept: dict[str, Any] = {}
    for key, value in table.items():
        if names_credential(key):
            found.append((*path, key))
        else:
            kept[key] = _cleaned(value, found, (*path, key))
    return kept


def _cleaned(value: Any, found: list[Location], path: Location) -> Any:
    if isinstance(value, Mapping):
        return without_credentials(value, found, path)
    if isinstance(value, list):
        return [_cleaned(entry, found, (*path, index)) for index, entry in enumerate(value)]
    return value


def shown(value: Any) -> str:
    """A value as an error may show it: as TOML writes it, cut, and never one that looks like a secret."""
    if isinstance(value, Mapping):
        return "a table"
    if any(_VALUES.search(text) for text in _texts(value)):
        return "a value that is not shown because it looks like a secret"
    if isinstance(value, str | bool | list | tuple):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _texts(entry)
