"""Whether announcements can be published: the topic is there, takes them whole, and lets us. Publishes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from consumer.announcements.document import LARGEST_BYTES
from consumer.app.announcing import open_topic
from consumer.core.errors import PermissionMissing, ServiceError
from consumer.operator.check.findings import CheckResult, failed, ok, warning
from consumer.operator.session import Session
from consumer.resources.ram_actions import actions_of

ANNOUNCEMENTS = "announcements"


def look(session: Session) -> Iterator[CheckResult]:
    """One finding where something is announced, and none where nothing is."""
    name = session.config.announce.topic
    if not name:
        return
    try:
        yield _checked(session, name)
    except PermissionMissing as error:
        action = actions_of("mns", error.operation)[-1]
        remedy = f"grant {action}; {session.command('ram-policy')} prints all"
        yield failed(ANNOUNCEMENTS, f"{action} is not granted on the topic {name!r}", remedy)
    except ServiceError as error:
        remedy = "try again; if it stays, ask with the request id"
        yield failed(ANNOUNCEMENTS, f"the topic {name!r} cannot be looked at: {error}", remedy)


def _checked(session: Session, name: str) -> CheckResult:
    """What the topic is like.

    Raises:
        ServiceError: it cannot be looked at, or published to.
    """
    found = session.channel().topic_max_message_bytes(name)
    if found is None:
        text = f"the topic {name!r} does not exist in {session.config.queue.region}"
        return failed(ANNOUNCEMENTS, text, "create it, or check announce.topic and queue.region")
    topic = open_topic(session.config, session.credentials, session.hooks)
    try:
        known = topic.publishes()
    finally:
        topic.close()
    if found < LARGEST_BYTES:
        text = f"the topic {name!r} takes {found} bytes, and an announcement may have {LARGEST_BYTES}"
        return warning(ANNOUNCEMENTS, text, "set its maximum message size to 65536, else long ones are refused")
    if not known:
        text = f"whether publishing to {name!r} is allowed cannot be known without publishing"
        return warning(ANNOUNCEMENTS, text, "look at remediator_announcements_total after the first change")
    return ok(ANNOUNCEMENTS, f"{name} takes what we publish, up to {found} bytes")
