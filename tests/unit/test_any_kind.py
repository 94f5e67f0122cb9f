"""The way of a message for a kind of resource that nothing in the engine has ever heard of."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from consumer.core.errors import PermissionMissing, ResourceGone
from consumer.core.observers import Hooks, StepName
from consumer.core.outcome import Ending, Outcome
from consumer.engine.change import ChangeMaker
from consumer.engine.coalescing import Groups
from consumer.engine.dead_letter import DeadLetterTarget, compose
from consumer.engine.delivery import Delivery
from consumer.engine.pipeline import Pipeline
from consumer.engine.routing import Routing
from consumer.guards.breaker import BreakerPolicy, LocalBreakers
from consumer.guards.chain import Guards
from consumer.guards.contest import ContestPolicy, LocalContest
from consumer.guards.exemptions import Exemption
from consumer.guards.rule import Mode, Rule, Selector
from consumer.journal.file import JournalFile
from consumer.journal.writer import JournalWriter
from consumer.remediations.base import Options
from consumer.resources.base import Resource
from consumer.resources.oss.kind import BUCKETS
from tests.unit.bodies import ACCOUNT, event_body
from tests.unit.fakes import Clock, delivery, received
from tests.unit.lamps import LAMP, LAMPS, House, LampKind, SwitchOff

NAME = "sg0bp67acfmxazb4p"
"""A lamp's name, a bucket's, and nearly a security group's."""


class Scene:
    """A house, a rule and a pipeline."""

    def __init__(self, *, mode: Mode = Mode.ENFORCE, guards: Guards | None = None, hooks: Hooks | None = None) -> None:
        self.house = House()
        self.house.add(NAME, ACCOUNT)
        self.rule = Rule("lamps-off", Selector(rule_names=("*",)), SwitchOff(Options()), mode, 60.0)
        self.clock = Clock()
        self.pipeline = Pipeline(
            Routing([self.rule], {ACCOUNT}, "moon-2"),
            self.house.open,
            guards or Guards(),
            ChangeMaker(hooks or Hooks(), monotonic=self.clock, pause=lambda _seconds: False),
            work_budget_seconds=45.0,
            monotonic=self.clock,
        )

    def deliver(self, **changes: Any) -> tuple[Delivery, Ending]:
        """One event about the lamp, carried to its ending."""
        event = {"resourceType": LAMP, "resourceId": NAME, "regionId": "moon-1", **changes}
        found = delivery(self.clock, received(body=event_body(**event)))
        self.pipeline.triage(found)
        found.ending = found.ending or self.pipeline.repair(found)
        return found, found.ending


def test_it_is_repaired_and_read_back() -> None:
    """Looked at, changed, looked at again, and nothing else; its requests are named in the report."""
    scene = Scene()
    found, ending = scene.deliver()
    assert (ending.outcome, ending.before, ending.after) == (Outcome.FIXED, "on", "off")
    assert scene.house.calls == ["identity", "switch", "identity"]
    assert found.timings.request_ids == ("request-1", "request-2", "request-3")
    assert scene.deliver()[1].outcome is Outcome.ALREADY_COMPLIANT


@pytest.mark.parametrize(
    ("changes", "outcome", "reason", "detail"),
    [
        ({"resourceType": "ACS::OSS::Bucket"}, Outcome.REJECTED, "wrong_resource_type", LAMP),
        ({"resourceId": "../lamp"}, Outcome.REJECTED, "invalid_lamp_name", "lamp name"),
        ({"resourceId": "another"}, Outcome.GONE, "no_such_lamp", "the lamp does not exist"),
    ],
)
def test_it_is_called_what_its_kind_calls_it(
    changes: dict[str, str], outcome: Outcome, reason: str, detail: str
) -> None:
    """Reasons and sentences name the kind."""
    ending = Scene().deliver(**changes)[1]
    assert (ending.outcome, ending.reason) == (outcome, reason)
    assert detail in ending.detail


def test_somebody_elses_is_left_alone() -> None:
    """The owner is what the service says, whatever the kind."""
    scene = Scene()
    scene.house.add(NAME, "100200300400500")
    ending = scene.deliver()[1]
    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "not_owner")
    assert ending.detail == "the lamp belongs to another account than the event says"
    assert scene.house.calls == ["identity"]


def test_the_repairs_own_accident_is_recovered_after_the_read_back() -> None:
    """The lamp was taken down between look and change; switching has made another one."""
    scene = Scene()
    scene.house.before["switch"] = deque([lambda: scene.house.lamps.clear()])
    ending = scene.deliver()[1]
    assert (ending.outcome, ending.reason) == (Outcome.GONE, "taken_down")
    assert scene.house.lamps == {}


def test_and_after_a_change_that_nobody_answered() -> None:
    """Unanswered is not undone: the accident is recovered, and the delivery is tried again."""
    scene = Scene()
    scene.house.loses_answers = True
    scene.house.before["switch"] = deque([lambda: scene.house.lamps.clear()])
    assert scene.deliver()[1].outcome is Outcome.FAILED
    assert scene.house.lamps == {}


