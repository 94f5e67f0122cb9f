"""The ROS template: every property, type and value is one that the vendor's resource types have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consumer.config import load
from deploy.ram import __main__ as policies
from tests.deploy.needed import ROOT
from tests.deploy.ros import TEMPLATE, Stack, template

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parent / "schemas/ros.json").read_text("utf-8"))
_TYPES = {"string": str, "integer": int, "boolean": bool, "list": list, "map": dict}
_PODS = {
    "TrustedBy": "pods",
    "OidcProviderArn": "acs:ram::1:oidc-provider/ack-rrsa-c1",
    "OidcIssuer": "https://issuer/c1",
}


def _mistakes(document: dict[str, Any], **given: Any) -> list[str]:
    """What the service would refuse about resources, references and outputs."""
    if nowhere := list(_references(document)):
        return nowhere
    stack = Stack(document, given=given)
    return [mistake for name in document["Resources"] for mistake in _of_resource(stack, name)]


def _of_resource(stack: Stack, name: str) -> Iterator[str]:
    kind = stack.document["Resources"][name]["Type"]
    if kind not in SCHEMA["resources"]:
        yield f"{name}: no type {kind}"
        return
    known, given = SCHEMA["resources"][kind]["properties"], stack.properties(name)
    yield from (f"{name}: {each} is missing" for each in known if known[each].get("required") and each not in given)
    yield from (f"{name}: no property {each}" for each in given if each not in known)
    for each in given.keys() & known.keys():
        yield from (f"{name}.{each}: {mistake}" for mistake in _of_value(known[each], given[each]))


def _of_value(known: dict[str, Any], value: Any) -> Iterator[str]:
    if type(value) is not _TYPES[known["type"]]:
        yield f"{value!r} is no {known['type']}"
        return
    if "values" in known and value not in known["values"]:
        yield f"{value!r} is none of {known['values']}"
    for limits, measured in (("range", value), ("length", value)):
        if limits in known:
            number = len(measured) if limits == "length" else measured
            if not known[limits][0] <= number <= known[limits][1]:
                yield f"{value!r} is out of {known[limits]}"


def _references(document: dict[str, Any]) -> Iterator[str]:
    """References to what is not there: parameters, resources and their attributes, conditions."""
    names = {*document["Parameters"], *document["Resources"], *SCHEMA["pseudo_parameters"]["names"]}
    for function, argument in _calls(document):
        if function == "Ref" and argument not in names:
            yield f"no {argument} to refer to"
        if function == "Fn::Sub":
            text, values = (argument, {}) if isinstance(argument, str) else argument
            used = set(re.findall(r"\$\{([^}]+)\}", text))
            yield from (f"no {each} in {text}" for each in used - {*names, *values})
        if function == "Fn::GetAtt":
            kind = document["Resources"].get(argument[0], {}).get("Type")
            if argument[1] not in SCHEMA["resources"].get(kind, {}).get("attributes", ()):
                yield f"no attribute {'.'.join(argument)}"
        if function == "Fn::If" and argument[0] not in document["Conditions"]:
            yield f"no condition {argument[0]}"
    for name, each in document["Resources"].items():
        yield from (f"{name} depends on {other}" for other in {*each.get("DependsOn", ())} - {*document["Resources"]})


def _calls(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, list):
        for each in node:
            yield from _calls(each)
    if isinstance(node, dict):
        for name, each in node.items():
            if name == "Ref" or name.startswith("Fn::"):
                yield name, each
            yield from _calls(each)


@pytest.mark.parametrize("given", [{}, _PODS, {"TrustedBy": "instances"}], ids=["nobody", "pods", "instances"])
def test_it_has_only_what_the_types_have(given: dict[str, Any]) -> None:
    """For whomever the role is."""
    assert _mistakes(template(), **given) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("MaximumMessageSize: 65536\n\n", "MaxMessageSize: 65536\n\n", "Topic: no property MaxMessageSize"),
        ("      DeliveryChannelType: MNS\n", "", "DeliveryChannel: DeliveryChannelType is missing"),
        ("PollingWaitSeconds: 0  #", "PollingWaitSeconds: 31  #", "Queue.PollingWaitSeconds: 31 is out of [0, 30]"),
        ("PushType: queue", "PushType: Queue", "Subscription.PushType: 'Queue' is none of"),
        ("DelaySeconds: 0\n\n  Dead", "DelaySeconds: '0'\n\n  Dead", "Queue.DelaySeconds: '0' is no integer"),
        ("ALIYUN::MNS::Subscription", "ALIYUN::MNS::Subscribe", "Subscription: no type ALIYUN::MNS::Subscribe"),
        ("Ref: TopicName\n      Max", "Ref: Topics\n      Max", "no Topics to refer to"),
        ("[Topic, ARN.WithSlash]", "[Topic, Arn]", "no attribute Topic.Arn"),
        ("queues/${QueueName}\n      Notify", "queues/${Queues}\n      Notify", "no Queues in"),
        ("      DeliveryChannelType: MNS", "      DeliveryChannelType: MNS\n      NonCompliantNotification: true",
         "DeliveryChannel: no property NonCompliantNotification"),
    ],
)  # fmt: skip
def test_a_mistake_is_found(old: str, new: str, said: str) -> None:
    """So that its absence above says something."""
    text = TEMPLATE.read_text("utf-8")
    assert old in text
    assert any(said in each for each in _mistakes(template(text.replace(old, new))))


def test_parameters_are_described_and_their_defaults_fit() -> None:
    """Each says what it is, and takes its own default."""
    for name, each in template()["Parameters"].items():
        assert each["Description"].strip(), name
        default = each["Default"]
        assert re.fullmatch(each.get("AllowedPattern", ".*"), str(default)), name
        assert default in each.get("AllowedValues", [default]), name
        assert each.get("MinValue", default) <= default <= each.get("MaxValue", default), name


def test_nobody_may_take_the_role_unless_it_is_said() -> None:
    """Without one the policy is attached to nothing."""
    stack = Stack(template())
    assert not stack.has("WorkerRole")
    assert "Roles" not in stack.properties("WorkerPolicy")


def test_the_pods_that_may_take_the_role_are_those_of_the_trust_policy() -> None:
    """As `files ram/trust.json` has it, filled in; and the policy is the role's."""
    stack = Stack(template(), given=_PODS)
    text = (policies.FOLDER / "trust.json").read_text("utf-8")
    text = text.replace("<account-id>", "1").replace("ack-rrsa-<cluster-id>", "ack-rrsa-c1")
    assert stack.properties("WorkerRole")["AssumeRolePolicyDocument"] == json.loads(
        re.sub(r"<issuer[^>]*>", "https://issuer/c1", text)
    )
    assert stack.properties("WorkerPolicy")["Roles"] == ["WorkerRole.RoleName"]


