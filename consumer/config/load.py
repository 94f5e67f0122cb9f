"""Reads the configuration: a TOML file, the environment over it, validated whole, all problems listed at once."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ValidationError

from consumer.config.credentials_refused import REFUSED, without_credentials
from consumer.config.cross_checks import Problem
from consumer.config.environment import overlaid
from consumer.config.introspection import Location, dotted
from consumer.config.model import Config
from consumer.config.problems import InvalidConfiguration, problems_in
from consumer.core import files
from consumer.core.errors import ConfigurationError

LARGEST_FILE_BYTES = 1 << 20
"""As much as a ConfigMap holds."""
_DEEPEST = 12
"""Levels of tables and lists; the model has six."""
_TOO_DEEP = f"tables or lists are nested deeper than {_DEEPEST} levels"

_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


class SourceKind(StrEnum):
    """Where a value can come from."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """One effective value and where it came from."""

    key: str
    """As in TOML: `rules[0].name`."""
    value: object
    """Text, number, truth value, or a tuple of text; None where nothing was given and nothing is assumed."""
    source: SourceKind
    name: str
    """The file or the variable; empty for a default."""


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration together with the origin of everything in it."""

    config: Config
    settings: tuple[EffectiveValue, ...]


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """The configuration in a file, with the environment's overrides.

    Raises:
        ConfigurationError: it cannot be used; the text names the file and has one line for every problem.
    """
    return load_with_sources(path, environ).config


def load_with_sources(path: Path, environ: Mapping[str, str]) -> LoadedConfig:
    """As `load`, with the origin of each value.

    Raises:
        ConfigurationError: as `load`.
    """
    secret: list[Location] = []
    written = without_credentials(_parsed(path), secret)
    result = overlaid(written, environ)
    problems = [Problem(dotted(location), REFUSED) for location in secret] + result.problems
    # So that a missing table is reported as the keys that are missing in it.
    document = {"queue": {}, **result.document}
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        found = problems + problems_in(error, document, result.variables)
        raise InvalidConfiguration(path, found, result.variables) from None
    if problems:
        raise InvalidConfiguration(path, problems, result.variables)
    return LoadedConfig(config, tuple(_settings(config, written, result.variables, path)))


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with _opened(path) as file:
            data = file.read(LARGEST_FILE_BYTES + 1)
        if len(data) > LARGEST_FILE_BYTES:
            raise ConfigurationError(
                f"{path}: larger than {LARGEST_FILE_BYTES} bytes, so this is no configuration",
                "name the right file with --config",
            )
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot read the configuration: {error.strerror}",
            "name a file that can be read with --config or REMEDIATOR_CONFIG",
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path}: not TOML: byte {error.start} is not UTF-8", f"save {path} as UTF-8"
        ) from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _place(str(error), text)
        line = place.partition(",")[0]
        raise ConfigurationError(f"{path}, {place}", f"correct {line} of {path}") from None
    except ValueError as error:  # a number of thousands of digits
        raise ConfigurationError(f"{path}: not TOML that can be read: {error}") from None
    except RecursionError:
        raise ConfigurationError(f"{path}: {_TOO_DEEP}") from None
    if not _is_flat(document):
        raise ConfigurationError(f"{path}: {_TOO_DEEP}")
    return document


def _opened(path: Path) -> BinaryIO:
    """The file; a pipe is taken as well, as the shell's `<(…)` is one, if somebody writes to it.

    Raises:
        OSError: it cannot be read, or is a device or a folder.
    """
    found = path.stat().st_mode
    if not stat.S_ISFIFO(found):
        return files.opened(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "rb")


def _is_flat(document: object) -> bool:
    """Whether nothing is nested deeper than a configuration ever is: what walks over it has to come to an end."""
    level = [document]
    for _ in range(_DEEPEST):
        level = [
            inner
            for found in level
            if isinstance(found, dict | list)
            for inner in (found.values() if isinstance(found, dict) else found)
        ]
        if not level:
            return True
    return False


def _place(message: str, text: str) -> str:
    """The parser's message with line and column first, the end of the file included."""
    found = _PLACE.search(message)
    lines = text.split("\n")
    line, column = len(lines), len(lines[-1]) + 1
    if found and found["line"]:
        line, column = int(found["line"]), int(found["column"])
    return f"line {line}, column {column}: not TOML: {_PLACE.sub('', message)}"


def _settings(
    config: Config, written: Mapping[str, Any], variables: Mapping[str, str], path: Path
) -> Iterator[EffectiveValue]:
    for location, value in _leaves(config):
        key = dotted(location)
        if key in variables:
            yield EffectiveValue(key, value, SourceKind.ENVIRONMENT, variables[key])
        elif _stands_in(written, location):
            yield EffectiveValue(key, value, SourceKind.FILE, str(path))
        else:
            yield EffectiveValue(key, value, SourceKind.DEFAULT, "")


def _leaves(value: Any, location: Location = ()) -> Iterator[tuple[Location, Any]]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _leaves(getattr(value, name), (*location, name))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, (*location, name))
    elif isinstance(value, tuple) and any(isinstance(entry, BaseModel) for entry in value):
        for index, entry in enumerate(value):
            yield from _leaves(entry, (*location, index))
    else:
        yield location, value


def _stands_in(document: Any, location: Location) -> bool:
    found = document
    for part in location:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True
