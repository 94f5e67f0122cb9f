"""Hostile bodies through decode, match and guard: a reason or a safe resource, and never anything else.

`FUZZ_EXAMPLES` sets the number of bodies; a long run takes a million.
"""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from hypothesis import HealthCheck, event, example, given, settings

from consumer.aliyun.oss.endpoints import Endpoints
from consumer.core.errors import InvalidMessage
from consumer.core.event import ACCOUNT_ID, REGION, Event, OtherMessage, decode
from consumer.core.observers import Hooks
from consumer.core.outcome import SETTLED_BY, Outcome, Settlement
from consumer.engine.change import ChangeMaker
from consumer.engine.delivery import Delivery
from consumer.engine.pipeline import Pipeline
from consumer.engine.routing import Routing
from consumer.guards.chain import Guards
from consumer.guards.rule import Mode, Rule, Selector
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions
from consumer.resources.base import Resource
from tests.unit.bodies import ACCOUNT, VARIANTS, event_body, text_of
from tests.unit.fakes import Clock, FakeBucket, FakeBuckets, delivery, received
from tests.unit.strategies import bodies

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "3000"))

OVERRIDE = "http://127.0.0.1:9000"
ENDPOINTS = (Endpoints(), Endpoints(internal=True), Endpoints({"*": OVERRIDE}), Endpoints({"cn-beijing": OVERRIDE}))
SUFFIX = ".aliyuncs.com"


def _rule(mode: Mode) -> Rule:
    return Rule("any", Selector(rule_names=("*",)), BucketAcl(BucketAclOptions()), mode, 60.0)


BUCKETS = FakeBuckets()
CLOCK = Clock()

PIPELINES = [
    Pipeline(
        Routing([_rule(mode)], {ACCOUNT}, "cn-shanghai"),
        lambda resource, _until: FakeBucket(BUCKETS, resource.resource_id),
        Guards(),
        ChangeMaker(Hooks(), monotonic=CLOCK),
        work_budget_seconds=1.0,
        monotonic=CLOCK,
    )
    for mode in Mode
]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(bodies)
@example(event_body())
@example(event_body(regionId="evil.example/x#"))
@example(text_of(VARIANTS["oldest"]))
def test_no_body_chooses_a_host_a_bucket_or_an_account(body: str) -> None:
    """Every body is refused by name, dismissed, or names a resource whose every host is one of ours."""
    try:
        found: Event | OtherMessage | InvalidMessage = decode(body)
    except InvalidMessage as refused:
        found = refused
    match found:
        case InvalidMessage():
            event(f"invalid: {found.reason}")
            assert found.reason.isidentifier()
        case Event():
            assert not found.region or REGION.fullmatch(found.region)
            assert ACCOUNT_ID.fullmatch(found.account_id)
            texts = (found.config_rule_id, found.resource_id, found.resource_type, found.source_identifier)
            assert all(text.isprintable() for text in texts)
            assert not any(ord(character) < 0x20 for character in found.config_rule_name)
            event("event")
        case OtherMessage(kind):
            event("other message")
            assert kind.isprintable()
            assert 0 < len(kind) <= 64
    _check_triage(body)


def _check_triage(body: str) -> None:
    for pipeline in PIPELINES:
        found = delivery(CLOCK, received(body=body))
        pipeline.triage(found)
        if ending := found.ending:
            kept = SETTLED_BY[ending.outcome] is not Settlement.DELETE
            assert kept or (ending.outcome is Outcome.NOT_OURS and ending.reason in ("other_message", "no_rule"))
            assert ending.outcome is not Outcome.INVALID or found.event is None
        else:
            assert found.resource is not None
            _check_resource(found.resource)
            _check_repair(pipeline, found, found.resource)


def _check_resource(resource: Resource) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", resource.resource_id, re.ASCII)
    assert REGION.fullmatch(resource.region)
    assert resource.account_id == ACCOUNT
    for endpoints in ENDPOINTS:
        url = endpoints.url(resource.region)
        host = urlsplit(url).hostname or ""
        assert url == OVERRIDE or (host.endswith(SUFFIX) and url == f"https://{host}")
        assert all(0 < len(label) <= 63 for label in host.split("."))


def _check_repair(pipeline: Pipeline, found: Delivery, resource: Resource) -> None:
    """Only a rule that enforces changes anything, and only the bucket that the checked resource names."""
    BUCKETS.info.clear()
    BUCKETS.calls.clear()
    BUCKETS.add(resource.resource_id)
    ending = pipeline.repair(found)
    if found.rule and found.rule.mode is Mode.OBSERVE:
        assert ending.outcome is Outcome.WOULD_FIX
        assert BUCKETS.calls == ["info"]
    else:
        assert ending.outcome in (Outcome.FIXED, Outcome.HELD)
    assert list(BUCKETS.info) == [resource.resource_id]
