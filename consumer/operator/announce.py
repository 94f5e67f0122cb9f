"""Announces what a person did with a command, as the worker announces what it did itself."""

from __future__ import annotations

import time

from consumer.announcements.records import Kind, ResourceAnnouncement, ResourceName
from consumer.announcements.undoing import of_undo
from consumer.app.announcing import build_selection, build_writer, open_topic, owners
from consumer.core.errors import RemediatorError
from consumer.core.outcome import Ending
from consumer.engine.delivery import Delivery
from consumer.journal.format import Entry
from consumer.operator.session import Session


def undone(session: Session, entry: Entry, resource_type: str, now: str, by: str) -> str | None:
    """Announce that a journaled change was taken back; None where that is not wanted, else the result in a sentence.

    It is done and journaled by then, so a failure to announce it is no failure of the undo.
    """
    config, rule = session.config, entry.text("rule")
    if not config.announce.topic or not build_selection(config).wants(Kind.UNDONE, rule):
        return None
    resource = ResourceName(resource_type, entry.text("resource"), entry.text("region"), entry.text("account"))
    announced = ResourceAnnouncement(
        Kind.UNDONE,
        f"undone-{entry.digest}"[:64],
        time.time_ns() // 1_000_000,
        resource,
        rule=rule,
        remediation=entry.text("remediation"),
        mode=entry.text("mode"),
        before=entry.text("after"),
        after=now,
        now=now,
        message_id=entry.text("message_id"),
        how_to_undo=of_undo(resource, rule),
        by=by,
    )
    return _published(session, announced, by)


def fixed(session: Session, delivery: Delivery, ending: Ending, by: str, change: str) -> str | None:
    """Announce that a person has repaired a resource, as `undone` does; `change` is what `undo` takes, or nothing."""
    config, rule, resource = session.config, delivery.rule, delivery.resource
    if rule is None or resource is None or not config.announce.topic:
        return None
    selection = build_selection(config)
    if not selection.wants(Kind.FIXED, rule.name):
        return None
    undo = selection.undoing.command(rule.remediation.name, change)
    region = delivery.event.region if delivery.event else resource.region
    name = ResourceName(resource.resource_type, resource.resource_id, region, resource.account_id)
    announced = ResourceAnnouncement(
        Kind.FIXED,
        f"fixed-{delivery.message_id}",
        time.time_ns() // 1_000_000,
        name,
        rule=rule.name,
        remediation=rule.remediation.name,
        mode=rule.mode.value,
        reason=ending.reason,
        detail=ending.detail,
        before=ending.before,
        after=ending.after,
        now=ending.after,
        message_id=delivery.message_id,
        undo=undo,
        how_to_undo=selection.undoing.of_change(rule.remediation.name, undo),
        by=by,
    )
    return _published(session, announced, by)


def _published(session: Session, announced: ResourceAnnouncement, by: str) -> str:
    config = session.config
    body = build_writer(config, by).body(announced, owners(config, session.open))
    topic = open_topic(config, session.credentials, session.hooks)
    try:
        topic.publish(body, announced.kind.value)
    except RemediatorError as error:
        return f"not announced: {error}"
    finally:
        topic.close()
    return f"announced on {config.announce.topic}"
