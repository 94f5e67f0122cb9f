"""Control endpoints that make Cloud Config publish on request: true, stale, bent or entirely made-up messages."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.cloudconfig.configuration import BUCKET, SECURITY_GROUP, BucketConfiguration, Configuration
from emulator.cloudconfig.delivery import Delivered, Encoding
from emulator.cloudconfig.events import ChangeType, Event, Trigger, Variant, snapshot_delivery
from emulator.cloudconfig.inventory import group_snapshot, snapshot
from emulator.cloudconfig.rules import CATALOGUE, Rule, configured
from emulator.cloudconfig.security_group import GroupConfiguration
from emulator.cloudconfig.verdict import Annotation
from emulator.control.answers import Json
from emulator.control.bodies import Body, Refused, read
from emulator.control.config import find_rule
from emulator.emulation import Emulation
from emulator.xml import Unescaped, as_read

_STALE = {
    BUCKET: Annotation("public-read", "read", "NotContains", "$.AccessControlList.Grant"),
    SECURITY_GROUP: Annotation("TCP 22/22 from 0.0.0.0/0", "22,3389", "NotContains", "$.Permissions.Permission"),
}
"""What an event says that is published for a resource which is compliant or gone."""

MessageKind = Literal["non-compliance", "resource-change", "snapshot-success", "snapshot-failure"]


class PublishBody(Body):
    """POST /config/publish."""

    kind: MessageKind = "non-compliance"
    bucket: str = "bucket"
    security_group: str | None = None
    rule: str = "oss-bucket-public-read-prohibited"
    variant: Variant = Variant.CURRENT
    encoding: Encoding | None = None
    trigger: Trigger = Trigger.MANUAL
    change: ChangeType = ChangeType.MODIFY
    error_cause: str = "NoSuchBucket"
    region: str | None = None
    owner_id: str | None = None
    topic: str | None = None
    count: int = Field(1, ge=1, le=10_000)
    overrides: dict[str, Any] = Field(default_factory=dict)
    remove: list[str] = Field(default_factory=list)

    @property
    def resource_id(self) -> str:
        """What it is about; for a security group its rule has to be one for those."""
        return self.bucket if self.security_group is None else self.security_group


class RawBody(Body):
    """POST /config/publish-raw."""

    body: str
    unescaped: bool = False
    """Whether replies hold the body as it is, so that one with a control character damages them for every parser."""
    topic: str | None = None
    count: int = Field(1, ge=1, le=10_000)


class PublishingEndpoints:
    """Messages on request."""

    def __init__(self, emulation: Emulation) -> None:
        self._emulation = emulation
        self._config = emulation.config

    def routes(self) -> list[Route]:
        """This module's part of the control port."""
        return [
            Route("/config/publish", self.publish, methods=["POST"]),
            Route("/config/publish-raw", self.publish_raw, methods=["POST"]),
        ]

    async def publish(self, request: Request) -> Response:
        """Publish messages about a bucket or a security group, whether what they say is true or not."""
        body = await read(request, PublishBody)
        sent: list[Delivered] = []
        event: Event = {}
        for _ in range(body.count):
            event = self._event(body)
            _bend(event, body)
            delivered = self._config.delivery.send(event, body.resource_id, topic=body.topic, encoding=body.encoding)
            sent.append(delivered)
        return _answer(sent, event)

    async def publish_raw(self, request: Request) -> Response:
        """Publish a body exactly as it is, as far as XML can hold it, so that journal and replies agree."""
        raw = await read(request, RawBody)
        body = Unescaped(raw.body.encode(errors="replace").decode()) if raw.unescaped else as_read(raw.body)
        delivery = self._config.delivery
        return _answer([delivery.send_body(body, "", topic=raw.topic) for _ in range(raw.count)], None)

    def _event(self, body: PublishBody) -> Event:
        now_ms = self._emulation.world.clock.now_ms()
        match body.kind:
            case "non-compliance":
                return self._non_compliance(body)
            case "resource-change":
                return self._config.describe_change(self._resource(body), body.change)
            case "snapshot-success":
                return snapshot_delivery(now_ms)
            case "snapshot-failure":
                return snapshot_delivery(now_ms, body.error_cause)

    def _non_compliance(self, body: PublishBody) -> Event:
        resource, rule = self._resource(body), self._rule(body.rule)
        fits = rule.managed.resource_type == resource.resource_type
        annotation = (rule.evaluate(resource).annotation if fits else None) or _STALE[rule.managed.resource_type]
        return self._config.describe(resource, rule, annotation, body.trigger, body.variant)

    def _rule(self, wanted: str) -> Rule:
        configured_here = {rule.managed.identifier for rule in self._config.rules.values()}
        if wanted in CATALOGUE and wanted not in configured_here:
            return configured(wanted)
        return find_rule(self._config, wanted)

    def _resource(self, body: PublishBody) -> Configuration:
        return self._bucket(body) if body.security_group is None else self._group(body, body.security_group)

    def _group(self, body: PublishBody, group_id: str) -> GroupConfiguration:
        world = self._emulation.world
        found = self._emulation.ecs.groups.get(group_id)
        if found is not None and body.region is None and body.owner_id is None:
            return group_snapshot(found)
        return GroupConfiguration(
            id=group_id,
            name=group_id,
            owner_id=body.owner_id or (found.owner_id if found else world.account_id),
            region=body.region or (found.region if found else world.region),
            created=world.clock.now(),
        )

    def _bucket(self, body: PublishBody) -> BucketConfiguration:
        world = self._emulation.world
        found = self._emulation.oss.buckets.get(body.bucket)
        if found is not None and body.region is None and body.owner_id is None:
            return snapshot(found)
        return BucketConfiguration(
            name=body.bucket,
            owner_id=body.owner_id or (found.owner_id if found else world.account_id),
            region=body.region or (found.region if found else world.region),
            created=world.clock.now(),
        )


def _answer(sent: list[Delivered], event: Event | None) -> Response:
    ids = [delivered.message_id for delivered in sent]
    if None in ids:
        raise Refused("topic: nothing was delivered: no topic is set, or it does not exist; PUT /config/channel", 409)
    return Json({"message_ids": ids, "event": event, "body": sent[-1].body}, 201)


def _bend(event: Event, body: PublishBody) -> None:
    for path, value in body.overrides.items():
        _place(event, path, {path: value})
    for path in body.remove:
        _place(event, path, {})


def _place(event: Event, path: str, replacement: dict[str, Any]) -> None:
    """Set the value at a dotted path, or remove it when there is no replacement.

    A path that begins with a dot means the evaluation result qualifier, which is where most of what matters is.
    """
    if path.startswith("."):
        target = event.get("data", event)["evaluationResultIdentifier"]["evaluationResultQualifier"]
        parts = path[1:].split(".")
    else:
        target, parts = event, path.split(".")
    for part in parts[:-1]:
        if not isinstance(target.get(part), dict):
            raise Refused(f"overrides: {path!r}: {part!r} is no object in this message")
        target = target[part]
    if path in replacement:
        target[parts[-1]] = replacement[path]
    else:
        target.pop(parts[-1], None)
