"""One numbered list of promises wherever they stand, and decisions without a gap, a twin or a number of another."""

from __future__ import annotations

import ast
import re

from tests.deploy.needed import ROOT

_KEY_WORDS = ("only on success", "live resource", "nothing is stuck", "Safe by default", "books balance", "steer it")


def _section(page: str, heading: str) -> str:
    text = (ROOT / page).read_text(encoding="utf-8")
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_the_promises_have_the_same_numbers_everywhere() -> None:
    """In the README and on the page that proves them."""
    listed = re.findall(r"^(\d)\. (.+?)(?=^\d\. |\n\n|\Z)", _section("README.md", "Promises"), re.MULTILINE | re.DOTALL)
    proved = re.findall(r"^\| (\d) \| (.+?) \|", _section("docs/guarantees.md", "The promises"), re.MULTILINE)
    for found in (listed, proved):
        assert [int(number) for number, _ in found] == [1, 2, 3, 4, 5, 6]
        for (_, text), words in zip(found, _KEY_WORDS, strict=True):
            assert words in text


def test_the_witness_speaks_of_promises_that_there_are() -> None:
    """Whatever it reports as broken has a number of the list."""
    used = set()
    for path in (ROOT / "witness").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Violation":
                used |= {each.value for each in node.args[:1] if isinstance(each, ast.Constant)}
    assert used
    assert used <= {1, 2, 3, 4, 5}, "the sixth is none that a journal could show"


def test_decisions_are_numbered_without_gaps() -> None:
    """The file's number is that of its heading, and a page that names one names it by its whole name."""
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    headings = [path.read_text(encoding="utf-8").splitlines()[0] for path in files]
    assert [path.name[:4] for path in files] == [f"{number:04}" for number in range(1, len(files) + 1)]
    assert [heading.split()[:2] for heading in headings] == [["#", f"{number}."] for number in range(1, len(files) + 1)]


def test_a_decision_that_is_named_is_there() -> None:
    """In code and pages."""
    for root in ("consumer", "docs", "emulator", "deploy", "tests", "witness"):
        for path in (ROOT / root).rglob("*"):
            if path.suffix in {".py", ".md", ".yaml", ".yml", ".toml"}:
                for name in re.findall(r"decisions/(\d{4}[\w-]*\.md)", path.read_text(encoding="utf-8")):
                    assert (ROOT / "docs" / "decisions" / name).exists(), (path, name)
