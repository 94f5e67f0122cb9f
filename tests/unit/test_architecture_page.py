"""docs/architecture.md is true: its ranks, its modules, the way of a message, its outcomes, its locks."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from consumer.core.outcome import SETTLED_BY, Outcome, Settlement
from tests.unit.test_layers import RANKS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

WORDS = {
    Settlement.DELETE: "delete",
    Settlement.HOLD: "kept for the configured time",
    Settlement.BACK_OFF: "backoff",
    Settlement.DEAD_LETTER: "copy to the dead-letter queue",
    Settlement.NOTHING: "nothing",
}
"""How the page begins to say what settling an outcome does."""

ASIDE = {"buffer", "park"}
"""Rows of the way that are no step of the pipeline: where a delivery waits."""

LOCKS = {"Lock", "RLock", "Condition"}


def section(heading: str) -> str:
    """The text below one heading."""
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of every row of a table, its heading left out."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


@cache
def classes() -> dict[str, ast.ClassDef]:
    """Every class of the worker; a test of its own keeps their names apart."""
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "consumer").rglob("*.py")]
    return {node.name: node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def methods(name: str) -> set[str]:
    """What a class can do, with what it inherits from classes of the worker."""
    node = classes()[name]
    own = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
    inherited = [methods(base.id) for base in node.bases if isinstance(base, ast.Name) and base.id in classes()]
    return own.union(*inherited)


def test_the_layers_are_the_ranks_that_imports_are_held_to() -> None:
    """Every package has its row, from the top rank down, and shares it with those of its own rank."""
    shown = [re.findall(r"`(\w+)`", first) for first, *_ in rows(section("Layers"))]

    assert [{RANKS[name] for name in names} for names in shown] == [{rank} for rank in sorted({*RANKS.values()})[::-1]]
    assert sorted(name for names in shown for name in names) == sorted(RANKS)


def test_whoever_contributes_reads_the_same_ranks() -> None:
    """The chain in CONTRIBUTING.md."""
    (chain,) = re.findall(r"`(core < [^`]+)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    ranks = [{name.strip() for name in rank.split(",")} for rank in chain.split("<")]

    assert ranks == [{name for name in RANKS if RANKS[name] == rank} for rank in sorted({*RANKS.values()})]


def test_every_package_of_the_worker_is_on_the_page() -> None:
    """A new one cannot be forgotten, in the ranks neither."""
    packages = {path.parent.name for path in (ROOT / "consumer").glob("*/__init__.py")}

    assert packages == set(RANKS)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([\w/]+(?:\.py|/))`", PAGE))))
def test_a_file_that_is_named_is_there(path: str) -> None:
    """Below `consumer/`, or from the root of the repository."""
    assert (ROOT / "consumer" / path).exists() or (ROOT / path).exists()


def test_the_steps_are_those_of_the_pipeline_in_its_order() -> None:
    """The way is drawn as the pipeline's own docstring has it, and each step has a row."""
    drawn = re.findall(r"\w+", section("The way a message takes").strip().splitlines()[0])
    pipeline = ast.get_docstring(ast.parse((ROOT / "consumer/engine/pipeline.py").read_text("utf-8"))) or ""
    stated = re.findall(r"\w+", pipeline.partition(":")[2].partition(".")[0])
    described = [step for first, *_ in rows(section("The way a message takes")) for step in first.split(", ")]

    assert drawn == stated
    assert [step for step in described if step not in ASIDE] == drawn


def test_the_way_of_a_message_can_be_followed_by_name() -> None:
    """Every station is a method that there is."""
    (line,) = re.findall(r"Follow it:\n(.*?)\.\n", section("The way a message takes"), re.DOTALL)
    stations = re.findall(r"`(\w+)\.(\w+)`", line)

    assert len(stations) >= 9
    assert [(name, method) for name, method in stations if method not in methods(name)] == []


def test_every_outcome_is_shown_with_what_settles_it() -> None:
    """Each in one row, whose text begins with what `SETTLED_BY` has."""
    shown = {
        outcome: settled for names, settled in rows(section("Vocabulary")) for outcome in re.findall(r"`(\w+)`", names)
    }

    assert {Outcome(name) for name in shown} == set(Outcome)
    for outcome, settlement in SETTLED_BY.items():
        assert WORDS[settlement] in shown[outcome], outcome


def test_what_threads_share_has_a_lock_of_its_own() -> None:
    """The page names each class of the engine that makes one, and no other."""
    sentence = r"What the engine's threads share has one lock of its own: (.*?)\.\n"
    (line,) = re.findall(sentence, section("Threads"), re.DOTALL)
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "consumer" / "engine").glob("*.py")]
    makers = {each.name for tree in trees for each in ast.walk(tree) if isinstance(each, ast.ClassDef) and locks(each)}

    assert len(makers) >= 10
    assert set(re.findall(r"`(\w+)`", line)) == makers


def locks(node: ast.ClassDef) -> set[str]:
    """What a class makes of those."""
    return LOCKS & {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}


def test_the_guards_are_those_of_the_chain_in_its_order() -> None:
    """As its docstring draws them."""
    chain = ast.get_docstring(ast.parse((ROOT / "consumer/guards/chain.py").read_text("utf-8"))) or ""
    (drawn,) = [line for line in chain.splitlines() if "→" in line]
    (described,) = [what for step, _, what in rows(section("The way a message takes")) if step == "guard"]

    assert described.rpartition(": ")[2].split(", ") == [part.split()[0] for part in drawn.split("→")]


def test_the_whole_way_is_read_in_one_go() -> None:
    """Poller, worker, pipeline and settler in this order, and the two places where most happens fit on one screen."""
    modules = [ROOT / "consumer" / "engine" / f"{name}.py" for name in ("poller", "worker", "pipeline", "settler")]

    assert sum(len(path.read_text("utf-8").splitlines()) for path in modules) < 500
    for name, method in (("Worker", "process"), ("Pipeline", "repair")):
        (found,) = [each for each in classes()[name].body if isinstance(each, ast.FunctionDef) and each.name == method]
        assert (found.end_lineno or 0) - found.lineno < 40
