"""When a policy already denies plain HTTP, and what is added when it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumer.remediations.oss._policy import PolicyState
from tests.unit.remediations.findings import planned, remediation

WHOLE = {
    "Effect": "Deny",
    "Action": ["oss:*"],
    "Principal": ["*"],
    "Resource": ["acs:oss:*:1:photos", "acs:oss:*:1:photos/*"],
    "Condition": {"Bool": {"acs:SecureTransport": ["false"]}},
}


def state(*statements: object) -> PolicyState:
    return PolicyState("photos", "1", json.dumps({"Version": "1", "Statement": list(statements)}, sort_keys=True))


def test_the_statement_is_added_once() -> None:
    """To a policy or to none; a second plan finds it there."""
    repair = remediation("oss.https-only")
    none = PolicyState("photos", "1", None)

    assert planned(repair, none) == {"Version": "1", "Statement": [WHOLE]}
    assert planned(repair, state(WHOLE)) is None


@pytest.mark.parametrize(
    "same",
    [
        {"Action": "*", "Principal": "*", "Resource": "*"},
        {"Resource": ["acs:oss:*:*:photos*"]},
        {"Condition": {"Bool": {"acs:SecureTransport": "false"}}},
    ],
    ids=["everything", "pattern", "text"],
)
def test_a_statement_that_says_the_same_is_enough(same: dict[str, Any]) -> None:
    """Whoever wrote it in other words is not given a second one."""
    assert planned(remediation("oss.https-only"), state({**WHOLE, **same})) is None


@pytest.mark.parametrize(
    "weaker",
    [
        {"Effect": "Allow"},
        {"Action": ["oss:GetObject"]},
        {"Principal": ["1111111111111111"]},
        {"Resource": ["acs:oss:*:1:photos/private/*"]},
        {"Resource": ["acs:oss:*:1:photos"]},
        {"Condition": {"Bool": {"acs:SecureTransport": ["true"]}}},
        {"Condition": {**WHOLE["Condition"], "IpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}}},  # type: ignore[dict-item]
        {"Condition": {}},
    ],
    ids=["allow", "action", "principal", "folder", "bucket-only", "tls", "network", "none"],
)
def test_a_statement_that_denies_less_is_completed(weaker: dict[str, Any]) -> None:
    """Part of the bucket, some callers or some actions are not the whole; the statement itself stays."""
    partial = {**WHOLE, **weaker}

    assert planned(remediation("oss.https-only"), state(partial))["Statement"] == [partial, WHOLE]