def test_a_missing_permission_names_the_services_own_action() -> None:
    """Not OSS's: whoever grants it has to know where."""
    scene = Scene()

    def refuse() -> None:
        raise PermissionMissing("light", "SwitchLamp", "Forbidden.RAM", "no")

    scene.house.before["switch"] = deque([refuse])
    ending = scene.deliver()[1]
    assert (ending.outcome, ending.missing_action) == (Outcome.HELD, "light:SwitchLamp")


def test_exemptions_go_by_id_live_region_and_tags() -> None:
    """As with buckets."""
    exemption = Exemption(
        "night",
        "ops",
        "it is dark",
        float("inf"),
        resources=("sg0*",),
        regions=frozenset({"moon-1"}),
        tags=(("k", "*"),),
    )
    scene = Scene(guards=Guards(exemptions=[exemption]))
    assert scene.deliver()[1].outcome is Outcome.FIXED
    scene.house.add(NAME, ACCOUNT)
    scene.house.tags["k"] = "v"
    assert scene.deliver()[1].outcome is Outcome.EXEMPT


def test_the_journal_names_type_and_incarnation(tmp_path: Path) -> None:
    """So that undo, and whoever reads it, knows which lamp was switched off."""
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(JournalFile(path), who="test")
    scene = Scene(hooks=Hooks((), (writer,)))
    found, ending = scene.deliver()
    writer.step(found.step(StepName.VERIFIED, before=ending.before, after=ending.after, ending=ending))
    writer.close()
    before, changed, verified = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    for line in (before, changed, verified):
        assert (line["resource_type"], line["resource"], line["incarnation"]) == (LAMP, NAME, "lamp number 1")


def test_a_dead_letter_names_the_type() -> None:
    """A redrive and whoever looks at it know what it is about."""
    found, _ = Scene().deliver(resourceId="-")
    letter = json.loads(compose(found, DeadLetterTarget("the-queue"), 1))
    assert (letter["resource_type"], letter["resource_id"]) == (LAMP, "-")


class _Clumsy(LampKind):
    """Somebody's kind with a fault in it."""

    def names(self, resource_id: str) -> bool:
        """Has never seen such an id."""
        raise IndexError(resource_id)


def test_a_fault_in_a_kind_is_an_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that died of it would take the other messages with it, and meet this one again."""
    scene = Scene()
    monkeypatch.setattr(SwitchOff, "kind", _Clumsy())
    ending = scene.deliver()[1]
    assert (ending.outcome, ending.reason, ending.error_class) == (Outcome.FAILED, "internal_error", "IndexError")


class _Knowing(LampKind):
    """Somebody's kind that can tell by an id alone that there is no such lamp."""

    def names(self, resource_id: str) -> bool:
        """It was sold."""
        raise ResourceGone("light", "ParseLamp", "Sold", resource_id)


def test_a_kind_that_ends_it_before_the_look_is_named_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a look: the rule says which kind it is about."""
    scene = Scene()
    monkeypatch.setattr(SwitchOff, "kind", _Knowing())
    assert scene.deliver()[1] == Ending(Outcome.GONE, "no_such_lamp", "the lamp does not exist")


def test_a_fault_in_a_target_is_an_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not even say what was requested."""
    monkeypatch.setattr(House, "open", lambda *_: object())
    assert Scene().deliver()[1].outcome is Outcome.FAILED


BUCKET = BUCKETS.resource(ACCOUNT, "moon-1", NAME)
SAME_NAME = LAMPS.resource(ACCOUNT, "moon-1", NAME)


def in_work(resource: Resource) -> Delivery:
    """A delivery about it."""
    found = delivery(Clock())
    found.resource = resource
    return found


def test_a_bucket_and_a_lamp_of_one_name_do_not_wait_for_each_other() -> None:
    """Two kinds, two groups, each with a worker of its own."""
    groups = Groups()
    assert groups.join(in_work(BUCKET))
    assert groups.join(in_work(SAME_NAME))
    assert not groups.join(in_work(SAME_NAME))


def test_regions_that_events_claim_make_no_second_group() -> None:
    """One resource is worked on by one thread at a time, also while an event names a wrong region."""
    groups = Groups()
    assert groups.join(in_work(BUCKET))
    assert not groups.join(in_work(BUCKETS.resource(ACCOUNT, "moon-2", NAME)))


def test_a_bucket_and_a_lamp_of_one_name_are_not_contested_together() -> None:
    """Nor does one stand for the other under a breaker."""
    contest = LocalContest(ContestPolicy(max_fixes=1))
    contest.fixed("rule", BUCKET, 1.0)
    assert contest.found_broken("rule", SAME_NAME, 2.0) == 0
    assert contest.found_broken("rule", BUCKET, 2.0) > 0
    breakers = LocalBreakers(BreakerPolicy(attempts=4, min_attempts=2, max_failure_share=1.0))
    for resource in (BUCKET, SAME_NAME):
        breakers.record(breakers.admit("rule", resource.key, 1.0), failed=True, now=1.0)  # type: ignore[arg-type]
    assert breakers.open_rules() == {"rule"}, "two resources were judged, not one"
