"""Hotlink protection: lists are merged, and what no list is about stays."""

from __future__ import annotations

from dataclasses import replace

from tests.integration.remediations.cases import REFERER
from tests.integration.remediations.workbench import Workbench, repaired_and_undone


def test_protection_is_switched_on_and_everything_else_stays(bench: Workbench) -> None:
    """Denied referers and both path options survive the write, which replaces the whole document."""
    repaired_and_undone(bench, REFERER)
    before = bench.settings()["referer"]

    bench.repair(REFERER)

    assert bench.settings()["referer"] == {**before, "allowed": ["https://*.example.com"]}
    assert before["truncate_path"] is True


def test_referers_are_added_to_those_there_are(bench: Workbench) -> None:
    """By default nobody's site is taken out."""
    case = replace(REFERER, rule="", broken={"referer": {"allowed": ["http://theirs.example"], "truncate_path": False}})

    repaired_and_undone(bench, case)
    bench.repair(case)

    assert bench.settings()["referer"]["allowed"] == ["http://theirs.example", "https://*.example.com"]


def test_the_rules_own_list_can_be_enforced(bench: Workbench) -> None:
    """With `exclusive` and `forbid_empty_referer` the bucket satisfies the strictest parameters of the rule."""
    case = replace(
        REFERER,
        broken={"referer": {"allowed": ["http://theirs.example", "https://*.example.com"], "truncate_path": False}},
        options={**REFERER.options, "exclusive": True, "forbid_empty_referer": True},
        parameters={"allowReferers": "https://*.example.com", "allowEmptyReferer": "false"},
    )

    repaired_and_undone(bench, case)
