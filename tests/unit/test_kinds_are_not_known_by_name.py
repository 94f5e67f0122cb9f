"""A new kind of resource touches nothing in engine, guards, journal or telemetry: they know none by name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "consumer"
NEUTRAL = ("engine", "guards", "journal", "telemetry")
KINDS = sorted(path.name for path in (ROOT / "resources").iterdir() if (path / "kind.py").is_file())
"""The packages of the built-in kinds: `oss`."""
WORDS = frozenset({*KINDS, "bucket", "acl"})
"""What names a kind, or something that only one kind has."""
MEANT_OTHERWISE = {
    "telemetry/metrics.py": {"bucket"},  # of histograms
    "telemetry/redaction.py": {"oss"},  # how a signature begins on the wire, whichever vendor's client made it
}
FILES = sorted(path for package in NEUTRAL for path in (ROOT / package).rglob("*.py"))


def words(text: str) -> set[str]:
    """The words of an identifier or a sentence, in small letters; a plural counts as its singular, too."""
    apart = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text)
    found = {word.lower() for word in re.findall(r"[A-Za-z]+", apart)}
    return found | {word.removesuffix("s") for word in found}


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every identifier and every string of a module that is no docstring, with its line."""
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.Attribute(attr=name) | ast.alias(name=name):
                yield node.lineno, name
            case ast.keyword(arg=str(name)):
                yield node.value.lineno, name
            case ast.Constant(value=str(text)) if id(node) not in documented:
                yield node.lineno, text
            case _:
                pass


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_kind_is_imported(path: Path) -> None:
    """Neither its records nor its repairs."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            names += [f"{node.module}.{name}" for name in names] if isinstance(node, ast.ImportFrom) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert not re.match(rf"consumer\.(resources|remediations|aliyun)\.({'|'.join(KINDS)})\b", name), name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_kind_is_named(path: Path) -> None:
    """Not in a name of the code and not in a sentence, which would be wrong for another kind."""
    named = WORDS - MEANT_OTHERWISE.get(str(path.relative_to(ROOT)), set())
    for line, text in texts(ast.parse(path.read_text("utf-8"))):
        assert not words(text) & named, f"{path}:{line}: {text!r}"


def test_the_search_finds_what_it_looks_for() -> None:
    """In identifiers of every form and in sentences, and only there."""
    found = {
        word
        for _, text in texts(ast.parse('def f(buckets): x.BucketGone = f"of {the} OSS bucket"'))
        for word in words(text)
    }
    assert {"bucket", "oss"} <= found
    assert words("embossed bosses") & {"oss"} == set()
