"""What a class is made from can be read at one look: few things, each with a name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("consumer", "emulator", "witness")

MOST = 7
"""Parameters besides `self`. Who needs more has two duties, or takes apart what belongs together."""

EXCEPTIONS: dict[str, str] = {}


def constructors() -> Iterator[tuple[str, int]]:
    """Each class with a constructor of its own, and how many parameters that takes."""
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for found in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            for method in found.body:
                if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                    given = method.args
                    count = len(given.posonlyargs) + len(given.args) - 1 + len(given.kwonlyargs)
                    count += sum(rest is not None for rest in (given.vararg, given.kwarg))
                    yield f"{path.relative_to(ROOT)}: {found.name}", count


def test_no_constructor_takes_more_than_can_be_kept_in_mind() -> None:
    """Records are data and may have as many fields as what they record; this is about objects that do something."""
    counted = dict(constructors())

    assert len(counted) > 200
    assert {name: count for name, count in counted.items() if count > MOST and name not in EXCEPTIONS} == {}


def test_each_exception_is_needed() -> None:
    """It goes with its reason."""
    counted = dict(constructors())

    assert [name for name in EXCEPTIONS if counted.get(name, 0) <= MOST] == []
