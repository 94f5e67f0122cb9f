"""The documents: links and names that lead somewhere, and tables that say what the code says."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from consumer.core.exit_codes import ExitCode
from tests.deploy.needed import ROOT

_PAGES = sorted(
    str(path.relative_to(ROOT)) for folder in (".", "docs", "docs/decisions") for path in (ROOT / folder).glob("*.md")
)
_OPERATORS = ("docs/install.md", "docs/releasing.md", "docs/install-ack.md", "docs/operating.md", "docs/runbook.md")
_LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")


def _text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", _PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link is to a file that exists, and every anchor to a heading in it."""
    found = _LINK.findall(_text(page))
    assert found or page not in _OPERATORS
    for target, anchor in found:
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), target
        if anchor:
            assert anchor in _anchors(path.read_text(encoding="utf-8")), f"{target}#{anchor}"


@pytest.mark.parametrize("page", [page for page in _PAGES if page != "CHANGELOG.md"])
def test_names_of_the_code_are_there(page: str) -> None:
    """A module, or what stands in one: `consumer.engine.in_flight.InFlight`. The changelog has earlier ones, too."""
    named = re.findall(r"`((?:consumer|emulator|witness|tests|bench|demo)(?:\.(?!json\b)\w+)+)(?:\(\))?`", _text(page))

    assert [name for name in named if not _is_there(name)] == []


def _is_there(name: str) -> bool:
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:end])
        for module in (place.with_suffix(".py"), place / "__init__.py"):
            if module.is_file():
                return set(parts[end:]) <= _names_in(module)
    return False


@cache
def _names_in(module: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(module.read_text(encoding="utf-8"))))
    defined = {node.name for node in nodes if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    return defined | {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


@pytest.mark.parametrize("page", _OPERATORS)
def test_files_that_are_named_exist(page: str) -> None:
    """What a command or a sentence points to in this repository is there."""
    for path in re.findall(r"deploy/[\w./-]*\w", _text(page)):
        if not path.startswith(("deploy/config-remediator", "deploy/kubernetes/overlays/mine")):
            assert (ROOT / path).exists(), path


def test_every_exit_status_is_explained() -> None:
    """The table has just the statuses that there are."""
    rows = re.findall(r"^\| (\d) \| \w", _text("docs/operating.md"), flags=re.MULTILINE)
    assert [int(row) for row in rows] == [code.value for code in ExitCode]
