"""Tags: added to those there are."""

from __future__ import annotations

from dataclasses import replace

from consumer.core.outcome import Outcome
from tests.integration.remediations.cases import TAGS
from tests.integration.remediations.workbench import BUCKET, Workbench, repaired_and_undone


def test_missing_tags_are_added(bench: Workbench) -> None:
    """The service's write replaces all tags; the one that was there is still there."""
    repaired_and_undone(bench, TAGS)
    bench.repair(TAGS)

    assert bench.settings()["tagging"] == {"owner": "web", "cost-center": "unknown"}


def test_a_bucket_without_tags_loses_them_again(bench: Workbench) -> None:
    """Undo of the first tag takes it away."""
    repaired_and_undone(bench, replace(TAGS, broken={}))


def test_a_value_is_replaced_only_when_configured(bench: Workbench) -> None:
    """What somebody has set is theirs, unless the rule's owner says otherwise."""
    case = replace(
        TAGS, broken={"tagging": {"cost-center": "4711"}}, parameters={"tag1Key": "cost-center", "tag1Value": "unknown"}
    )
    bench.create(case)
    ending = bench.repair(case)
    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "tag_value_differs")
    assert bench.verdict(case) == "NON_COMPLIANT"
    assert bench.changes() == []
    bench.emulator.delete_bucket(BUCKET)

    repaired_and_undone(bench, replace(case, options={**TAGS.options, "replace_values": True}))


def test_more_tags_than_the_service_takes_are_rejected(bench: Workbench) -> None:
    """Twenty is all; the twenty-first is refused and nothing is lost."""
    case = replace(TAGS, broken={"tagging": {f"tag-{number}": "x" for number in range(20)}})
    bench.create(case)

    ending = bench.repair(case)

    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "InvalidArgument")
    assert len(bench.settings()["tagging"]) == 20


def test_tags_that_cannot_be_sent_are_rejected(bench: Workbench) -> None:
    """The SDK refuses a key that is too long before sending it; that is no passing trouble either."""
    case = replace(TAGS, options={"tags": {"k" * 200: "x"}})
    bench.create(case)

    ending = bench.repair(case)

    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "invalid_request")
