"""Policies against requests: those that a worker sends, and those that stand in the gateways' code."""

from __future__ import annotations

import ast
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumer.app import service as app
from consumer.config import load
from consumer.operator.permissions import reads
from consumer.resources.oss.settings.catalogue import catalogue
from consumer.resources.ram_actions import actions_of
from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.integration.cli.granting import REEVALUATE, ZRS, every_rule, granted, needed, rule
from tests.integration.conftest import FixedCredentials
from tests.integration.queues import messages
from tests.integration.remediations.cases import ALL
from tests.integration.remediations.workbench import BUCKET, Case
from tests.patience import PATIENCE_SECONDS

ALIYUN = Path(app.__file__).parents[1] / "aliyun"
GATEWAYS = {
    "mns/queue.py": "mns",
    "mns/admin.py": "mns",
    "mns/topic.py": "mns",
    "oss/client.py": "oss",
    "cloud_config.py": "config",
    "ecs/client.py": "ecs",
}
"""Everything that sends requests, with the service it sends them to."""


@pytest.mark.parametrize(
    ("case", "mode"),
    [*((case, "enforce") for case in [*ALL, ZRS]), (ALL[0], "observe"), (ALL[2], "observe")],
    ids=lambda value: value.remediation if isinstance(value, Case) else value,
)
def test_a_worker_calls_nothing_that_its_policy_does_not_grant(
    case: Case, mode: str, cli: Cli, channel: Emulator, credentials: FixedCredentials
) -> None:
    """One repair, from receipt to settlement, with every request compared with the policy for exactly that rule."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets([BUCKET], **case.broken)
    channel.config.publish(bucket=BUCKET, rule="oss-bucket-public-read-prohibited")
    channel.config.publish_raw("poison")
    cli.configure(rule(case, mode))
    asked = requests_of_a_worker(cli, channel, credentials)
    policy = cli.run("ram-policy").document

    assert {("oss", "GetBucketInfo"), ("mns", "BatchReceiveMessage"), ("mns", "SendMessage")} <= asked
    assert needed(asked) <= granted(policy)
    if mode == "observe":
        assert {action for action in granted(policy, "acs:oss:*") if not reads(action)} == set()


def requests_of_a_worker(cli: Cli, channel: Emulator, credentials: FixedCredentials) -> set[tuple[str, str]]:
    """Let a worker settle two messages; every request it made, by its own metrics."""
    service = app.build(load(cli.path, {}), credentials)
    assert service.health
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        eventually(lambda: len(channel.journal(operation="BatchDeleteMessage")) >= 1)
        eventually(lambda: all(_is_settled(message) for message in messages(channel, "config-events")))
        return _counted(service.health.port)
    finally:
        service.stop()
        thread.join(PATIENCE_SECONDS)


def _is_settled(message: dict[str, Any]) -> bool:
    """Whether what is left in the queue was held: nobody renews a lease that far."""
    return message["next_visible_ms"] - message["enqueue_ms"] > 300_000


def _counted(port: int) -> set[tuple[str, str]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {
        (sample.labels["service"], sample.labels["operation"])
        for family in families
        if family.name == "remediator_api_requests"
        for sample in family.samples
    }


def _operations_in(gateway: str) -> set[str]:
    """Every operation that a gateway's code names when it sends a request, and those of every setting."""
    settings = {request.operation for setting in catalogue().values() for request in setting.requests}
    return _named_in(gateway) | (settings if gateway == "oss/client.py" else set())


def _named_in(gateway: str) -> set[str]:
    tree = ast.parse((ALIYUN / gateway).read_text(encoding="utf-8"))
    named = [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("_call", "_change", "_write", "_or_missing")
        and node.args
    ]
    kept = [
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for name in _names(node.value.elts[0] if isinstance(node.value, ast.Tuple) else node.value)
        if ast.unparse(node.targets[0]).strip("()").split(", ")[0] == "operation"
    ]
    return {name for node in named for name in _names(node)} | {*kept}


def _names(node: ast.expr) -> set[str]:
    """A name as it is written; one with a part left open has it for an account, and for an account group."""
    if isinstance(node, ast.JoinedStr):
        forms = ("", "Aggregate")
        return {
            "".join(part.value if isinstance(part, ast.Constant) else form for part in node.values) for form in forms
        }
    return {node.value} if isinstance(node, ast.Constant) else set()


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_no_gateway_makes_a_request_that_no_policy_declares(gateway: str, cli: Cli) -> None:
    """Each operation in the gateways' code stands in the policy for everything, or the code must not have it."""
    operations = {(GATEWAYS[gateway], operation) for operation in _operations_in(gateway)}
    cli.configure(every_rule(), more=REEVALUATE)
    assert operations
    assert needed(operations) <= granted(cli.run("ram-policy", "--for", "all").document)


def test_no_policy_grants_what_no_gateway_asks_for(cli: Cli) -> None:
    """Every action that is granted belongs to a request in the code, or to a grant that a repair names."""
    asked = {
        action
        for gateway, service in GATEWAYS.items()
        for operation in _operations_in(gateway)
        for action in actions_of(service, operation)
    }
    cli.configure(every_rule(), more=REEVALUATE)
    assert granted(cli.run("ram-policy", "--for", "all").document) - asked == {"oss:PutObject"}
