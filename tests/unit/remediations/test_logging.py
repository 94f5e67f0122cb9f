"""Where access logs are to go."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from consumer.core.errors import Refused
from consumer.remediations.base import Grant
from consumer.remediations.oss.access_logging import LoggingState
from consumer.resources.oss.settings import Logging
from tests.unit.remediations.findings import planned, remediation


def state(logging: Logging | None = None, bucket: str = "photos") -> LoggingState:
    return LoggingState(bucket, "cn-beijing", logging)


def test_the_region_is_put_into_the_targets_name() -> None:
    """One rule serves every region."""
    after = planned(remediation("oss.logging", target_bucket="logs-{region}"), state())

    assert after == {"target_bucket": "logs-cn-beijing", "target_prefix": "oss-accesslog/", "role": ""}


def test_a_bucket_that_logs_already_keeps_its_target() -> None:
    """Only the prefix is changed, and only when told to; the role stays."""
    theirs = Logging("theirs", "logs/", "their-role")

    assert planned(remediation("oss.logging", target_bucket="logs"), state(theirs)) is None
    replacing = remediation("oss.logging", target_bucket="logs", replace_prefix=True)
    assert planned(replacing, state(theirs)) == {
        "target_bucket": "theirs",
        "target_prefix": "oss-accesslog/",
        "role": "their-role",
    }


def test_the_target_never_logs_into_itself() -> None:
    """Refused in the plan, so that observing says it too."""
    with pytest.raises(Refused, match="target of its own"):
        remediation("oss.logging", target_bucket="logs-{region}").plan(state(bucket="logs-cn-beijing"))


def test_the_target_needs_a_permission_of_its_own() -> None:
    """Whoever switches logging on has to be allowed to write there."""
    repair = remediation("oss.logging", target_bucket="logs-{region}")

    assert repair.further_grants() == (Grant("oss:PutObject", "acs:oss:*:*:logs-*/*"),)


@pytest.mark.parametrize("name", ["", "Logs", "logs/{region}", "{account}", "a"])
def test_what_can_be_no_bucket_is_no_target(name: str) -> None:
    """A mistake in the configuration is found before any event comes."""
    with pytest.raises(ValidationError, match="not a bucket name"):
        remediation("oss.logging", target_bucket=name)
