"""The Terraform module makes what `provision` makes, grants what `ram-policy` prints, and takes over what exists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from consumer.config import build_rules, load
from emulator.client import Emulator
from tests.deploy.infrastructure import Infrastructure, granted, of_plan
from tests.deploy.terraform import MODULE, Plan, module
from tests.deploy.terraform_provider import Cloud
from tests.integration.cli.conftest import Cli
from tests.integration.cli.infrastructure_cases import configure, printed_policy, provisioned

_NO_WAIT = "  polling_wait_seconds     = 0 #"
_DEAD_LETTER_POLICY = '  dlq_policy {\n    enabled = true\n    dead_letter_target_queue = "config-events-dead"\n  }\n'
_ROOT = 'module "config_remediator" {\n  source = "./module"\n}\n'
_OTHERS = [
    ("default     = 120", "default     = 30", "queues.config-events.visibility_timeout_seconds"),
    ("default     = 604800", "default     = 345600", "queues.config-events-dead.message_retention_period_seconds"),
    (
        "polling_wait_seconds     = 0 #",
        "polling_wait_seconds     = 30 #",
        "queues.config-events.polling_wait_seconds",
    ),
    ("max_message_size = 65536", "max_message_size = 8192", "topic_bytes"),
    ('"EXPONENTIAL_DECAY_RETRY"', '"BACKOFF_RETRY"', "strategy"),
    ('"SIMPLIFIED"', '"XML"', "content_format"),
    ("queue.this.queue_name\n  notify", "queue.dead_letter.queue_name\n  notify", "endpoint"),
    ('  push_type             = "queue"', '  filter_tag = "config"\n  push_type = "queue"', "filter_tag"),
    (":/topics/", ":topics/", "delivers_to"),
    (_NO_WAIT, _DEAD_LETTER_POLICY + _NO_WAIT, "queues.config-events.dead_letter_policy"),
]
"""One other value each, and the path of what it changes."""


def _cloud(emulator: Emulator, existing: Any = None) -> Cloud:
    return Cloud(emulator.endpoints.account_id, emulator.endpoints.region, existing or {})


def _infrastructure(emulator: Emulator, plan: Plan) -> Infrastructure:
    return of_plan(plan, emulator.endpoints.account_id, emulator.endpoints.region)


@pytest.fixture
def plan(cli: Cli, emulator: Emulator, tmp_path: Path) -> Plan:
    """The module's defaults, and a configuration that begins with its output."""
    with module(tmp_path / "module", _cloud(emulator)) as terraform:
        made = terraform.plan(catch_up=True)
    configure(cli, emulator, made.outputs()["config"])
    return made


def test_module_and_command_make_the_same(cli: Cli, emulator: Emulator, plan: Plan) -> None:
    """Every attribute of queues, topic and subscription, and where Cloud Config has to deliver."""
    assert _infrastructure(emulator, plan).differences(provisioned(cli, emulator)) == []


def test_each_other_value_is_noticed(cli: Cli, emulator: Emulator, plan: Plan, tmp_path: Path) -> None:
    """And named by its path."""
    made = provisioned(cli, emulator)
    for old, new, path in _OTHERS:
        with module(tmp_path / path, _cloud(emulator), changes={old: new}) as terraform:
            changed = terraform.plan()
        assert path in _infrastructure(emulator, changed).differences(made), new


@pytest.mark.parametrize(("identity", "purpose"), [("worker", "run"), ("catch_up", "catch-up")])
def test_the_rights_are_those_that_the_command_prints(cli: Cli, plan: Plan, identity: str, purpose: str) -> None:
    """No action and no resource more or less, for a rule that observes."""
    document = json.loads(plan.resource(f'alicloud_ram_policy.this["{identity}"]')["policy_document"])
    assert granted(document) == granted(printed_policy(cli, purpose))


def test_what_is_delivered_is_what_the_rules_repair(cli: Cli, plan: Plan) -> None:
    """The channel delivers non-compliance to MNS, of the types of the configuration's rules, and nothing else."""
    channel = plan.resource("alicloud_config_delivery.this[0]")
    ((condition,),) = [json.loads(channel["delivery_channel_condition"])]
    repaired = {rule.remediation.kind.resource_type for rule in build_rules(load(cli.path, {}))}
    assert condition == {"filterType": "ResourceType", "values": sorted(repaired), "multiple": True}
    assert channel["delivery_channel_type"] == "MNS"
    assert channel["non_compliant_notification"] is True
    assert channel["configuration_item_change_notification"] is False
    assert channel["status"] == 1


def _existing(state: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """What the provider reads of it. It does not read push_type, and an endpoint as the service gives it back."""
    ((topic, found),) = state["topics"].items()
    ((subscription, attributes),) = found["subscriptions"].items()
    queues = {
        ("alicloud_message_service_queue", name): {
            "queue_name": name,
            "visibility_timeout": each["attributes"]["visibility_timeout_seconds"],
            "message_retention_period": each["attributes"]["message_retention_period_seconds"],
            "maximum_message_size": each["attributes"]["maximum_message_size_bytes"],
            "polling_wait_seconds": each["attributes"]["polling_wait_seconds"],
            "delay_seconds": each["attributes"]["delay_seconds"],
        }
        for name, each in state["queues"].items()
    }
    return {
        **queues,
        ("alicloud_message_service_topic", topic): {
            "topic_name": topic,
            "max_message_size": found["attributes"]["maximum_message_size_bytes"],
        },
        ("alicloud_message_service_subscription", f"{topic}:{subscription}"): {
            "topic_name": topic,
            "subscription_name": subscription,
            "endpoint": attributes["endpoint"],
            "notify_strategy": attributes["strategy"],
            "notify_content_format": attributes["content_format"],
        },
    }


def test_what_the_command_made_is_imported_and_kept(cli: Cli, emulator: Emulator, plan: Plan, tmp_path: Path) -> None:
    """With the README's blocks: nothing of it is created anew, replaced or changed, but for what is not read."""
    provisioned(cli, emulator)
    cloud = _cloud(emulator, _existing(emulator.state()["mns"]))
    blocks = re.findall(r"^import \{.*?^\}\n", (MODULE / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    with module(tmp_path / "imported", cloud, root=_ROOT + "\n".join(blocks)) as terraform:
        actions = terraform.plan().actions()
    place = "module.config_remediator.alicloud_"
    assert {name.removeprefix(place): each for name, each in actions.items() if "message_service" in name} == {
        "message_service_topic.this": ["no-op"],
        "message_service_queue.this": ["no-op"],
        "message_service_queue.dead_letter": ["no-op"],
        "message_service_subscription.this": ["update"],
    }


def test_a_queue_of_another_name_is_never_made_in_its_place(
    cli: Cli, emulator: Emulator, plan: Plan, tmp_path: Path
) -> None:
    """Its messages would be lost with it: the plan is refused."""
    provisioned(cli, emulator)
    cloud = _cloud(emulator, _existing(emulator.state()["mns"]))
    block = 'import {\n  to = module.config_remediator.alicloud_message_service_queue.this\n  id = "config-events"\n}\n'
    other = _ROOT.replace("}", '  queue_name = "other"\n}')
    with module(tmp_path / "renamed", cloud, root=other + block) as terraform:
        done = terraform.refused()
    assert done.returncode == 1
    assert "prevent_destroy" in done.stderr
