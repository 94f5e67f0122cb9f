"""The arrows of docs/architecture.md: who may import whom, and who may know a vendor's SDK."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "consumer"
VENDORS = {"mns", "oss2", "alibabacloud_credentials"}
GATEWAYS = {"consumer.queue", "consumer.topic", "consumer.oss", "consumer.credentials", "consumer.credential_sources"}
PURE = {
    "consumer.backoff",
    "consumer.bucket",
    "consumer.dead_letter",
    "consumer.delivery",
    "consumer.endpoints",
    "consumer.envelope",
    "consumer.errors",
    "consumer.event",
    "consumer.guard",
    "consumer.guards.contest",
    "consumer.guards.fix_records",
    "consumer.outcome",
    "consumer.queue_attributes",
    "consumer.queue_limits",
    "consumer.rule",
}
ENGINE = {
    "consumer.coalesce",
    "consumer.hand",
    "consumer.lease",
    "consumer.outbox",
    "consumer.pipeline",
    "consumer.poll",
    "consumer.retry",
    "consumer.sampling",
    "consumer.settle",
    "consumer.supervise",
    "consumer.worker",
}


def _modules() -> dict[str, Path]:
    return {
        ".".join(("consumer", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in ROOT.rglob("*.py")
    }


def _imports(path: Path) -> Iterator[str]:
    """Modules that run-time code of a file imports; what only a type checker reads does not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_gateway(module: str) -> bool:
    return module in GATEWAYS or module.startswith("consumer.oss")


@pytest.mark.parametrize("module", sorted(_modules()))
def test_only_gateways_know_a_vendor(module: str) -> None:
    """A vendor's SDK is imported where its errors are translated and nowhere else."""
    used = {name.split(".")[0] for name in _imports(_modules()[module])} & VENDORS
    assert not used or _is_gateway(module)


@pytest.mark.parametrize("module", sorted(PURE))
def test_the_pure_core_points_at_nothing_above_it(module: str) -> None:
    """No engine, gateway, telemetry, thread or socket in the pure core."""
    used = set(_imports(_modules()[module]))
    assert not used & (ENGINE | {"consumer.app", "consumer.cli", "socket", "requests"})
    assert not [name for name in used if _is_gateway(name) or name.startswith("consumer.telemetry")]


@pytest.mark.parametrize("module", sorted(ENGINE))
def test_the_engine_reaches_gateways_and_telemetry_through_protocols(module: str) -> None:
    """The engine imports no gateway, no telemetry and no entry point."""
    used = set(_imports(_modules()[module]))
    assert not used & {"consumer.app", "consumer.cli", "consumer.config"}
    assert not [name for name in used if _is_gateway(name) or name.startswith("consumer.telemetry")]


def test_there_are_no_cycles() -> None:
    """Every module can be put in an order in which it only imports what came before."""
    known = _modules()
    left = {name: {used for used in _imports(path) if used in known and used != name} for name, path in known.items()}
    while left:
        ready = [name for name, needs in left.items() if not needs & left.keys()]
        assert ready, f"these modules import each other in a circle: {sorted(left)}"
        for name in ready:
            del left[name]
