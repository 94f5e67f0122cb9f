"""What a suite's run came to, and how that differs from what is expected of it. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The tests of one run by name."""

    passed: frozenset[str]
    failed: frozenset[str]
    skipped: frozenset[str]


def read_outcomes(report: str) -> Outcomes:
    """The outcomes in a report of pytest's in JUnit form; an error in a fixture is a failure of its test."""
    found: dict[str, str] = {}
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314 - written by the pytest that we have just run
        name = f"{case.get('classname')}.{case.get('name')}"
        kind = "passed"
        if case.find("failure") is not None or case.find("error") is not None:
            kind = "failed"
        elif case.find("skipped") is not None:
            kind = "skipped"
        found[name] = "failed" if found.get(name) == "failed" else kind
    return Outcomes(*(frozenset(n for n, k in found.items() if k == kind) for kind in ("passed", "failed", "skipped")))


@dataclass(frozen=True, slots=True)
class Expected:
    """Tests that are expected to fail, each under its reason."""

    reasons: dict[str, str]
    either: frozenset[str] = frozenset()
    """Those among them that may pass as well: it depends on the machine."""

    def counts(self) -> list[tuple[str, int]]:
        """Every reason and how many tests it holds for, in the order of the list."""
        return list(Counter(self.reasons.values()).items())


def read_expected(text: str) -> Expected:
    """A committed list: a reason on a line that begins with `#`, below it the names of its tests.

    A name with `?` before it may pass as well.

    Raises:
        ValueError: a name without a reason, or one that is listed twice.
    """
    reasons: dict[str, str] = {}
    either: set[str] = set()
    reason = ""
    for line in text.splitlines():
        if line.startswith("#"):
            reason = line.removeprefix("#").strip()
        elif name := line.removeprefix("?").strip():
            if not reason or name in reasons:
                raise ValueError(f"{name}: {'listed twice' if name in reasons else 'no reason stands above it'}")
            reasons[name] = reason
            if line.startswith("?"):
                either.add(name)
    return Expected(reasons, frozenset(either))


def differences(outcomes: Outcomes, expected: Expected) -> list[str]:
    """What is not as expected, one line each: failures that are not listed, and listed ones that did not fail."""
    lines = [f"fails, and is not expected to: {name}" for name in sorted(outcomes.failed - expected.reasons.keys())]
    for name in sorted(expected.reasons.keys() - outcomes.failed - expected.either):
        how = "passes" if name in outcomes.passed else "is skipped" if name in outcomes.skipped else "is not there"
        lines.append(f"{how}, and is listed as failing: {name}")
    return lines
