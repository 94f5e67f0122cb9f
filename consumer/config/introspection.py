"""Every key of the configuration, read off the models: its path, its kind and what it allows, in words.

Errors, environment variables, the reference and the example come from here, so a new table needs no other change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from consumer.config.types import Allowed

Location = tuple[int | str, ...]
"""Where something stands in the document: names and list indexes."""

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class ValueType:
    """A type together with what narrows it."""

    type: Any
    limits: tuple[Any, ...] = ()

    @classmethod
    def of(cls, annotation: Any, limits: Sequence[Any] = ()) -> ValueType:
        """The kind behind an annotation, without `Annotated` and `None`."""
        if get_origin(annotation) is Annotated:
            inner, *more = get_args(annotation)
            return cls.of(inner, (*limits, *more))
        if get_origin(annotation) in (Union, UnionType):
            given = [part for part in get_args(annotation) if part is not NoneType]
            return cls.of(given[0], limits) if len(given) == 1 else cls(annotation, tuple(limits))
        return cls(annotation, tuple(limits))

    @property
    def table(self) -> type[BaseModel] | None:
        """The model, if this is a table with known keys."""
        return self.type if isinstance(self.type, type) and issubclass(self.type, BaseModel) else None

    @property
    def scalar(self) -> bool:
        """Whether one line of text can say the value."""
        return self.table is None and get_origin(self.type) not in (tuple, list, dict, frozenset)

    @property
    def item(self) -> ValueType:
        """Of a list: each entry."""
        return ValueType.of((*get_args(self.type), Any)[0])

    def limit(self, sort: type) -> Any:
        """The limit of that sort, or None."""
        return next((limit for limit in self.limits if isinstance(limit, sort)), None)


@dataclass(frozen=True, slots=True)
class Key:
    """One key that stands in a table; `[]` marks a list of tables, as in `rules[].name`."""

    path: tuple[str, ...]
    field: FieldInfo

    @property
    def name(self) -> str:
        """As people write it: `queue.name`."""
        return ".".join(self.path)

    @property
    def kind(self) -> ValueType:
        """What it takes."""
        return kind_of(self.field)


def kind_of(field: FieldInfo) -> ValueType:
    """What a model's field takes."""
    return ValueType.of(field.annotation, field.metadata)


def keys(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Key]:
    """Every key of a model and of the tables in it, in the order of their declaration."""
    for name, field in model.model_fields.items():
        kind = kind_of(field)
        if kind.table:
            yield from keys(kind.table, (*path, name))
        elif get_origin(kind.type) is tuple and kind.item.table:
            yield from keys(kind.item.table, (*path, f"{name}[]"))
        else:
            yield Key((*path, name), field)


def dotted(location: Location) -> str:
    """A location as in TOML: `rules[0].options.drop`, `oss.endpoints."*"`."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE.fullmatch(part) else f'"{part}"')
    return text


def allowed(kind: ValueType, name: str = "") -> str:
    """What a key takes, in words that complete "must be …"; its name has the unit."""
    own = kind.limit(Allowed)
    if own is not None:
        return str(own.text)
    if choices := _choices(kind.type):
        return choices
    if kind.type in (int, float):
        return _number(kind, name)
    if kind.table or get_origin(kind.type) is dict:
        return "a table"
    if get_origin(kind.type) in (tuple, list, frozenset):
        return f"a list, each entry {allowed(kind.item)}"
    return {bool: "true or false", str: "text"}.get(kind.type, "a value of another kind")


def _choices(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        values = [str(value) for value in get_args(annotation)]
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        values = [str(member.value) for member in annotation]
    else:
        return ""
    quoted = [f'"{value}"' for value in values]
    return " or ".join(part for part in (", ".join(quoted[:-1]), quoted[-1]) if part)


def _number(kind: ValueType, name: str) -> str:
    noun = "a whole number" if kind.type is int else "a number"
    noun += " of seconds" if name.endswith("_seconds") else ""
    least, most = kind.limit(Ge), kind.limit(Le)
    if least is None or most is None:
        return noun if least is None else f"{noun} from {least.ge} up"
    return f"{noun} from {least.ge} to {most.le}"


def with_defaults(model: type[BaseModel], document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the default of every key it does not give; what is no table stays as it is."""
    filled = dict(document)
    for name, field in model.model_fields.items():
        table = kind_of(field).table
        if table and isinstance(filled.get(name, {}), Mapping):
            filled[name] = with_defaults(table, filled.get(name, {}))
        elif not field.is_required():
            filled.setdefault(name, field.get_default(call_default_factory=True))
    return filled
