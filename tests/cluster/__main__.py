"""`python -m tests.cluster --context NAME`: 0 when the cluster takes everything as it is, 1 when not."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.cluster.custom import FOLDERS_THAT_NEED, definitions, missing
from tests.cluster.folders import folders, try_folder
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
    kubectl = find(asked.context)
    lacking = missing(kubectl)
    made = definitions(lacking) if asked.definitions and lacking else ""
    try:
        if made:
            kubectl("create", "--filename", "-", stdin=made)
            kubectl("wait", "--for=condition=Established", "--filename", "-", stdin=made)
            lacking = frozenset()
        return _run(kubectl, lacking, asked.before, asked.only)
    finally:
        if made:
            kubectl("delete", "--filename", "-", stdin=made)


def _run(kubectl: Kubectl, lacking: frozenset[str], before: Path, only: str) -> int:
    version = json.loads(kubectl("get", "--raw", "/version"))["gitVersion"]
    print(f"API server {version}")  # noqa: T201 - a command
    trials: dict[str, Callable[[Path], list[str]]] = {}
    for folder in folders():
        if needed := FOLDERS_THAT_NEED.get(folder.name, frozenset()) & lacking:
            print(f"not tried    {folder.name}: the cluster does not know {', '.join(sorted(needed))}")  # noqa: T201
        else:
            trials[folder.name] = partial(try_folder, kubectl, folder)
    trials["chart"] = lambda _: try_chart(kubectl, custom=not lacking, before=before)
    trials["two releases"] = lambda _: try_two(kubectl, custom=not lacking)
    failed = [name for name, trial in trials.items() if only in name and not _passes(name, trial)]
    return 1 if failed else 0


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
