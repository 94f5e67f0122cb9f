"""Repairs single buckets with the real pipeline and the real SDK, and shows what that did to them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from consumer.aliyun.credentials import Credentials
from consumer.aliyun.oss.client import Oss, OssSettings
from consumer.aliyun.oss.endpoints import Endpoints
from consumer.aliyun.retry import Retrier, RetryPolicy
from consumer.core.event import Event
from consumer.core.message import Received
from consumer.core.observers import Hooks
from consumer.core.outcome import Ending, Outcome
from consumer.engine.change import ChangeMaker
from consumer.engine.delivery import Delivery
from consumer.engine.lease import Lease
from consumer.engine.pipeline import Pipeline
from consumer.engine.routing import Routing
from consumer.guards.chain import Guards
from consumer.guards.rule import Mode, Rule, Selector
from consumer.remediations.base import Change, Remediation
from consumer.remediations.catalogue import catalogue
from consumer.resources.base import Resource
from consumer.resources.oss.bucket import Bucket
from consumer.resources.oss.kind import BUCKETS
from consumer.resources.ram_actions import actions_of
from emulator.client import Emulator
from tests.integration.conftest import FixedCredentials, Recorder

BUCKET = "photos"


@dataclass(frozen=True, slots=True)
class Case:
    """One repair, a bucket that needs it and the managed rule that says so."""

    remediation: str
    broken: Mapping[str, Any]
    """The bucket's settings, as the control port takes them."""
    rule: str = ""
    """Identifier of the managed rule; empty where none looks at this."""
    options: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of the managed rule."""

    def build(self) -> Remediation[Any]:
        """The remediation with these options."""
        kind = catalogue()[self.remediation]
        return kind(kind.Options.model_validate(self.options))


class Interrupted(Lease):
    """A lease that never ends. It is checked between the look and the change: then something happens, once."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__("m-1", "h", 0.0, float("inf"))
        self._happenings = [meanwhile]

    def held(self, now: float) -> bool:  # noqa: ARG002 - whenever that is
        while self._happenings:
            self._happenings.pop()()
        return True


class Workbench:
    """One emulator, one worker's pipeline, and a record of every request."""

    def __init__(self, emulator: Emulator, recorder: Recorder) -> None:
        self.emulator = emulator
        known = emulator.endpoints
        hooks = Hooks((recorder,))
        self._recorder = recorder
        self._account_id, self._region = known.account_id, known.region
        settings = OssSettings(Endpoints({"*": known.oss}), call_timeout_seconds=5)
        key = Credentials(known.access_key_id, known.access_key_secret, "")
        self._slept_seconds = 0.0
        self._changes = ChangeMaker(Hooks(), monotonic=self._monotonic, pause=self.sleep)
        retrier = Retrier(RetryPolicy(4, 0.001, 0.002), hooks, threading.Event())
        self._oss = Oss(settings, FixedCredentials(key), hooks, retrier)

    def close(self) -> None:
        """Close the connections."""
        self._oss.close()

    def create(self, case: Case) -> None:
        """Make the bucket that needs the repair, and switch its managed rule on."""
        self.emulator.create_buckets([BUCKET], **case.broken)
        if case.rule:
            if any(judged.identifier == case.rule for judged in self.emulator.compliance()):
                self.emulator.config.remove_rule(case.rule)
            self.emulator.config.add_rule(case.rule, parameters=dict(case.parameters))

    def repair(self, case: Case, *, mode: Mode = Mode.ENFORCE, meanwhile: Callable[[], object] = bool) -> Ending:
        """One delivery about the bucket; `meanwhile` happens between the look at it and the change."""
        self._recorder.calls.clear()
        rule = Rule("the-rule", Selector(), case.build(), mode, hold_seconds=600)
        pipeline = Pipeline(
            Routing([rule], {self._account_id}, self._region),
            self._open,
            Guards(confirm=lambda *_: ""),  # what the evaluator has to confirm is tested elsewhere
            self._changes,
            work_budget_seconds=60,
            monotonic=self._monotonic,
        )

        delivery = Delivery(Received("m-1", "", "h", 1, 0, 0, 60.0), Interrupted(meanwhile), 0.0)
        delivery.event, delivery.rule, delivery.resource = self._event(case), rule, self._resource()
        return pipeline.repair(delivery)

    def sleep(self, seconds: float) -> None:
        """Let time pass, for the services and for the worker."""
        self._slept_seconds += seconds
        self.emulator.advance(seconds)

    def undo(self, case: Case, ending: Ending) -> None:
        """Take the repair back, after a look whether the bucket is still as the repair left it."""
        self._recorder.calls.clear()
        remediation, bucket = case.build(), self.bucket()
        assert remediation.plan(remediation.inspect(bucket, bucket.info())).state == ending.after
        remediation.revert(bucket, Change(ending.before, ending.after))

    def bucket(self) -> Bucket:
        """The bucket, as a remediation gets it."""
        return self._open(self._resource(), lambda: float("inf"))

    def settings(self) -> dict[str, Any]:
        """Everything configured on the bucket, from the emulator itself."""
        return self.emulator.control.call("GET", f"/buckets/{BUCKET}")

    def verdict(self, case: Case) -> str:
        """What Cloud Config says about the bucket now."""
        judged = {each.identifier: each.compliance for each in self.emulator.compliance() if each.resource_id == BUCKET}
        return judged[case.rule]

    @property
    def actions(self) -> set[str]:
        """RAM actions of every request since the last repair or undo began."""
        operations = {call.operation for call in self._recorder.calls} - {"GetBucketInfo"}
        return {action for operation in operations for action in actions_of("oss", operation)}

    def changes(self) -> list[str]:
        """What was changed by signed requests, in order: buckets that a test makes are not among it."""
        return [entry.operation for entry in self.emulator.journal(service="oss", changed=True) if entry.access_key_id]

    def _monotonic(self) -> float:
        return time.monotonic() + self._slept_seconds

    def _open(self, resource: Resource, until: Callable[[], float]) -> Bucket:
        return self._oss.open(resource, until)

    def _resource(self) -> Resource:
        return BUCKETS.resource(self._account_id, self._region, BUCKET)

    def _event(self, case: Case) -> Event:
        return Event(
            config_rule_id="cr-1",
            config_rule_name="a rule",
            source_identifier=case.rule,
            resource_type="ACS::OSS::Bucket",
            resource_id=BUCKET,
            region=self._region,
            account_id=self._account_id,
            risk_level="warning",
            evaluated_at_ms=1_700_000_000_000,
            notified_at_ms=1_700_000_000_000,
            request_id="",
        )


def repaired_and_undone(bench: Workbench, case: Case) -> Ending:
    """From broken over repaired to undone, with Cloud Config's word on each; returns the repair's ending."""
    bench.create(case)
    found, remediation = bench.settings(), case.build()
    assert not case.rule or bench.verdict(case) == "NON_COMPLIANT"

    ending = bench.repair(case)

    assert ending.outcome is Outcome.FIXED, ending
    assert not case.rule or bench.verdict(case) == "COMPLIANT"
    assert bench.actions <= {*remediation.actions, *remediation.optional_actions}
    changed = bench.changes()
    assert bench.repair(case).outcome is Outcome.ALREADY_COMPLIANT
    assert bench.changes() == changed, "a second delivery changes nothing"

    bench.undo(case, ending)

    assert bench.actions <= {*remediation.actions, *remediation.undo_actions}
    assert bench.settings() == found
    return ending
