"""One name, one thing: a search for a class or a type's alias finds one, and no class hides a well-known one."""

from __future__ import annotations

import ast
import builtins
import importlib
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TREES = ("consumer", "emulator", "witness")
"""They share no code, so a name may stand once in each: each has its own `Message`."""

WELL_KNOWN = (
    "asyncio",
    "contextlib",
    "datetime",
    "enum",
    "http.client",
    "io",
    "logging",
    "pathlib",
    "queue",
    "re",
    "threading",
    "typing",
)
"""Modules of the standard library whose classes a reader takes for granted."""

SHADOWING = {
    "Event": "what Cloud Config publishes: the first word of the field; `threading.Event` is always written out",
    "Queue": "one queue of MNS; `queue.Queue` is always written out",
    "Text": "the type of a key of the configuration; nothing has used `typing.Text` since Python 2",
}
"""Well-known names that have a class of ours, and why."""


_ALIAS = re.compile(r"_?[A-Z][A-Za-z]*[a-z]\w*")


def alias(node: ast.stmt) -> str:
    """The name that a statement gives to a type, or nothing; a `TypeVar` is a parameter, whatever it is called."""
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    variable = isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
    return target.id if isinstance(target, ast.Name) and _ALIAS.fullmatch(target.id) and not variable else ""


def types(tree: str) -> dict[str, list[str]]:
    """Where every class stands, nested ones too, and every alias of a type, by name, without underscores."""
    found = defaultdict(list)
    for path in sorted((ROOT / tree).rglob("*.py")):
        module = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef):
                found[node.name.lstrip("_")].append(f"{path.relative_to(ROOT)}:{node.lineno}")
        for statement in module.body:
            if name := alias(statement):
                found[name.lstrip("_")].append(f"{path.relative_to(ROOT)}:{statement.lineno}")
    return found


def well_known() -> set[str]:
    """Names of classes that nobody expects to be something else."""
    names = {name for name, value in vars(builtins).items() if isinstance(value, type)}
    for module in map(importlib.import_module, WELL_KNOWN):
        public = getattr(module, "__all__", vars(module))
        names |= {name for name in public if isinstance(getattr(module, name), type) and name[0].isupper()}
    return names


@pytest.mark.parametrize("tree", TREES)
def test_no_name_of_a_type_stands_twice(tree: str) -> None:
    """Two types of one name are two things that a reader takes for one."""
    found = types(tree)

    assert len(found) > 20
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def test_no_class_hides_a_well_known_one() -> None:
    """Neither a built-in nor one that half of all Python programs import; an exception has its reason here."""
    ours, known = types("consumer"), well_known()

    assert {"Path", "Thread", "Match", "StrEnum", "TimeoutError"} <= known
    assert {name: ours[name] for name in ours.keys() & known} == {name: ours[name] for name in SHADOWING}
