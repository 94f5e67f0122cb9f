"""The example and the reference say what the models say."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from consumer.config import build_rules, load
from consumer.config.introspection import Key, allowed, keys
from consumer.config.model import Config
from consumer.config.reference import comment, default, rewritten
from consumer.remediations.catalogue import catalogue

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.toml"
PAGE = ROOT / "docs" / "configuration.md"

_KEYS = list(keys(Config))
_LINE = re.compile(r"(?P<off># )?(?P<key>[a-z_]+) = (?P<value>.+)")


def _blocks(table: str) -> dict[str, tuple[str, str]]:
    """The key lines of a table's first appearance in the example, each with the comment above it."""
    heading = f"\n{table}\n" if table else ""
    text = EXAMPLE.read_text(encoding="utf-8").partition(heading)[2] if table else EXAMPLE.read_text(encoding="utf-8")
    found: dict[str, tuple[str, str]] = {}
    for block in re.split(r"\n\n+", re.split(r"\n\[", text)[0]):
        lines = block.strip().splitlines()
        words, settings = [], []
        for line in lines:
            (settings if _LINE.fullmatch(line) else words).append(line)
        if settings:
            key = _LINE.fullmatch(settings[0])
            assert key
            said = " ".join(" ".join(line.lstrip("# ") for line in words).split())
            found[key["key"]] = (said, settings[0])
    return found


def _table(key: Key) -> str:
    if len(key.path) == 1:
        return ""
    table = ".".join(part.removesuffix("[]") for part in key.path[:-1])
    return f"[[{table}]]" if key.path[-2].endswith("[]") else f"[{table}]"


def test_the_example_loads_as_it_is() -> None:
    """Somebody who copies the example has a configuration that works, and that changes only what its rules name."""
    rules = build_rules(load(EXAMPLE, {}))

    assert [(rule.name, str(rule.mode)) for rule in rules] == [("public-read", "observe"), ("public-write", "enforce")]


@pytest.mark.parametrize("key", _KEYS, ids=lambda key: key.name)
def test_the_example_documents_the_key(key: Key) -> None:
    """Every key stands in the example with its meaning, what it takes and its default."""
    said, _ = _blocks(_table(key))[key.path[-1]]

    assert said.startswith(" ".join(comment(key).split()))


@pytest.mark.parametrize(
    "key", [key for key in _KEYS if "[]" not in key.name and not key.field.is_required()], ids=lambda key: key.name
)
def test_the_example_shows_the_default(key: Key) -> None:
    """A key that is commented out shows what holds without it."""
    _, line = _blocks(_table(key))[key.path[-1]]

    assert line == f"# {key.path[-1]} = {default(key)}"


def test_the_example_is_toml_with_every_key_switched_on() -> None:
    """Removing the comment mark from any line gives a line that loads."""
    text = EXAMPLE.read_text(encoding="utf-8")
    switched = re.findall(r"^# ([a-z_]+ = .+)$", text, re.MULTILINE)

    assert len(switched) > len(_KEYS) / 2
    for line in switched:
        assert tomllib.loads(line)


def test_the_example_describes_the_options() -> None:
    """The options of the remediation that the example uses are documented with it."""
    said, _ = _blocks("[[rules]]")["options"]

    for option in keys(catalogue()["oss.bucket-acl"].Options):
        assert " ".join(comment(option).split()) in said


def test_the_reference_is_up_to_date() -> None:
    """The page's tables are those that the models give: run `python -m consumer.config.reference` on it if not."""
    page = PAGE.read_text(encoding="utf-8")

    assert rewritten(page) == page


def test_a_page_without_marks_is_not_touched() -> None:
    """Rewriting something else than the reference fails."""
    with pytest.raises(ValueError, match="the page has no"):
        rewritten("# Another page")


@pytest.mark.parametrize("key", _KEYS, ids=lambda key: key.name)
def test_the_key_is_described_with_range_and_in_sentences(key: Key) -> None:
    """No key is without a description, and every number has both ends of its range."""
    text = key.field.description or ""

    assert text.endswith(".")
    assert len(text) > 40
    if key.kind.type in (int, float):
        assert re.search(r"from .+ to .+", allowed(key.kind))


def test_the_smallest_file_of_the_page_loads(tmp_path: Path) -> None:
    """What the page shows first can be copied."""
    (shown,) = re.findall(r"```toml\n(.+?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "config.toml"
    file.write_text(shown)

    assert load(file, {}).queue.dead_letter_queue == "config-events-dead"
