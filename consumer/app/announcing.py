"""Builds what announces: the topic's gateway, how announcements are written, and how owners are looked up."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from consumer.aliyun.credentials import CredentialsProvider
from consumer.aliyun.mns.queue import QueueAddress
from consumer.aliyun.mns.topic import Topic
from consumer.announcements.document import AnnouncementWriter, Owner
from consumer.announcements.intake import Clocks, Intake
from consumer.announcements.outbox import Outbox
from consumer.announcements.records import ResourceName
from consumer.announcements.selection import Selection
from consumer.announcements.undoing import Undoing
from consumer.config import Config
from consumer.core.errors import RemediatorError
from consumer.core.observers import Hooks
from consumer.engine.pipeline import OpenTarget
from consumer.remediations.catalogue import catalogue
from consumer.resources.base import ResourceKind
from consumer.telemetry.redaction import redactor


def open_topic(config: Config, credentials: CredentialsProvider, hooks: Hooks) -> Topic:
    """The gateway of the topic that is announced to, for one thread."""
    settings = config.queue
    address = QueueAddress(
        config.mns_endpoint, config.announce.topic, settings.connect_timeout_seconds, settings.call_timeout_seconds
    )
    return Topic(address, credentials, hooks)


def build_writer(config: Config, by: str) -> AnnouncementWriter:
    """How announcements are written; `by` says which process does."""
    source = f"/config-remediator/{config.queue.region}/{config.account_id}/{config.queue.name}"
    return AnnouncementWriter(source, redactor.clean, config.announce.runbook_url, by)


def build_selection(config: Config) -> Selection:
    """What is announced."""
    words = {name: kind.reversible for name, kind in catalogue().items()}
    return config.announce.selection(config.rules, Undoing(words, bool(config.journal.path)))


def build_intake(config: Config) -> Intake:
    """What listens to settled deliveries, with the outbox that it fills."""
    clocks, pace = Clocks(), config.announce.pace()
    bounded = build_writer(config, "").bounded
    return Intake(build_selection(config), Outbox(), bounded, digest_seconds=pace.digest_seconds, clocks=clocks)


@dataclass(frozen=True, slots=True)
class TaggedOwners:
    """Looks up owners in the tags of live resources; only used by the thread that publishes."""

    tag: str
    """The key of the tag; empty where owners are not looked up."""
    kinds: Mapping[str, ResourceKind]
    """By resource type."""
    open_target: OpenTarget
    seconds: float
    """How long one look may take."""
    monotonic: Callable[[], float] = time.monotonic

    def __call__(self, resource: ResourceName) -> str:
        """The owner; empty where the resource is gone, names none, or cannot be read: then nobody is named."""
        if not self.tag:
            return ""
        until = self.monotonic() + self.seconds
        try:
            kind = self.kinds[resource.resource_type]
            checked = kind.resource(resource.account_id, resource.region, resource.resource_id)
            return str(self.open_target(checked, lambda: until).tags().get(self.tag, ""))
        except (RemediatorError, KeyError):
            return ""


def owners(config: Config, open_target: OpenTarget) -> Owner:
    """How owners are looked up."""
    kinds = {found.kind.resource_type: found.kind for found in catalogue().values()}
    return TaggedOwners(config.announce.owner_tag, kinds, open_target, config.oss.call_timeout_seconds)
