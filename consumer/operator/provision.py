"""Creates and adjusts queue, dead-letter queue, topic and subscription, so that they fit the configuration.

A plan first; carried out only on request. Nothing is ever deleted: what would need that is named for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from rich.console import Console

from consumer.aliyun.mns.admin import Channel, Subscription
from consumer.config import Config
from consumer.core.exit_codes import CommandExit
from consumer.core.queue_attributes import QueueAttributes
from consumer.operator import output, queue_fit
from consumer.operator.session import opened


class Act(StrEnum):
    """What a step does."""

    CREATE = "create"
    ADJUST = "adjust"
    KEEP = "keep"
    CONFLICT = "conflict"
    """It would take a deletion, which a person has to decide."""


_STYLES = {Act.CREATE: "green", Act.ADJUST: "yellow", Act.KEEP: "dim", Act.CONFLICT: "bold red"}


@dataclass(frozen=True, slots=True)
class ProvisionStep:
    """One step of the plan."""

    act: Act
    what: str
    detail: str
    carry_out: Callable[[Channel], None] | None = None
    """None where there is nothing to do."""


def provision(path: Path, form: str, *, apply: bool) -> CommandExit:
    """Show the plan, and carry it out if requested.

    Raises:
        ConfigurationError: the configuration cannot be used, or there are no credentials.
        ServiceError: the service refused a step; those before it are done, and the next run begins after them.
    """
    with opened(path) as session:
        channel = session.channel()
        steps = list(plan(session.config, channel))
        if apply:
            for step in steps:
                if step.carry_out is not None:
                    step.carry_out(channel)
    document = {"applied": apply, "steps": [_document(step) for step in steps]}
    output.show(form, document, lambda console: _draw(console, steps, session.config, applied=apply))
    if any(step.act is Act.CONFLICT for step in steps):
        return CommandExit.REFUSED
    left = any(step.carry_out for step in steps) and not apply
    return CommandExit.FOUND if left else CommandExit.DONE


def plan(config: Config, channel: Channel) -> Iterator[ProvisionStep]:
    """What has to be done, in order: the topic's size decides about the queue's, and both come before what joins them.

    Raises:
        ServiceError: the present state could not be read.
    """
    topic_bytes = channel.topic_max_message_bytes(config.topic.name) if config.topic.name else None
    wanted_topic = max(topic_bytes, queue_fit.LEAST_TOPIC_BYTES) if topic_bytes else queue_fit.NEW_TOPIC_BYTES
    found = channel.queue(config.queue.name)
    queue = queue_fit.wanted_queue(config, found, wanted_topic if config.topic.name else None)
    yield _queue_step("queue", config.queue.name, found, queue)
    if name := config.queue.dead_letter_queue:
        dead = channel.queue(name)
        yield _queue_step("dead-letter queue", name, dead, queue_fit.wanted_dead_letter_queue(dead, queue))
    if config.topic.name:
        yield _topic_step(config.topic.name, topic_bytes, wanted_topic)
        present = channel.subscription(config.topic.name, config.subscription_name) if topic_bytes else None
        yield _subscription_step(config, present)


def _queue_step(kind: str, name: str, found: QueueAttributes | None, wanted: QueueAttributes) -> ProvisionStep:
    what = f"{kind} {name}"
    if found is None:
        return ProvisionStep(Act.CREATE, what, _shown(wanted), lambda channel: channel.create_queue(name, wanted))
    if found == wanted:
        return ProvisionStep(Act.KEEP, what, _shown(found))
    return ProvisionStep(
        Act.ADJUST, what, _difference(found, wanted), lambda channel: channel.adjust_queue(name, wanted)
    )


def _topic_step(name: str, found: int | None, wanted: int) -> ProvisionStep:
    what = f"topic {name}"
    if found is None:
        return ProvisionStep(
            Act.CREATE, what, f"size {wanted} bytes", lambda channel: channel.create_topic(name, wanted)
        )
    if found == wanted:
        return ProvisionStep(Act.KEEP, what, f"size {found} bytes")
    detail = f"size {found} → {wanted} bytes"
    return ProvisionStep(Act.ADJUST, what, detail, lambda channel: channel.adjust_topic(name, wanted))


def _subscription_step(config: Config, found: Subscription | None) -> ProvisionStep:
    topic, name = config.topic.name, config.subscription_name
    what, wanted = f"subscription {name} of {topic}", queue_fit.wanted_subscription(config)
    if found is None:
        detail = f"{wanted.content_format} to {wanted.endpoint}, {wanted.notify_strategy}"
        return ProvisionStep(Act.CREATE, what, detail, lambda channel: channel.subscribe(topic, name, wanted))
    if found.endpoint != wanted.endpoint or found.filter_tag:
        tag = f" with the tag {found.filter_tag!r}" if found.filter_tag else ""
        detail = f"it delivers to {found.endpoint}{tag}, which cannot be changed: remove it, or name another"
        return ProvisionStep(Act.CONFLICT, what, detail)
    if found.notify_strategy != wanted.notify_strategy:
        detail = f"retries {found.notify_strategy} → {wanted.notify_strategy}"
        strategy = wanted.notify_strategy
        return ProvisionStep(
            Act.ADJUST, what, detail, lambda channel: channel.adjust_subscription(topic, name, strategy)
        )
    return ProvisionStep(Act.KEEP, what, f"{found.content_format} to {found.endpoint}, {found.notify_strategy}")


def _values(attributes: QueueAttributes) -> dict[str, str]:
    return {
        "visibility": f"{attributes.visibility_timeout_seconds} s",
        "retention": f"{attributes.retention_seconds} s",
        "size": f"{attributes.max_message_bytes} bytes",
    }


def _shown(attributes: QueueAttributes) -> str:
    return ", ".join(f"{name} {value}" for name, value in _values(attributes).items())


def _difference(found: QueueAttributes, wanted: QueueAttributes) -> str:
    before, after = _values(found), _values(wanted)
    return ", ".join(f"{name} {before[name]} → {after[name]}" for name in before if before[name] != after[name])


def _draw(console: Console, steps: list[ProvisionStep], config: Config, *, applied: bool) -> None:
    rows = [(output.cell(step.act.value, _STYLES[step.act]), step.what, step.detail) for step in steps]
    console.print(output.table(("step", "what", "how"), rows))
    left = any(step.carry_out for step in steps) and not applied
    if any(step.act is Act.CONFLICT for step in steps):
        console.print("A person has to end the conflict; then run this again.")
    elif not config.topic.name:
        endpoint = queue_fit.subscription_endpoint(config)
        console.print(
            "topic.name is empty, so nothing was done about topic and subscription: set it and run this again, unless"
            f" somebody else brings the events to {endpoint}."
        )
    elif applied:
        topic = f"acs:mns:{config.queue.region}:{config.account_id}:/topics/{config.topic.name}"
        console.print(f"Done. Let Cloud Config deliver non-compliance events to {topic}.")
    elif not left:
        console.print("Nothing to do.")
    if left:
        console.print("Nothing was changed. --apply carries this out.")


def _document(step: ProvisionStep) -> dict[str, Any]:
    return {"act": step.act.value, "what": step.what, "detail": step.detail}
