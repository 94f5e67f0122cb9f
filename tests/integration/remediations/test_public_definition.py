"""The worker and the service's definition, over generated policies: each reads the published page by itself.

The emulator answers GetBucketPolicyStatus from its own reading of "Block Public Access"; the two share no code. A
difference is a fault in one of them, or a row of the page that means something else than one of them thinks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import alibabacloud_oss_v2 as v2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.core.outcome import SETTLED_BY, Outcome, Settlement
from consumer.resources.oss.policy import admits_everyone, read
from emulator.client import Emulator
from tests import policies
from tests.integration.remediations.cases import POLICY
from tests.integration.remediations.workbench import BUCKET, Workbench

_over_http = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


class Service:
    """The emulator's own reading, asked over HTTP with the vendor's SDK."""

    def __init__(self, emulator: Emulator) -> None:
        known = emulator.endpoints
        key = v2.credentials.StaticCredentialsProvider(known.access_key_id, known.access_key_secret)
        self._client = v2.Client(v2.Config(region=known.region, endpoint=known.oss, credentials_provider=key))
        self._emulator = emulator
        emulator.create_buckets([BUCKET])

    def put(self, policy: str) -> None:
        """Give the bucket a policy, unchecked: also one that the service would not take today."""
        self._emulator.change_bucket(BUCKET, policy=policy)

    def is_public(self) -> bool:
        """What GetBucketPolicyStatus answers."""
        found: Any = self._client.get_bucket_policy_status(v2.GetBucketPolicyStatusRequest(bucket=BUCKET))
        return bool(found.policy_status.is_public)


@pytest.fixture
def service(emulator: Emulator) -> Service:
    """An emulator with one bucket."""
    return Service(emulator)


@given(policy=policies.documented)
@_over_http
def test_documented_policies_are_read_alike(service: Service, policy: str) -> None:
    """Whatever the page defines has one meaning, in both directions."""
    found = read(policy)
    service.put(policy)

    assert not found.doubts
    assert bool(found.public) == service.is_public()


@given(policy=st.one_of(policies.odd, policies.edited))
@_over_http
def test_what_the_worker_calls_closed_is_closed(service: Service, policy: str) -> None:
    """Where the page says nothing the worker may be stricter than the service, never laxer."""
    service.put(policy)

    if not admits_everyone(policy):
        assert not service.is_public()


@given(policy=st.one_of(policies.documented, policies.odd, policies.edited), keep_restricted=st.booleans())
@_over_http
def test_no_repair_ends_well_while_anyone_gets_in(
    bench: Workbench, service: Service, policy: str, keep_restricted: bool
) -> None:
    """Through the whole pipeline: fixed and already compliant are said of closed buckets only."""
    service.put(policy)
    case = replace(POLICY, options={"keep_restricted": keep_restricted})

    ending = bench.repair(case)

    if SETTLED_BY[ending.outcome] is Settlement.DELETE:
        assert ending.outcome in (Outcome.FIXED, Outcome.ALREADY_COMPLIANT)
        assert not service.is_public()
    else:
        assert ending.outcome in (Outcome.REJECTED, Outcome.FAILED), ending
