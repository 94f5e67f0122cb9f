"""Who may import whom: every module has a rank, imports point down, and only one package knows a vendor's SDK."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).parents[2] / "consumer"

RANKS = {
    "core": 0,
    "resources": 1,
    "remediations": 2,
    "guards": 3,
    "engine": 4,
    "journal": 4,
    "aliyun": 4,
    "reevaluation": 5,
    "telemetry": 6,
    "announcements": 7,
    "config": 8,
    "app": 9,
    "operator": 10,
    "cli": 11,
}
"""Lower ranks know nothing of higher ones; packages of one rank know nothing of each other."""

MODULES = {
    "consumer": "core",
    "consumer.__main__": "cli",
    "consumer.healthcheck": "operator",
    "consumer.plugin": "remediations",
    # Names that docs/writing-a-remediation.md gave before there was `consumer.plugin`.
    "consumer.bucket": "resources",
    "consumer.errors": "core",
}
"""The modules outside the packages, and the package that each counts as."""

VENDORS = {
    "mns",
    "oss2",
    "alibabacloud_credentials",
    "alibabacloud_config20200907",
    "alibabacloud_tea_openapi",
    "Tea",
    "darabonba",
}

DYNAMIC_IMPORTS = {
    "consumer.aliyun.postponed": "consumer.aliyun",  # of vendors' modules, which that package alone may know
    "consumer.remediations.catalogue": "consumer.remediations",
    "consumer.resources.catalogue": "consumer.resources",
    "consumer.resources.oss.settings.catalogue": "consumer.resources.oss.settings",
}
"""Modules that import by a computed name, and the package below which that name is."""


def _modules() -> dict[str, Path]:
    return {
        ".".join(("consumer", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in ROOT.rglob("*.py")
    }


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file imports by a name: at its top, inside functions, for typing, by `import_module`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif _is_dynamic(node) and isinstance(node.args[0], ast.Constant):
            yield node.args[0].value


def _package(module: str) -> str | None:
    """The package whose rank a module has; None for a module that was given no place."""
    if module in MODULES:
        return MODULES[module]
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in RANKS and (ROOT / parts[1]).is_dir() else None


def _is_dynamic(node: ast.AST) -> TypeGuard[ast.Call]:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        return node.func.attr == "import_module"
    return getattr(node.func, "id", "") in {"import_module", "__import__", "exec", "eval"}


@pytest.mark.parametrize("module", sorted(_modules()))
def test_every_module_has_a_rank(module: str) -> None:
    """A new package, or a module beside the packages, has to be given its place in the order first."""
    assert _package(module) is not None, f"{module} stands in no package that has a rank"


@pytest.mark.parametrize("module", sorted(_modules()))
def test_imports_point_down(module: str) -> None:
    """A module imports its own package and packages of lower rank, and nothing else of this project."""
    known, mine = _modules(), _package(module)
    assert mine is not None
    for used in set(_imports(known[module])) & known.keys() - {"consumer"}:
        theirs = _package(used)
        assert theirs is not None
        assert theirs == mine or RANKS[theirs] < RANKS[mine], f"{module} imports {used}"


@pytest.mark.parametrize("module", sorted(_modules()))
def test_only_one_package_knows_a_vendor(module: str) -> None:
    """A vendor's SDK is imported where its errors are translated, in `consumer.aliyun`, and nowhere else."""
    used = {name.split(".")[0] for name in _imports(_modules()[module])} & VENDORS
    assert not used or _package(module) == "aliyun"


@pytest.mark.parametrize("module", sorted(_modules()))
def test_a_computed_import_is_listed(module: str) -> None:
    """What is imported by a computed name could point anywhere: each such place is named above, with its bound."""
    tree = ast.parse(_modules()[module].read_text(encoding="utf-8"))
    dynamic = any(_is_dynamic(node) and not isinstance(node.args[0], ast.Constant) for node in ast.walk(tree))
    assert dynamic == (module in DYNAMIC_IMPORTS)
    if dynamic:
        below, mine = _package(DYNAMIC_IMPORTS[module]), _package(module)
        assert below is not None
        assert mine is not None
        assert RANKS[below] <= RANKS[mine]


def test_there_are_no_cycles() -> None:
    """Every module can be put in an order in which it only imports what came before."""
    known = _modules()
    left = {name: {used for used in _imports(path) if used in known and used != name} for name, path in known.items()}
    while left:
        ready = [name for name, needs in left.items() if not needs & left.keys()]
        assert ready, f"these modules import each other in a circle: {sorted(left)}"
        for name in ready:
            del left[name]


WITNESS = ROOT.parent / "witness"


@pytest.mark.parametrize("path", sorted(WITNESS.glob("*.py")), ids=lambda path: path.stem)
def test_the_witness_shares_no_code_with_what_it_judges(path: Path) -> None:
    """Neither the worker's nor the emulator's: an error that two of them shared would show to nobody."""
    used = {name.split(".")[0] for name in _imports(path)}
    assert used <= {"witness", "__future__"} | sys.stdlib_module_names