def test_queues_outlive_the_stack() -> None:
    """Their messages are the only record of what is not repaired yet."""
    resources = template()["Resources"]
    kept = {name for name, each in resources.items() if each.get("DeletionPolicy") == "Retain"}
    assert kept == {name for name, each in resources.items() if each["Type"] == "ALIYUN::MNS::Queue"}


def test_the_output_begins_a_configuration(tmp_path: Path) -> None:
    """With a rule below it is whole."""
    rule = '\n[[rules]]\nname = "public-read"\nremediation = "oss.bucket-acl"\nmode = "observe"\nrule_names = ["x"]\n'
    (tmp_path / "config.toml").write_text(Stack(template()).output("Config") + rule, encoding="utf-8")
    config = load(tmp_path / "config.toml", {})
    assert (config.account_id, config.queue.region) == ("1234567890123456", "ap-southeast-1")
    assert (config.queue.name, config.queue.dead_letter_queue) == ("config-events", "config-events-dead")
    assert (config.topic.name, config.subscription_name) == ("config-topic", "config-events")


def test_what_ros_cannot_turn_on_has_its_command() -> None:
    """The type has no NonCompliantNotification; the request that has one is named in the output and on the page."""
    command = Stack(template()).output("AfterCreation")
    assert command == (
        "aliyun config UpdateConfigDeliveryChannel --region ap-southeast-1"
        " --DeliveryChannelId DeliveryChannel.DeliveryChannelId"
        " --NonCompliantNotification true --ConfigurationItemChangeNotification false"
    )
    page = (ROOT / "docs/install.md").read_text("utf-8")
    shown = command.replace("ap-southeast-1", "cn-shanghai").replace("DeliveryChannel.DeliveryChannelId", "cdc-…")
    assert shown in page.replace(" \\\n  ", " ")
