"""The names of all metrics, as docs/metrics.md lists them, and those that a query uses."""

from __future__ import annotations

import re

from tests.deploy.needed import ROOT

_ROW = re.compile(r"^\| `(remediator_\w+)` \| (\w+) \|", re.MULTILINE)
_IN_QUERY = re.compile(r"(?<![\w:])remediator_\w+")


def documented() -> set[str]:
    """Every metric; that the registry has just these is proved beside the registry."""
    return {name for name, _ in _rows()}


def exported() -> set[str]:
    """Every name that a scrape shows, the parts of histograms included."""
    parts = {f"{name}{part}" for name, kind in _rows() if kind == "histogram" for part in ("_bucket", "_sum", "_count")}
    return documented() | parts


def used(query: str) -> set[str]:
    """Names of metrics in PromQL; recorded series, which have a colon in their name, are not among them."""
    return {name for name in _IN_QUERY.findall(query) if not re.search(rf"{name}:", query)}


def family(name: str) -> str:
    """The documented metric that a scraped name belongs to."""
    for part in ("_bucket", "_sum", "_count"):
        if name.removesuffix(part) in documented():
            return name.removesuffix(part)
    return name


def _rows() -> list[tuple[str, str]]:
    return _ROW.findall((ROOT / "docs" / "metrics.md").read_text(encoding="utf-8"))
