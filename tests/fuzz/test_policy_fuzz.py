"""Bucket policies nobody has seen: read without a traceback, and never called closed while the service calls them open.

`FUZZ_EXAMPLES` sets the number of policies, as for bodies; the emulator judges from its own reading of the page.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from consumer.core.errors import Refused
from consumer.remediations.base import Change, ReportOnly
from consumer.remediations.oss._policy import PolicyState
from consumer.resources.oss.policy import admits_everyone, read
from consumer.resources.oss.policy_document import canonical
from emulator.oss.public_policy import public_policy
from tests import policies
from tests.unit.remediations.findings import remediation

_long = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "3000")) // 3,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_any_policy = st.one_of(policies.documented, policies.odd, policies.edited, st.text())


@given(policy=policies.documented)
@_long
def test_documented_policies_are_read_alike(policy: str) -> None:
    """In both directions."""
    assert bool(read(policy).public) == public_policy(policy)


@given(policy=_any_policy)
@_long
def test_what_is_called_closed_is_closed(policy: str) -> None:
    """Whatever the text; stricter than the service is fine, laxer never is."""
    closed = not admits_everyone(policy)
    event("closed" if closed else "open or doubted")

    assert not (closed and public_policy(policy))


@given(policy=_any_policy, keep_restricted=st.booleans())
@_long
def test_a_repair_closes_or_leaves_it_to_a_person(policy: str, keep_restricted: bool) -> None:
    """Planned to its end: closed by the service's word, or refused; one change is enough either way."""
    repair = remediation("oss.bucket-policy-public", keep_restricted=keep_restricted)
    text: str | None = policy
    try:
        for _ in range(2):
            text = canonical(text)
            finding = repair.plan(PolicyState("photos", "1234567890123456", text))
            if isinstance(finding, ReportOnly):
                event("left to a person")
                return
            if not isinstance(finding, Change):
                break
            text = None if finding.after == "null" else finding.after
        else:
            raise AssertionError("a second look found something else to change")
    except Refused:
        event("left to a person")
        return
    event("closed")
    assert not public_policy(text)
