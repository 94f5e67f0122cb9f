"""Old versions of TLS: taken out, and put back."""

from __future__ import annotations

import json
from dataclasses import replace

from consumer.core.outcome import Outcome
from tests.integration.remediations.cases import TLS
from tests.integration.remediations.workbench import Workbench, repaired_and_undone


def test_old_versions_are_taken_out(bench: Workbench) -> None:
    """What was accepted and may be stays accepted; nothing is added, and cipher suites stay through all of it."""
    ending = repaired_and_undone(bench, TLS)

    assert json.loads(ending.after)["versions"] == ["TLSv1.2"]
    assert bench.repair(TLS).outcome is Outcome.FIXED
    assert bench.settings()["https_config"]["cipher_suite"] == TLS.broken["https_config"]["cipher_suite"]


def test_a_bucket_without_a_setting_gets_all_wanted_versions(bench: Workbench) -> None:
    """Never configured means whatever the region accepts; undo switches the setting off again."""
    ending = repaired_and_undone(bench, replace(TLS, broken={}))

    assert json.loads(ending.after)["versions"] == ["TLSv1.2", "TLSv1.3"]


def test_other_versions_can_be_wanted(bench: Workbench) -> None:
    """The option goes with the parameter of the managed rule."""
    case = replace(TLS, options={"versions": ["TLSv1.3"]}, parameters={"tlsVersion": "TLSv1.3"})

    ending = repaired_and_undone(bench, case)

    assert json.loads(ending.after)["versions"] == ["TLSv1.3"]
