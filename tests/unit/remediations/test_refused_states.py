"""What a repair refuses to judge, to change or to take back: named by one word, with what was found, for a person."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.core.errors import Refused
from consumer.remediations.base import Change
from consumer.remediations.oss.access_logging import LoggingState
from consumer.remediations.oss.zone_redundancy import Redundancy
from consumer.resources.oss.settings import Encryption
from tests.unit.remediations.findings import remediation

MOVE = {"acknowledge_one_way_and_cost": True}
REPORTED = "no safe repair exists for this rule; a person has to look at the bucket"
NOBODY: Any = None
"""No bucket: nothing may be asked of one."""


@pytest.mark.parametrize(
    ("name", "options", "state", "reason", "text"),
    [
        (
            "oss.bucket-acl",
            {"drop": "write"},
            "default",
            "acl_not_understood",
            "it is not known what the ACL 'default' allows",
        ),
        (
            "oss.encryption",
            {},
            Encryption("ROT13"),
            "encryption_not_understood",
            "it is not known how strong 'ROT13' encrypts by default",
        ),
        (
            "oss.encryption",
            {},
            Encryption("KMS", "", "ROT13"),
            "encryption_not_understood",
            "it is not known how strong 'KMS ROT13' encrypts by default",
        ),
        (
            "oss.logging",
            {"target_bucket": "logs-{region}"},
            LoggingState("logs-cn-beijing", "cn-beijing", None),
            "logs_into_itself",
            "the bucket is the target of access logs; it needs a target of its own",
        ),
        (
            "oss.zrs",
            MOVE,
            Redundancy("XRS", ()),
            "redundancy_not_understood",
            "it is not known what redundancy 'XRS' is",
        ),
    ],
)
def test_a_state_that_is_not_judged_is_named(
    name: str, options: dict[str, Any], state: object, reason: str, text: str
) -> None:
    """Whoever gets the dead letter has to know what the worker did not understand."""
    with pytest.raises(Refused) as refused:
        remediation(name, **options).plan(state)
    assert (refused.value.reason, str(refused.value)) == (reason, text)


@pytest.mark.parametrize(
    ("name", "options", "reason", "text"),
    [
        ("oss.report", {}, "report_only", "nothing was changed"),
        ("oss.zrs", MOVE, "irreversible", "a bucket with zone redundancy never goes back to local redundancy"),
    ],
)
def test_what_cannot_be_taken_back_says_why(name: str, options: dict[str, Any], reason: str, text: str) -> None:
    """Before anything is asked of a bucket."""
    with pytest.raises(Refused) as refused:
        remediation(name, **options).revert(NOBODY, Change("LRS", "ZRS"))
    assert (refused.value.reason, str(refused.value)) == (reason, text)


def test_what_is_only_reported_is_never_changed() -> None:
    """Not even if something plans a change for it."""
    with pytest.raises(Refused) as refused:
        remediation("oss.report").apply(NOBODY, Change("", "changed"))
    assert (refused.value.reason, str(refused.value)) == ("report_only", REPORTED)


@pytest.mark.parametrize("name", ["oss.versioning", "oss.encryption", "ecs.revoke-public-ingress"])
def test_a_text_that_is_no_state_is_quoted(name: str) -> None:
    """A journal's line may be of another version, or of nobody's; it is cut where it is long."""
    repair: Any = remediation(name)
    with pytest.raises(Refused) as refused:
        repair.notation.state("{nonsense}")
    assert refused.value.reason == "state_not_understood"
    assert str(refused.value) == "'{nonsense}' is no state of this setting"
