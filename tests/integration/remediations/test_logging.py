"""Access logs: to the region's target, under the wanted prefix, never in a circle."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.outcome import Outcome
from tests.integration.remediations.cases import LOGGING
from tests.integration.remediations.workbench import BUCKET, Workbench, repaired_and_undone

TARGET = "access-logs-cn-hangzhou"
PREFIX = replace(LOGGING, rule="oss-bucket-logging-prefix-match", options={**LOGGING.options, "replace_prefix": True})


def test_a_bucket_without_logs_gets_them_in_its_regions_target(bench: Workbench) -> None:
    """The placeholder becomes the bucket's region; undo switches logging off."""
    bench.emulator.create_buckets([TARGET])

    repaired_and_undone(bench, LOGGING)
    bench.repair(LOGGING)

    assert bench.settings()["logging"] == {
        "target_bucket": TARGET,
        "target_prefix": "oss-accesslog/",
        "role": None,
    }


def test_another_prefix_is_replaced_and_the_target_stays(bench: Workbench) -> None:
    """Whoever chose where the logs go, and which role writes them, keeps that."""
    bench.emulator.create_buckets(["somewhere"])
    case = replace(
        PREFIX, broken={"logging": {"target_bucket": "somewhere", "target_prefix": "logs/", "role": "log-writer"}}
    )

    repaired_and_undone(bench, case)
    bench.repair(case)

    assert bench.settings()["logging"] == {
        "target_bucket": "somewhere",
        "target_prefix": "oss-accesslog/",
        "role": "log-writer",
    }


def test_a_bucket_that_logs_somewhere_is_left_alone(bench: Workbench) -> None:
    """Logging is on, so the rule is content and so is the repair."""
    case = replace(LOGGING, broken={"logging": {"target_bucket": "somewhere", "target_prefix": "logs/"}})
    bench.create(case)

    assert bench.repair(case).outcome is Outcome.ALREADY_COMPLIANT


def test_the_target_never_logs_into_itself(bench: Workbench) -> None:
    """Logs about writing logs would never end: a person has to choose a target for the target."""
    case = replace(LOGGING, options={"target_bucket": BUCKET})
    bench.create(case)

    ending = bench.repair(case)

    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "logs_into_itself")
    assert bench.changes() == []


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        (None, "requester is not target bucket owner"),
        ({"owner_id": "9999999999999999"}, "owner"),
        ({"region": "cn-beijing"}, "another region"),
    ],
    ids=["missing", "another-owner", "another-region"],
)
def test_a_bad_target_is_rejected_in_the_services_words(
    bench: Workbench, target: dict[str, str] | None, problem: str
) -> None:
    """What the service does not take as a target is a mistake in the configuration, not a passing trouble."""
    if target is not None:
        bench.emulator.create_buckets([TARGET], **target)
    bench.create(LOGGING)

    ending = bench.repair(LOGGING)

    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "InvalidTargetBucketForLogging")
    assert problem in ending.detail
