"""What lies between Cloud Config and the worker, as one value: however it was written down, it can be compared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tests.deploy.ros import Stack
from tests.deploy.terraform import Plan


@dataclass(frozen=True, slots=True)
class Queue:
    """Every attribute that the service has of one; the dead-letter policy is None where there is none."""

    visibility_timeout_seconds: int
    message_retention_period_seconds: int
    maximum_message_size_bytes: int
    polling_wait_seconds: int
    delay_seconds: int
    logging_enabled: bool
    dead_letter_policy: str | None = None


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """Queues by name, the topic, its subscription, and where Cloud Config has to deliver."""

    queues: Mapping[str, Queue]
    topic: str
    topic_bytes: int
    topic_logging: bool
    subscription: str
    endpoint: str
    strategy: str
    content_format: str
    filter_tag: str
    delivers_to: str

    def differences(self, other: Infrastructure) -> list[str]:
        """The fields that are not the same, by their paths."""
        mine, others = dict(_leaves(asdict(self))), dict(_leaves(asdict(other)))
        return sorted(path for path in {*mine, *others} if mine.get(path, ...) != others.get(path, ...))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict):
        yield path, value
        return
    for name, each in value.items():
        yield from _leaves(each, f"{path}.{name}" if path else name)


def of_plan(plan: Plan, account: str, region: str) -> Infrastructure:
    """What Terraform would make. There a subscription's endpoint is the queue's name."""
    queues = [plan.resource(f"alicloud_message_service_queue.{name}") for name in ("this", "dead_letter")]
    topic = plan.resource("alicloud_message_service_topic.this")
    subscription = plan.resource("alicloud_message_service_subscription.this")
    assert subscription["push_type"] == "queue"
    return Infrastructure(
        queues={
            each["queue_name"]: Queue(
                each["visibility_timeout"],
                each["message_retention_period"],
                each["maximum_message_size"],
                each["polling_wait_seconds"],
                each["delay_seconds"],
                bool(each.get("logging_enabled")),
                json.dumps(each["dlq_policy"]) if each.get("dlq_policy") else None,
            )
            for each in queues
        },
        topic=topic["topic_name"],
        topic_bytes=topic["max_message_size"],
        topic_logging=bool(topic.get("enable_logging")),
        subscription=subscription["subscription_name"],
        endpoint=f"acs:mns:{region}:{account}:queues/{subscription['endpoint']}",
        strategy=subscription["notify_strategy"],
        content_format=subscription["notify_content_format"],
        filter_tag=subscription.get("filter_tag") or "",
        delivers_to=plan.resource("alicloud_config_delivery.this[0]")["delivery_channel_target_arn"],
    )


def of_stack(stack: Stack) -> Infrastructure:
    """What the ROS template would make."""
    topic, subscription = stack.properties("Topic"), stack.properties("Subscription")
    assert subscription["PushType"] == "queue"
    return Infrastructure(
        queues={
            each["QueueName"]: Queue(
                each["VisibilityTimeout"],
                each["MessageRetentionPeriod"],
                each["MaximumMessageSize"],
                each["PollingWaitSeconds"],
                each["DelaySeconds"],
                each.get("LoggingEnabled", False),
                json.dumps(each["DlqPolicy"]) if "DlqPolicy" in each else None,
            )
            for each in (stack.properties("Queue"), stack.properties("DeadLetterQueue"))
        },
        topic=topic["TopicName"],
        topic_bytes=topic["MaximumMessageSize"],
        topic_logging=topic.get("LoggingEnabled", False),
        subscription=subscription["SubscriptionName"],
        endpoint=subscription["Endpoint"],
        strategy=subscription["NotifyStrategy"],
        content_format=subscription["NotifyContentFormat"],
        filter_tag=subscription.get("FilterTag", ""),
        delivers_to=stack.properties("DeliveryChannel")["DeliveryChannelTargetArn"],
    )


def of_emulator(state: Mapping[str, Any], delivers_to: str) -> Infrastructure:
    """What is there, and where the command's last line says that Cloud Config has to deliver."""
    ((topic, found),) = state["topics"].items()
    ((subscription, attributes),) = found["subscriptions"].items()
    policies = {policy["source_queue"]: json.dumps(policy) for policy in state["dead_letter_policies"]}
    return Infrastructure(
        queues={
            name: Queue(**each["attributes"], dead_letter_policy=policies.get(name))
            for name, each in state["queues"].items()
        },
        topic=topic,
        topic_bytes=found["attributes"]["maximum_message_size_bytes"],
        topic_logging=found["attributes"]["logging_enabled"],
        subscription=subscription,
        endpoint=attributes["endpoint"],
        strategy=attributes["strategy"],
        content_format=attributes["content_format"],
        filter_tag=attributes["filter_tag"],
        delivers_to=delivers_to,
    )


def granted(policy: Mapping[str, Any]) -> list[tuple[str, frozenset[str], frozenset[str]]]:
    """A policy's statements without the order in which they, their actions and their resources stand."""
    assert set(policy) == {"Version", "Statement"}
    assert policy["Version"] == "1"
    return sorted(
        ((each["Effect"], frozenset(each["Action"]), frozenset(each["Resource"])) for each in policy["Statement"]),
        key=lambda statement: sorted(statement[1]),
    )
