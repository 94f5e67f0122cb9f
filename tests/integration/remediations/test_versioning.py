"""Versioning: switched on; off again only as far as the service allows."""

from __future__ import annotations

from dataclasses import replace

from consumer.core.outcome import Outcome
from tests.integration.remediations.cases import VERSIONING
from tests.integration.remediations.workbench import Workbench, repaired_and_undone


def test_suspended_versioning_is_enabled_and_suspended_again(bench: Workbench) -> None:
    """Suspended is not on for the rule, and it is what undo goes back to."""
    repaired_and_undone(bench, VERSIONING)


def test_versioning_that_was_never_set_ends_suspended(bench: Workbench) -> None:
    """It can never be unset again: undo suspends it."""
    case = replace(VERSIONING, broken={})
    bench.create(case)

    ending = bench.repair(case)
    assert ending.outcome is Outcome.FIXED
    assert bench.verdict(case) == "COMPLIANT"
    assert ending.before == '""'

    bench.undo(case, ending)
    assert bench.settings()["versioning"] == "Suspended"


def test_a_bucket_that_can_have_no_versions_is_rejected(bench: Workbench) -> None:
    """A retention lock forbids the change, now and later."""
    bench.create(VERSIONING)
    bench.emulator.faults.add("error", "PutBucketVersioning", status=403, code="WORMConfigurationLocked")

    ending = bench.repair(VERSIONING)

    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "WORMConfigurationLocked")
