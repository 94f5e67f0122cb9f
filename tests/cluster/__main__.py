"""`python -m tests.cluster --context NAME`: 0 when the cluster takes everything as it is, 1 when not."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.cluster.custom import FOLDERS_THAT_NEED, provided
from tests.cluster.folders import Folder, folders, try_folder
from tests.cluster.kubectl import Kubectl, Refused, find
from tests.cluster.releases import CHART, try_chart, try_two


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("--context", required=True, help="of your kubeconfig; a cluster that you may spoil")
    parser.add_argument(
        "--definitions",
        action="store_true",
        help="make the custom kinds that the cluster lacks, which take any fields, and remove them",
    )
    parser.add_argument(
        "--before", type=Path, default=CHART, help="the chart or archive to upgrade from: an earlier release"
    )
    parser.add_argument("--only", default="", help="trials whose name has this in it")
    asked = parser.parse_args(arguments)
    try:
        kubectl = find(asked.context)
        with provided(kubectl, make=asked.definitions) as lacking:
            return _run(kubectl, lacking, asked.before, asked.only)
    except Refused as refusal:
        print(f"tests.cluster: {refusal}", file=sys.stderr)  # noqa: T201 - a command
        return 1


def _run(kubectl: Kubectl, lacking: frozenset[str], before: Path, only: str) -> int:
    version = json.loads(kubectl("get", "--raw", "/version"))["gitVersion"]
    print(f"API server {version}")  # noqa: T201
    trials: dict[str, Callable[[Path], list[str]]] = {
        folder.name: partial(_folder, kubectl, folder, lacking) for folder in folders()
    }
    trials["chart"] = lambda _: try_chart(kubectl, custom=not lacking, before=before)
    trials["two releases"] = lambda _: try_two(kubectl, custom=not lacking)
    chosen = [name for name in trials if only in name]
    passed = [_passes(name, trials[name]) for name in chosen]
    return 0 if passed and all(passed) else 1


def _folder(kubectl: Kubectl, folder: Folder, lacking: frozenset[str], into: Path) -> list[str]:
    if needed := FOLDERS_THAT_NEED.get(folder.name, frozenset()) & lacking:
        return [f"not tried, for the cluster does not know {', '.join(sorted(needed))}: --definitions"]
    return try_folder(kubectl, folder, into)


def _passes(name: str, trial: Callable[[Path], list[str]]) -> bool:
    with tempfile.TemporaryDirectory(prefix="cluster-") as directory:
        try:
            wrong = trial(Path(directory))
        except Refused as refusal:
            wrong = [str(refusal)]
    print(f"{'NOT accepted' if wrong else 'accepted    '} {name}", *wrong, sep="\n    ", flush=True)  # noqa: T201
    return not wrong


if __name__ == "__main__":
    sys.exit(main())
