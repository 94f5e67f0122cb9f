"""Overrides from environment variables: `REMEDIATOR__QUEUE__NAME` sets `queue.name`, two underscores between levels.

Only single values can be set this way; lists, rules and exemptions stand in the file. Every other variable is left
alone, those that begin with `REMEDIATOR_` and one underscore included: Kubernetes injects such for a service of that
name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from consumer.config.credentials_refused import REFUSED, names_credential
from consumer.config.cross_checks import Problem
from consumer.config.introspection import Key, ValueType, dotted, keys
from consumer.config.model import Config

PREFIX = "REMEDIATOR__"
_BY_REGION = (("oss", "endpoints"), ("ecs", "endpoints"))
"""Tables whose keys are regions."""
_EVERY_REGION = "ANY"
"""Stands for `*`, which a shell does not take in a variable's name."""


@dataclass(slots=True)
class Overlaid:
    """A document with the environment's values in it."""

    document: dict[str, Any]
    variables: dict[str, str] = field(default_factory=dict)
    """The variable each key was taken from."""
    problems: list[Problem] = field(default_factory=list)


def variable(key: Key) -> str:
    """The variable that overrides a key, or an empty string if none can."""
    if any(part.endswith("[]") for part in key.path):
        return ""
    name = PREFIX + "__".join(key.path).upper()
    if key.path in _BY_REGION:
        return f"{name}__<REGION>"
    return name if key.kind.scalar else ""


def overlaid(document: Mapping[str, Any], environ: Mapping[str, str]) -> Overlaid:
    """The document with every override applied; variables that name no key become problems."""
    known = {variable(key): key for key in keys(Config) if variable(key)}
    result = Overlaid(dict(document))
    for name in sorted(environ):
        if name.startswith(PREFIX):
            _apply(result, known, name, environ[name])
    return result


def _apply(result: Overlaid, known: Mapping[str, Key], name: str, text: str) -> None:
    if names_credential(name):
        result.problems.append(Problem(name, REFUSED))
    elif path := _by_region(name):
        _set(result, path, text, name)
    elif name in known and not name.endswith(">"):
        _set(result, known[name].path, _value(known[name].kind, text), name)
    else:
        result.problems.append(Problem(name, _unknown(name, known)))


def _by_region(name: str) -> tuple[str, ...]:
    """The key of a table by region that a variable names; empty for any other variable."""
    for table in _BY_REGION:
        region = name.removeprefix(f"{PREFIX}{'__'.join(table).upper()}__")
        if region and region != name:
            return (*table, _region(region))
    return ()


def _region(text: str) -> str:
    return "*" if text == _EVERY_REGION else text.lower().replace("_", "-")


def _set(result: Overlaid, path: tuple[str, ...], value: Any, name: str) -> None:
    table = result.document
    for part in path[:-1]:
        inner = table.get(part, {})
        if not isinstance(inner, Mapping):
            return  # the file has something else where the table belongs, and validation says so
        table[part] = dict(inner)  # a copy: the document that was given stays as it is
        table = table[part]
    table[path[-1]] = value
    result.variables[dotted(path)] = name


def _value(kind: ValueType, text: str) -> Any:
    """The text as the value it stands for; what does not fit stays text, and validation says what is allowed."""
    if kind.type is bool:
        return {"true": True, "false": False}.get(text, text)
    if kind.type in (int, float):
        for number in (int, float):
            try:
                return number(text)
            except ValueError:
                continue
    return text


def _unknown(name: str, known: Mapping[str, Key]) -> str:
    for table in ("RULES", "EXEMPTIONS"):
        if name.startswith(PREFIX + table):
            return f"{table.lower()} cannot be set from the environment; write them in the file"
    if close := get_close_matches(name.upper(), known, n=1):
        return f"unknown variable; did you mean {close[0]}?"
    return f"unknown variable; known are {', '.join(known)}"
