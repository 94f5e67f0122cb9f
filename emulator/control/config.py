"""Control endpoints of Cloud Config: rules, channel, evaluations, messages on request, compliance."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.cloudconfig.configuration import BUCKET, SECURITY_GROUP
from emulator.cloudconfig.delivery import Encoding
from emulator.cloudconfig.events import Trigger, Variant
from emulator.cloudconfig.rules import CATALOGUE, RiskLevel, Rule, configured
from emulator.cloudconfig.service import CloudConfig, Finding, ResourceKey
from emulator.cloudconfig.verdict import Compliance
from emulator.control.answers import DONE, Json
from emulator.control.bodies import Body, Refused, read, validated
from emulator.emulation import Emulation


class RuleBody(Body):
    """POST /config/rules."""

    identifier: str
    rule_id: str | None = None
    name: str | None = None
    risk_level: RiskLevel | None = None
    parameters: dict[str, str] = Field(default_factory=dict)


class ChannelBody(Body):
    """PUT /config/channel: what is left out stays as it is."""

    topic: str | None = None
    non_compliance: bool = True
    resource_changes: bool = False
    variant: Variant = Variant.CURRENT
    encoding: Encoding = Encoding.BASE64
    lose: int = Field(default=0, ge=0)
    delay_seconds: float = 0.0


class EvaluateBody(Body):
    """POST /config/evaluate: nothing named evaluates everything."""

    bucket: str | None = None
    security_group: str | None = None
    rule: str | None = None
    trigger: Trigger = Trigger.MANUAL


class ComplianceQuery(Body):
    """GET /config/compliance: the query."""

    bucket: str | None = None
    security_group: str | None = None
    rule: str | None = None
    compliance: Compliance | None = None


class ConfigEndpoints:
    """The emulated Cloud Config."""

    def __init__(self, emulation: Emulation) -> None:
        self._config = emulation.config
        self._oss = emulation.oss
        self._ecs = emulation.ecs

    def routes(self) -> list[Route]:
        """This module's part of the control port."""
        return [
            Route("/config/catalogue", self.catalogue, methods=["GET"]),
            Route("/config/rules", self.rules, methods=["GET"]),
            Route("/config/rules", self.put_rule, methods=["POST"]),
            Route("/config/rules/{rule}", self.remove_rule, methods=["DELETE"]),
            Route("/config/channel", self.channel, methods=["GET"]),
            Route("/config/channel", self.set_channel, methods=["PUT"]),
            Route("/config/evaluate", self.evaluate, methods=["POST"]),
            Route("/config/compliance", self.compliance, methods=["GET"]),
        ]

    async def catalogue(self, _: Request) -> Response:
        """Every managed rule that can be configured, with its defaults."""
        rules = [configured(identifier) for identifier in CATALOGUE]
        return Json({"rules": [shown_rule(rule) for rule in rules]})

    async def rules(self, _: Request) -> Response:
        """The configured rules."""
        return Json({"rules": [shown_rule(rule) for rule in self._config.rules.values()]})

    async def put_rule(self, request: Request) -> Response:
        """Configure one; what is left out comes from the catalogue."""
        body = await read(request, RuleBody)
        if body.identifier not in CATALOGUE:
            raise Refused(f"identifier: none of {', '.join(CATALOGUE)}: {body.identifier!r}")
        rule = configured(**body.model_dump())
        self._config.put_rule(rule)
        return Json(shown_rule(rule), 201)

    async def remove_rule(self, request: Request) -> Response:
        """Forget one, by id or identifier."""
        self._config.remove_rule(find_rule(self._config, request.path_params["rule"]).id)
        return Json(DONE)

    async def channel(self, _: Request) -> Response:
        """The delivery channel as it is set."""
        shown = asdict(self._config.delivery.channel)
        return Json({**shown, "delay_seconds": self._config.delay_seconds})

    async def set_channel(self, request: Request) -> Response:
        """Change what is named; a null topic stops delivery."""
        body = await read(request, ChannelBody)
        named = {name: getattr(body, name) for name in body.model_fields_set - {"delay_seconds"}}
        self._config.delivery.channel = replace(self._config.delivery.channel, **named)
        if "delay_seconds" in body.model_fields_set:
            self._config.delay_seconds = body.delay_seconds
        return await self.channel(request)

    async def evaluate(self, request: Request) -> Response:
        """Judge now and report every non-compliance again."""
        body = await read(request, EvaluateBody)
        if body.bucket is not None and body.bucket not in self._oss.buckets:
            raise Refused(f"bucket: no such bucket: {body.bucket}", status=404)
        if body.security_group is not None and body.security_group not in self._ecs.groups:
            raise Refused(f"security_group: no such security group: {body.security_group}", status=404)
        rule_id = find_rule(self._config, body.rule).id if body.rule else None
        return _results(await self._config.evaluate(_named(body.bucket, body.security_group), rule_id, body.trigger))

    async def compliance(self, request: Request) -> Response:
        """What is compliant now; nothing is reported."""
        query = validated(dict(request.query_params), ComplianceQuery)
        named = _named(query.bucket, query.security_group)
        found = [
            finding
            for finding in self._config.compliance()
            if (named is None or (finding.resource_type, finding.resource_id) in named)
            and query.rule in (None, finding.rule.id, finding.rule.managed.identifier)
            and query.compliance in (None, finding.verdict.compliance)
        ]
        return _results(found)


def _named(bucket: str | None, security_group: str | None) -> list[ResourceKey] | None:
    """The resources that a request is limited to; None: it is not."""
    named = ((BUCKET, bucket), (SECURITY_GROUP, security_group))
    found = [(kind, resource_id) for kind, resource_id in named if resource_id is not None]
    return found or None


def find_rule(config: CloudConfig, wanted: str) -> Rule:
    """A configured rule by its id or its identifier.

    Raises:
        Refused: there is none.
    """
    for rule in config.rules.values():
        if wanted in (rule.id, rule.managed.identifier):
            return rule
    known = ", ".join(f"{rule.id} ({rule.managed.identifier})" for rule in config.rules.values())
    raise Refused(f"rule: none of {known}: {wanted!r}", status=404)


def shown_rule(rule: Rule) -> dict[str, Any]:
    """A rule for people and scripts."""
    return {
        "rule_id": rule.id,
        "identifier": rule.managed.identifier,
        "name": rule.name,
        "risk_level": rule.risk_level,
        "resource_type": rule.managed.resource_type,
        "parameters": dict(rule.parameters),
    }


def _results(findings: list[Finding]) -> Response:
    counts = Counter(finding.verdict.compliance for finding in findings)
    return Json(
        {
            "counts": {kind: counts[kind] for kind in Compliance},
            "results": [
                {
                    "resource_type": finding.resource_type,
                    "resource_id": finding.resource_id,
                    "rule_id": finding.rule.id,
                    "identifier": finding.rule.managed.identifier,
                    "compliance": finding.verdict.compliance,
                }
                for finding in findings
            ],
        }
    )
