"""Turns what validation found into one line per problem: the key as in TOML, what is allowed, what was given.

Nothing is raised here and nothing decided; a value that looks like a secret is never repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from consumer.config.credentials_refused import shown
from consumer.config.cross_checks import Problem, contradictions
from consumer.config.environment import PREFIX
from consumer.config.introspection import Location, ValueType, allowed, dotted, keys, kind_of, with_defaults
from consumer.config.model import Config
from consumer.config.sections.rules import remediation_type
from consumer.core.errors import ConfigurationError
from consumer.core.printable import counted

_KEY = "[key]"
"""How pydantic marks an error about a table's key rather than its value."""


class InvalidConfiguration(ConfigurationError):
    """The configuration has problems, all of them listed in the text, one a line."""

    def __init__(self, path: Path, problems: Sequence[Problem], variables: Mapping[str, str]) -> None:
        """`variables` names the environment variable of each key that came from one."""
        count = counted(len(problems), "problem")
        super().__init__("\n".join([f"{path}: {count} in the configuration", *(f"  {found}" for found in problems)]))
        self.problems = tuple(problems)
        self._path = path
        self._variables = variables

    def remedy_for(self, problem: Problem) -> str:
        """Where the value stands that is to be changed."""
        variable = problem.key if problem.key.startswith(PREFIX) else self._variables.get(problem.key, "")
        return f"change the environment variable {variable}" if variable else f"change {problem.key} in {self._path}"


@dataclass(frozen=True, slots=True)
class _KeyedProblem:
    """A problem, and the key that it makes unfit for further checks."""

    problem: Problem
    spoils: str


def problems_in(error: ValidationError, document: Mapping[str, Any], variables: Mapping[str, str]) -> list[Problem]:
    """Everything wrong with a document that failed validation, checks across keys included.

    `variables` names the environment variable of each key that came from one.
    """
    listed = [found for detail in error.errors(include_url=False) if (found := _keyed(detail, document, variables))]
    spoiled = {found.spoils for found in listed} | {found.problem.key for found in listed}

    def wrong(key: str) -> bool:
        parts = key.split(".")
        return any(".".join(parts[: end + 1]) in spoiled for end in range(len(parts)))

    return [found.problem for found in listed] + contradictions(with_defaults(Config, document), wrong)


def _keyed(detail: ErrorDetails, document: Mapping[str, Any], variables: Mapping[str, str]) -> _KeyedProblem | None:
    location, sort, given = detail["loc"], detail["type"], detail["input"]
    if not location or (sort == "too_short" and given):
        return None  # a check across keys, reported below; or a list whose entries are reported one by one
    if location[-1] == _KEY:
        kind = _kind((*location[:-2], _KEY), document)
        return _KeyedProblem(Problem(dotted(location[:-1]), f"the key must be {allowed(kind)}"), "")
    key = dotted(location)
    if sort == "extra_forbidden":
        return _unknown(location, given, document, variables)
    kind = _kind(location, document)
    if sort in ("missing", "too_short"):
        what = "at least one [[rules]] table is needed" if location == ("rules",) else f"must be {allowed(kind, key)}"
        return _KeyedProblem(Problem(key, f"missing; {what}"), key)
    own = detail.get("ctx", {}).get("error")
    # A validator may know better than the models what is allowed now.
    what = str(own) if own and str(own).startswith("must ") else f"must be {allowed(kind, key)}"
    listed = location[:-1] if isinstance(location[-1], int) else location
    return _KeyedProblem(
        Problem(key, f"{what}, given {_given(key, given, variables)}"), dotted(listed) if len(listed) > 1 else key
    )


def _unknown(
    location: Location, given: Any, document: Mapping[str, Any], variables: Mapping[str, str]
) -> _KeyedProblem:
    key, parent = dotted(location), location[:-1]
    siblings = list(_table(parent, document))
    nearest = _nearest(str(location[-1]), parent, siblings)
    hint = f"did you mean {nearest}?" if nearest else f"known here: {', '.join(siblings) or 'nothing'}"
    return _KeyedProblem(Problem(key, f"unknown key, given {_given(key, given, variables)}; {hint}"), nearest)


def _nearest(name: str, parent: Location, siblings: Sequence[str]) -> str:
    """The key most likely meant: the closest one of the same table, else one of the same name elsewhere."""
    if close := get_close_matches(name.lower(), siblings, n=1):
        return dotted((*parent, close[0]))
    elsewhere = (key.name for key in keys(Config) if key.path[-1] == name.lower() and "[]" not in key.name)
    return next(elsewhere, "")


def _given(key: str, value: Any, variables: Mapping[str, str]) -> str:
    return f"{shown(value)} by {variables[key]}" if key in variables else shown(value)


def _table(location: Location, document: Mapping[str, Any]) -> Sequence[str]:
    table = _kind(location, document).table
    return list(table.model_fields) if table else ()


def _kind(location: Location, document: Mapping[str, Any]) -> ValueType:
    """The kind of what stands at a location; an unknown place has the kind of anything."""
    kind = ValueType(Config)
    for depth, part in enumerate(location):
        kind = _below(kind, part)
        if kind.table is None and part == "options" and depth and isinstance(location[depth - 1], int):
            kind = _options(document, location[:depth])
    return kind


def _below(kind: ValueType, part: int | str) -> ValueType:
    if kind.table:
        field = kind.table.model_fields.get(str(part))
        return kind_of(field) if field else ValueType(Any)
    arguments = get_args(kind.type)
    if get_origin(kind.type) is dict and len(arguments) == 2:
        return ValueType.of(arguments[0] if part == _KEY else arguments[1])
    return kind.item if arguments else ValueType(Any)


def _options(document: Mapping[str, Any], rule: Location) -> ValueType:
    found: Any = document
    for part in rule:
        found = found[part]
    named = remediation_type(found.get("remediation"))
    return ValueType(named.Options if named else Any)
