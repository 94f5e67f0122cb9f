"""Nothing that ships is skipped in CI: with CI=true, a skip that is not listed here fails the run.

Whoever runs the tests at home may lack a program or two; there a skip only says so.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

MAY_BE_SKIPPED: Mapping[str, str] = {
    "tests/faults/test_signals.py::test_a_stop_while_starting_is_heard_at_once[PID 1]": "needs a right of root",
    "tests/deploy/test_image_live.py": "needs a container engine and an image that was built before",
    "tests/deploy/test_terraform.py": "needs Terraform, which no package index and not every runner has",
    "tests/integration/cli/test_terraform_agrees.py": "the same",
}
"""Tests that may be skipped in CI, one by one or by file, and why."""


class SkipGate:
    """Notes every skip, and ends the run as failed if one is not allowed."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._strict = environment.get("CI", "").lower() in ("1", "true")
        self._found: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A whole module may be skipped while it is imported."""
        if report.skipped:
            self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        names = {report.nodeid, report.nodeid.partition("::")[0]}
        if self._strict and names.isdisjoint(MAY_BE_SKIPPED):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            self._found.append(f"{report.nodeid}: {reason}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """The exit status, which is decided here."""
        if self._found and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What was skipped although it must not be."""
        if self._found:
            terminalreporter.section("skipped in CI, and not listed in tests/skips.py", red=True)
            for line in self._found:
                terminalreporter.write_line(line)
