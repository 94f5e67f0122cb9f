"""Links of the README, which a package index shows as the description, without the files beside it."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.release.steps import ReleaseError

_LINK = re.compile(r"\]\(([^()\s]+)\)")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|[#/]")
"""How a link begins that does not depend on where the page stands: with a scheme, or on the page itself."""
_PICTURES = frozenset({".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp"})


def make_absolute(tree: Path, source: str, version: str) -> None:
    """Let the relative links in the tree's README lead to the files of the version's tag where the source is published.

    Without the address of a web page as `source` they stay as they are: no place is made up.

    Raises:
        ReleaseError: a link leads to no file of the tree.
    """
    if not source.startswith(("https://", "http://")):
        return
    page = tree / "README.md"

    def absolute(link: re.Match[str]) -> str:
        target = link[1]
        if _ELSEWHERE.match(target):
            return link[0]
        path = tree / target.partition("#")[0]
        if not path.exists():
            raise ReleaseError(f"README.md links to {target}, which does not exist")
        kind = "tree" if path.is_dir() else "raw" if path.suffix in _PICTURES else "blob"
        return f"]({source.rstrip('/')}/{kind}/v{version}/{target})"

    page.write_text(_LINK.sub(absolute, page.read_text("utf-8")), encoding="utf-8")
