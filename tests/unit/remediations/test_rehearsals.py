"""What a proof breaks: it breaks the rule, and its repair leaves exactly what was there."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.remediations.base import Change, Compliant, Remediation
from consumer.remediations.catalogue import catalogue
from consumer.remediations.oss._policy import PolicyState
from consumer.remediations.oss.access_logging import LoggingState
from consumer.resources.oss.policy_edits import with_https_only
from consumer.resources.oss.settings.access_logs import Logging
from consumer.resources.oss.settings.encryption import Encryption
from consumer.resources.oss.settings.https_config import HttpsConfig
from consumer.resources.oss.settings.referer import Referer
from tests.unit.remediations.findings import remediation

_OWNER = "1234567890123456"
_PAGES = ("https://*.example.com",)
_POLICY = with_https_only(None, "canary", _OWNER)
_LOGS = Logging("access-logs-cn-hangzhou", "oss-accesslog/")

PROVABLE: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "oss.bucket-acl": ({}, "private", "public-read"),
    "oss.block-public-access": ({}, True, False),
    "oss.encryption": ({}, Encryption("AES256"), None),
    "oss.https-only": ({}, PolicyState("canary", _OWNER, _POLICY), PolicyState("canary", _OWNER, None)),
    "oss.logging": (
        {"target_bucket": "access-logs-{region}"},
        LoggingState("canary", "cn-hangzhou", _LOGS),
        LoggingState("canary", "cn-hangzhou", None),
    ),
    "oss.referer": (
        {"referers": _PAGES},
        Referer(allowed=_PAGES, allow_empty=True),
        Referer(allowed=(), allow_empty=True),
    ),
    "oss.tags": (
        {"tags": {"cost-center": "unknown"}},
        {"config-remediator": "canary", "cost-center": "unknown"},
        {"config-remediator": "canary"},
    ),
    "oss.tls-version": (
        {},
        HttpsConfig(enabled=True, versions=("TLSv1.2",)),
        HttpsConfig(enabled=True, versions=("TLSv1.1", "TLSv1.2")),
    ),
}
"""Options, the state of a canary, and that state as it is broken."""
NEVER = frozenset(
    {
        "oss.bucket-policy-public",
        "oss.report",
        "oss.versioning",
        "oss.zrs",
        "ecs.revoke-public-ingress",
    }
)
"""What cannot be undone, is not harmless, or is no bucket."""


@pytest.mark.parametrize("name", PROVABLE)
def test_the_repair_of_a_break_leaves_what_was_there(name: str) -> None:
    """Broken it breaks the rule, and the plan for it is the state of before, to the letter."""
    options, state, broken = PROVABLE[name]
    repair = remediation(name, **options)
    found = repair.plan(state)
    rehearsal = repair.rehearsal(state)
    assert isinstance(found, Compliant)
    assert rehearsal == repair.plan(broken)
    assert isinstance(rehearsal, Change)
    assert (rehearsal.after, rehearsal.before != rehearsal.after) == (found.state, True)


@pytest.mark.parametrize(
    ("name", "options", "state"),
    [
        ("oss.bucket-acl", {"drop": "write"}, "private"),
        ("oss.bucket-acl", {}, "public-read"),
        ("oss.encryption", {}, Encryption("SM4")),
        ("oss.encryption", {}, Encryption("KMS", "a-key")),
        (
            "oss.referer",
            {"referers": _PAGES},
            Referer(allowed=("https://a.example", *_PAGES, "https://b.example"), allow_empty=True),
        ),
        (
            "oss.logging",
            {"target_bucket": "access-logs-{region}"},
            LoggingState("canary", "cn-hangzhou", Logging("elsewhere", "")),
        ),
        ("oss.tags", {"tags": {"team": "web"}, "any_value": True}, {"team": "mobile"}),
        (
            "oss.tls-version",
            {"versions": ("TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")},
            HttpsConfig(True, ("TLSv1.2",)),
        ),
    ],
)
def test_what_a_repair_would_leave_otherwise_is_not_broken(name: str, options: dict[str, Any], state: Any) -> None:
    """A canary with another setting than the repair makes is not touched; better not proved than not put back."""
    assert remediation(name, **options).rehearsal(state) is None


@pytest.mark.parametrize("name", sorted(PROVABLE.keys() - {"oss.bucket-acl"}))
def test_nothing_is_known_to_refuse_another_break_than_a_public_acl(name: str) -> None:
    """So nothing is looked for, and no obstacle is named."""
    assert remediation(name, **PROVABLE[name][0]).unbreakable(None) == ""


def test_what_stands_beside_the_statement_is_not_taken_away() -> None:
    """A policy that says more has no harmless break."""
    denial = '{"Action":["oss:GetObject"],"Effect":"Deny","Principal":["*"],"Resource":["acs:oss:*:*:canary/*"]}'
    more = _POLICY.replace('"Statement":[', f'"Statement":[{denial},')
    assert remediation("oss.https-only").rehearsal(PolicyState("canary", _OWNER, more)) is None


def test_every_repair_either_can_be_proved_or_never() -> None:
    """A new one has to be put in one of the two lists; nothing that is one-way is ever broken."""
    assert PROVABLE.keys() | NEVER == catalogue().keys()
    for name, kind in catalogue().items():
        assert not (name in PROVABLE and kind.one_way)
        assert (kind.harmless_breaks is Remediation.harmless_breaks) is (name in NEVER)


def test_what_may_let_everyone_in_says_so() -> None:
    """Those are left out unless somebody allows it."""
    assert {name for name, kind in catalogue().items() if kind.break_opens} == {
        "oss.bucket-acl",
        "oss.block-public-access",
    }
