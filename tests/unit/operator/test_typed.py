"""Commands that a person is told to type."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.cli.main import cli
from consumer.operator import typed
from tests.measured import ROOT
from tests.printed_commands import commands, read

_PLACES = {
    "announcements/undoing.py": "read on other machines, where the configuration has another path, if any",
    "operator/bundled.py": "the demonstration takes no configuration",
    "operator/catch_up/sent.py": "the head of a file",
    "operator/undo/view.py": "sees whether a line is a command",
}
_COMMAND = re.compile(rf"config-remediator (?:{'|'.join(cli.commands)})\b|config-remediator $")


def _literals(path: Path) -> Iterator[str]:
    """Every text in a module but its documentation: docstrings, and descriptions of keys and options."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(part)
        for node in ast.walk(tree)
        for said in ([node.value] if isinstance(node, ast.Expr) else _descriptions(node))
        for part in ast.walk(said)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in documentation:
            yield node.value.decode() if isinstance(node.value, bytes) else str(node.value)


def _descriptions(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.keyword) and node.arg in ("description", "help"):
        yield node.value


def test_no_command_is_put_together_elsewhere() -> None:
    """Such a one would be printed without the configuration that it needs."""
    consumer = ROOT / "consumer"
    found = {
        str(path.relative_to(consumer))
        for path in consumer.rglob("*.py")
        if path.parent != consumer / "cli"  # which says how it was called itself
        if any(_COMMAND.search(text) for text in _literals(path))
    }
    assert found - set(_PLACES) == set()


@pytest.mark.parametrize("path", ["config.toml", "it's mine/config.toml", "~/a b.toml", "$HOME/x"])
def test_a_command_names_its_configuration(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was typed, whatever a shell would make of its characters; not where the environment names it already."""
    monkeypatch.delenv("REMEDIATOR_CONFIG", raising=False)
    (words,) = commands(typed.command("provision", "--apply", config=Path(path)) + " does it, doesn't it?")
    assert read(words)["path"] == Path(path)
    monkeypatch.setenv("REMEDIATOR_CONFIG", path)
    assert typed.command("provision", "--apply", config=Path(path)) == "config-remediator provision --apply"
    monkeypatch.setenv("REMEDIATOR_CONFIG", "other.toml")
    assert "--config" in typed.command("provision", config=Path(path))


def test_without_a_configuration_none_is_named() -> None:
    """`rules` needs none."""
    assert typed.command("rules", "REMEDIATION", config=None) == "config-remediator rules REMEDIATION"


def test_commands_below_each_other_are_aligned() -> None:
    """What each is for begins in one column."""
    assert typed.listed(("a", "one"), ("longer", "two")) == "  a        one\n  longer   two"


def test_an_option_that_was_not_given_is_none() -> None:
    """And one that was is two words."""
    assert typed.option("--file", None) == ()
    assert typed.option("--file", Path("a b")) == ("--file", "a b")
