"""What the documentation says about repairs is what the code says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from consumer.config import load
from consumer.operator.check.configuration import look
from consumer.remediations.catalogue import RemediationType, catalogue

_DOCS = Path(__file__).parents[3] / "docs"
_PAGE = (_DOCS / "remediations.md").read_text(encoding="utf-8")
_GUIDE = (_DOCS / "writing-a-remediation.md").read_text(encoding="utf-8")
_EXAMPLE = Path(__file__).parents[2] / "example_plugin"
_CATALOGUE = catalogue()
_HEAD = 'account_id = "1234567890123456"\n[queue]\nregion = "cn-hangzhou"\nname = "config-events"\n'


def section(name: str) -> str:
    """Everything under the remediation's heading."""
    return _PAGE.split(f"\n## `{name}`\n", 1)[1].split("\n## ", 1)[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.parametrize("kind", _CATALOGUE.values(), ids=list(_CATALOGUE))
def test_every_repair_has_a_section_with_its_rules_and_permissions(kind: RemediationType) -> None:
    """The table names the managed rules, the section every RAM action."""
    [row] = [line for line in _PAGE.splitlines() if line.startswith(f"| [`{kind.name}`]")]
    assert all(identifier in row for identifier in kind.repairs)
    text = section(kind.name)
    for action in (*kind.actions, *kind.optional_actions, *kind.undo_actions):
        assert f"`{action}`" in text


@pytest.mark.parametrize("name", list(_CATALOGUE))
def test_every_example_of_the_page_can_be_copied(name: str, tmp_path: Path) -> None:
    """Each block is a rule that loads, about the remediation of its section."""
    [block] = blocks(section(name), "toml")
    path = tmp_path / "config.toml"
    path.write_text(_HEAD + block, encoding="utf-8")

    config = load(path, {})
    assert {rule.remediation for rule in config.rules} == {name}
    assert [found.message for found in look(config) if found.check == "rule"] == []  # events come for it, too


def test_the_guide_shows_the_example_that_is_tested() -> None:
    """Every line of code in the guide stands in the example package, its docstrings aside."""
    repair, setting, kind, client = blocks(_GUIDE, "python")
    files = ("__init__.py", "acceleration.py", "notes.py", "notes.py")
    for code, file in zip((repair, setting, kind, client), files, strict=True):
        whole = (_EXAMPLE / "example_remediations" / file).read_text(encoding="utf-8").splitlines()
        assert [line for line in code.splitlines() if line.strip() and line not in whole] == []


def test_the_guide_shows_the_entry_point_that_is_tested() -> None:
    """The group and the entry are those of the example package."""
    project = tomllib.loads((_EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shown = tomllib.loads(blocks(_GUIDE, "toml")[0])["project"]

    assert shown["entry-points"] == project["entry-points"]
