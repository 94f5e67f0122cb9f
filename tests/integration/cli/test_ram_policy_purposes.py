"""What commands and workers really request, for every remediation, against the policy for that purpose alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from consumer.config import build_rules, load
from consumer.operator.permissions import Purpose, policy, reads
from consumer.operator.ram_policy import scope
from consumer.remediations.catalogue import catalogue
from emulator.client import Emulator
from tests.integration.cli.conftest import Cli
from tests.integration.cli.granting import ZRS, granted, needed, rule
from tests.integration.cli.test_ram_policy_requests import requests_of_a_worker
from tests.integration.conftest import FixedCredentials
from tests.integration.ecs.bench import SSH
from tests.integration.ecs.test_worker import PORTS, tables
from tests.integration.remediations.cases import ALL
from tests.integration.remediations.workbench import Case

GROUPS = Case("ecs.revoke-public-ingress", {}, PORTS)
REPORT = Case("oss.report", {"acl": "public-read"})
CASES = (*ALL, ZRS, REPORT, GROUPS)
_BY_LIST = {**SSH, "source_cidr_ip": "", "source_prefix_list_id": "pl-open"}
"""A rule of a group that nobody can judge without a look at what the list holds."""
FREE = ("sts", "GetCallerIdentity")
"""Needs no grant: https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-getcalleridentity"""
ONE_TASK, LISTED = (("oss", f"{verb}BucketDataRedundancyTransition") for verb in ("Get", "List"))
"""One address with and without a task's id; the emulator's journal has the first name for both, and no id is ever sent:
https://www.alibabacloud.com/help/en/oss/developer-reference/listbucketdataredundancytransition"""


@dataclass(frozen=True, slots=True)
class Place:
    """One broken resource, its event in the queue, and the one rule that is about it."""

    case: Case
    resource: str
    cli: Cli
    emulator: Emulator
    journal: Path

    def configure(self, mode: str = "enforce") -> None:
        """The rule, in this mode."""
        more = f'\n[journal]\npath = "{self.journal}"\n'
        self.cli.configure(rule(self.case, mode), more=more + (tables(self.emulator) if self.case is GROUPS else ""))

    def granted(self, purpose: Purpose) -> dict[str, Any]:
        """The policy for that purpose alone."""
        config = load(self.cli.path, {})
        return policy(build_rules(config), scope(config), [purpose])

    def requested(self, *arguments: str) -> set[tuple[str, str]]:
        """What a command sends that succeeds."""
        start = self.emulator.journal()[-1].sequence
        done = self.cli.run(*arguments)
        assert done.status in (0, 1, *([4] if self.case is REPORT else [])), done
        sent = {(entry.service, entry.operation) for entry in self.emulator.journal(start)} - {FREE}
        return {LISTED if each == ONE_TASK else each for each in sent}

    def commands(self) -> Iterator[tuple[Purpose, tuple[str, ...]]]:
        """What looks at the resource or changes it, in an order in which each has something to do."""
        yield Purpose.PEEK, ("peek",)
        yield Purpose.EXPLAIN, ("explain", self.resource)
        region = self.emulator.endpoints.region
        repair = ("repair", self.resource, "--rule", "the-rule", "--region", region)
        yield Purpose.REPAIR, repair
        remediation = catalogue()[self.case.remediation]
        if remediation.one_way or all(map(reads, remediation.actions)):
            return  # applied only with the evaluator's word and never undone, or a report, which changes nothing
        yield Purpose.REPAIR, (*repair, "--apply")
        lines = [json.loads(line) for line in self.journal.read_text(encoding="utf-8").splitlines()]
        (change,) = [line["hash"][:12] for line in lines if line["step"] == "verified"]
        yield Purpose.UNDO, ("undo", change, "--yes", "--weaken")


@pytest.fixture(params=CASES, ids=lambda case: case.remediation)
def place(request: pytest.FixtureRequest, cli: Cli, channel: Emulator, tmp_path: Path) -> Place:
    """Each remediation with a resource that it finds something on."""
    case = request.param
    channel.config.set_channel(non_compliance=False)
    if case is GROUPS:
        channel.config.add_rule(PORTS, rule_id="cr-ports")
        channel.put_prefix_list("pl-open", ["0.0.0.0/0"])
        channel.create_security_groups(["sg-web"], permissions=[_BY_LIST])
        channel.config.publish(security_group="sg-web", rule=PORTS)
    else:
        channel.create_buckets([f"access-logs-{channel.endpoints.region}"])
        channel.create_buckets(["photos"], **case.broken)
        channel.config.publish(bucket="photos", rule="oss-bucket-public-read-prohibited")
    made = Place(case, "sg-web" if case is GROUPS else "photos", cli, channel, tmp_path / "journal.jsonl")
    made.configure()
    made.journal.touch()
    channel.journal_reads(wanted=True)
    return made


def test_every_remediation_is_among_the_cases() -> None:
    """One that is added later has to be added here."""
    assert {case.remediation for case in CASES} == set(catalogue())


def test_a_command_requests_nothing_that_the_policy_for_it_does_not_grant(place: Place) -> None:
    """The look of each command included: what may not be read there is reported as unknown, or wrongly."""
    for purpose, arguments in place.commands():
        missing = needed(place.requested(*arguments)) - granted(place.granted(purpose))
        assert not missing, (purpose, missing)


def test_whoever_only_looks_may_change_nothing(place: Place) -> None:
    """The rights to read go to every look; those to write elsewhere, as to a bucket of logs, go to a change alone."""
    place.configure("observe")
    for purpose in (Purpose.PEEK, Purpose.EXPLAIN, Purpose.RUN):
        actions = {each for each in granted(place.granted(purpose)) if not each.startswith("mns:")}
        assert all(reads(each) for each in actions), (purpose, actions)
    assert "oss:PutObject" not in granted(place.granted(Purpose.UNDO))


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("place", [GROUPS], indirect=True, ids=lambda case: case.remediation)
def test_a_worker_reads_the_lists_that_a_group_names_in_either_mode(
    place: Place, mode: str, credentials: FixedCredentials
) -> None:
    """Observing it would else report as not understood what it repairs once it enforces."""
    place.configure(mode)
    place.emulator.config.publish_raw("poison")
    sent = requests_of_a_worker(place.cli, place.emulator, credentials) - {FREE}
    assert ("ecs", "DescribePrefixListAttributes") in sent
    assert needed(sent) <= granted(place.granted(Purpose.RUN))
