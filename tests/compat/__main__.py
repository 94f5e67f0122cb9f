"""`python -m tests.compat [suite …]`: run foreign suites and compare; 0 when each is as expected, 1 when not."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.compat.outcomes import Outcomes, differences, read_expected
from tests.compat.report import FIGURES, write_document
from tests.compat.run import Unobtainable, run
from tests.compat.suites import SUITES, Suite


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.compat", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="suite", help=f"of {', '.join(s.name for s in SUITES)}; or all")
    parser.add_argument("--record", action="store_true", help="write the figures and the document from this run")
    parser.add_argument("--document", action="store_true", help="write the document only, from the recorded figures")
    asked = parser.parse_args(arguments)
    if asked.document:
        write_document()
        return 0
    if unknown := set(asked.suites) - {suite.name for suite in SUITES}:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    chosen = [suite for suite in SUITES if not asked.suites or suite.name in asked.suites]
    results = [_one(suite, record=asked.record) for suite in chosen]
    if asked.record:
        write_document()
    return 0 if all(results) else 1


def _one(suite: Suite, *, record: bool) -> bool:
    """Run one suite and say how it went; whether it was as expected."""
    with tempfile.TemporaryDirectory(prefix="compat-") as directory:
        try:
            outcomes = run(suite, Path(directory))
        except Unobtainable as problem:
            print(f"{suite.requirement}: {problem}", file=sys.stderr)  # noqa: T201 - a command
            return False
    found = differences(outcomes, read_expected(suite.expected.read_text()))
    counts = f"{len(outcomes.passed)} passed, {len(outcomes.failed)} failed, {len(outcomes.skipped)} skipped"
    print(f"{suite.requirement}: {counts}; {len(found)} not as expected", *found, sep="\n  ")  # noqa: T201
    if record:
        _record(suite, outcomes)
    return not found


def _record(suite: Suite, outcomes: Outcomes) -> None:
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    figures[suite.name] = {
        "version": suite.version,
        "passed": len(outcomes.passed),
        "failed": len(outcomes.failed),
        "skipped": len(outcomes.skipped),
    }
    FIGURES.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main())
