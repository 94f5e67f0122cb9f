"""The ROS template makes what `provision` makes, and grants what `ram-policy` prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from consumer.config import build_rules, load
from emulator.client import Emulator
from tests.deploy.infrastructure import granted, of_stack
from tests.deploy.ros import TEMPLATE, Stack, template
from tests.integration.cli.conftest import Cli
from tests.integration.cli.infrastructure_cases import configure, printed_policy, provisioned

_OTHERS = [
    ("Default: 120", "Default: 30", "queues.config-events.visibility_timeout_seconds"),
    ("Default: 604800", "Default: 345600", "queues.config-events-dead.message_retention_period_seconds"),
    ("PollingWaitSeconds: 0  #", "PollingWaitSeconds: 30  #", "queues.config-events.polling_wait_seconds"),
    ("MaximumMessageSize: 65536\n\n  # No", "MaximumMessageSize: 8192\n\n  # No", "topic_bytes"),
    ("EXPONENTIAL_DECAY_RETRY", "BACKOFF_RETRY", "strategy"),
    ("NotifyContentFormat: SIMPLIFIED", "NotifyContentFormat: XML", "content_format"),
    (":queues/${QueueName}", ":/queues/${QueueName}", "endpoint"),
    ("      PushType: queue\n", "      PushType: queue\n      FilterTag: config\n", "filter_tag"),
    (":/topics/${TopicName}", ":topics/${TopicName}", "delivers_to"),
]
"""One other value each, and the path of what it changes."""


def _stack(emulator: Emulator, text: str | None = None) -> Stack:
    return Stack(template(text), emulator.endpoints.account_id, emulator.endpoints.region)


@pytest.fixture
def stack(cli: Cli, emulator: Emulator) -> Stack:
    """The template's defaults, and a configuration that begins with its output."""
    made = _stack(emulator)
    configure(cli, emulator, made.output("Config"))
    return made


def test_template_and_command_make_the_same(cli: Cli, emulator: Emulator, stack: Stack) -> None:
    """Every attribute of queues, topic and subscription, and where Cloud Config has to deliver."""
    assert of_stack(stack).differences(provisioned(cli, emulator)) == []


def test_each_other_value_is_noticed(cli: Cli, emulator: Emulator, stack: Stack) -> None:
    """And named by its path."""
    text, made = TEMPLATE.read_text("utf-8"), provisioned(cli, emulator)
    for old, new, path in _OTHERS:
        assert old in text
        assert path in of_stack(_stack(emulator, text.replace(old, new))).differences(made), new


def test_the_rights_are_those_that_the_command_prints(cli: Cli, stack: Stack) -> None:
    """No action and no resource more or less, for a rule that observes."""
    assert granted(stack.properties("WorkerPolicy")["PolicyDocument"]) == granted(printed_policy(cli))


def test_what_is_delivered_is_what_the_rules_repair(cli: Cli, stack: Stack, tmp_path: Path) -> None:
    """The condition names the types of the configuration's rules, and no others."""
    ((condition,),) = [json.loads(stack.properties("DeliveryChannel")["DeliveryChannelCondition"])]
    repaired = {rule.remediation.kind.resource_type for rule in build_rules(load(cli.path, {}))}
    assert condition == {"filterType": "ResourceType", "values": sorted(repaired), "multiple": True}
