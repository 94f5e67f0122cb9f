"""One `[[rules]]` entry: which events it takes, which remediation it runs and whether that may change anything."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from consumer.config.sections.guards import RuleLimitConfig
from consumer.config.types import (
    AccountId,
    Allowed,
    AnnouncedKinds,
    Region,
    ResourceType,
    RuleName,
    Section,
    Text,
    TimeWindowText,
)
from consumer.core.queue_limits import MAX_VISIBILITY_SECONDS
from consumer.guards.rule import Mode, Observed, Rule, Selector
from consumer.guards.window import TimeWindow
from consumer.remediations.catalogue import RemediationType, catalogue


class RuleConfig(Section):
    """One rule, tried in the order of the file: the first that takes an event and repairs its kind is the only one."""

    name: RuleName = Field(
        description="Name of the rule in logs and metrics; unique. Renaming it starts new time series.",
        examples=["public-read"],
    )
    remediation: Annotated[str, Allowed("the name of a remediation")] = Field(
        description="What repairs the resource: a name that `config-remediator rules` lists.",
        examples=["oss.bucket-acl"],
    )
    mode: Annotated[Mode, Field(strict=False)] = Field(
        description=(
            "observe does everything but the change, counts what it would do and keeps the message; enforce changes"
            " the resource. There is no default: whoever writes a rule says it."
        ),
        examples=["observe"],
    )
    config_rule_ids: Annotated[tuple[Text, ...], Field(strict=False)] = Field(
        default=(),
        description=(
            "Take events of these Cloud Config rules, by id. The most reliable mark: it is in every event. Of"
            " config_rule_ids, source_identifiers and rule_names, one match is enough."
        ),
        examples=[["cr-d1234567890abcdef012"]],
    )
    source_identifiers: Annotated[tuple[Text, ...], Field(strict=False)] = Field(
        default=(),
        description=(
            "Take events of these managed rules, by identifier. Most deliveries carry no identifier: give the rule's"
            " id or name as well."
        ),
        examples=[["oss-bucket-public-read-prohibited"]],
    )
    rule_names: Annotated[tuple[Text, ...], Field(strict=False)] = Field(
        default=(),
        description=(
            "Take events of rules whose display name fits one of these shell patterns (* ? [...]), case included."
            " Display names are free and localised: whoever may rename a rule in Cloud Config decides what is taken."
        ),
        examples=[["oss-bucket-public-read-prohibited*"]],
    )
    resource_types: Annotated[tuple[ResourceType, ...], Field(strict=False)] = Field(
        default=(),
        description=(
            "Take only events of these resource types. Alone, without an id, identifier or name, it takes events of"
            " every Cloud Config rule on that type."
        ),
        examples=[["ACS::OSS::Bucket"]],
    )
    accounts: Annotated[tuple[AccountId, ...], Field(strict=False)] = Field(
        default=(), description="Take only events about resources of these accounts. Empty: of every account."
    )
    regions: Annotated[tuple[Region, ...], Field(strict=False)] = Field(
        default=(),
        description=(
            "Take only events about resources in these regions. Empty: in every region. Before a change the region is"
            " the resource's own, whatever the event names; also for events of the oldest form, which name none."
        ),
    )
    risk_levels: Annotated[tuple[Literal["info", "warning", "critical"], ...], Field(strict=False)] = Field(
        default=(),
        description=(
            "Take only events of these risk levels, as set on the Cloud Config rule. Empty: of every one. Whoever may"
            " publish to the topic names it: it routes, and protects nothing."
        ),
    )
    resources: Annotated[tuple[Text, ...], Field(strict=False)] = Field(
        default=(),
        description=(
            "Take only events about resources whose id (a bucket's name) fits one of these shell patterns. Empty:"
            " every one."
        ),
        examples=[["logs-*"]],
    )
    tags: dict[Text, Annotated[str, StringConstraints(max_length=256), Allowed("text")]] = Field(
        default_factory=dict,
        description=(
            "Take only resources that carry all of these tags now; values are shell patterns. Read from the resource,"
            " so whoever may tag it decides; if the tags cannot be read, it is held. For buckets it needs"
            " oss:GetBucketTagging."
        ),
        examples=[{"environment": "production"}],
    )
    hold_seconds: float | None = Field(
        default=None,
        ge=1,
        le=MAX_VISIBILITY_SECONDS,
        description="How long this rule's held and observed messages are hidden. Not given: retry.hold_seconds.",
    )
    windows: Annotated[tuple[TimeWindowText, ...], Field(strict=False)] = Field(
        default=(),
        description=(
            "Make changes only at these times, by the clock of the zone that each names: days (Mon to Sun, ranges,"
            " lists, or daily), from and up to. One over midnight belongs to the day on which it begins. Outside of"
            " them a change is held as outside_window. Empty: at any time."
        ),
        examples=[["Mon-Fri 09:00-17:00 Asia/Shanghai"]],
    )
    announce: AnnouncedKinds | None = Field(
        default=None,
        description=(
            "What of this rule is announced on announce.topic; an empty list for nothing. Not given: announce.endings."
        ),
        examples=[["fixed", "contested"]],
    )
    observed: Annotated[Observed, Field(strict=False)] = Field(
        default=Observed.KEEP,
        description=(
            "What becomes of a message that mode observe has reported. keep: it stays on the queue until the mode"
            " changes. delete: it is settled, because catch-up brings it back from Cloud Config's list once the mode"
            " has changed; only where catch-up runs by itself."
        ),
    )
    options: dict[str, Any] = Field(
        default_factory=dict,
        validate_default=True,
        description="Settings of the remediation itself; every remediation has its own keys.",
    )

    limits: RuleLimitConfig | None = Field(
        default=None, description="A limit of this rule's own; without it only the one on all rules binds."
    )

    @field_validator("remediation")
    @classmethod
    def _in_catalogue(cls, remediation: str) -> str:
        if remediation not in catalogue():
            known = ", ".join(f'"{name}"' for name in sorted(catalogue()))
            raise ValueError(f"must be one of {known}")
        return remediation

    @field_validator("options")
    @classmethod
    def _for_remediation(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if kind := remediation_type(info.data.get("remediation")):
            # Its own errors keep their keys: the validator they are raised in only adds where the table stands.
            remediation = kind(kind.Options.model_validate(options))
            for identifier in info.data.get("source_identifiers", ()):
                if missing := remediation.falls_short().get(identifier):
                    raise ValueError(f"must satisfy {identifier}, which the rule selects: set {missing}")
        return options

    def selector(self) -> Selector:
        """Which events the rule takes."""
        return Selector(
            config_rule_ids=frozenset(self.config_rule_ids),
            source_identifiers=frozenset(self.source_identifiers),
            rule_names=self.rule_names,
            resource_types=frozenset(self.resource_types),
            accounts=frozenset(self.accounts),
            regions=frozenset(self.regions),
            risk_levels=frozenset(self.risk_levels),
            resources=self.resources,
            tags=tuple(sorted(self.tags.items())),
        )

    def build(self, hold_seconds: float) -> Rule:
        """The rule that the engine works with; `hold_seconds` is what holds where the rule does not say."""
        kind = catalogue()[self.remediation]
        return Rule(
            name=self.name,
            selector=self.selector(),
            remediation=kind(kind.Options.model_validate(self.options)),
            mode=self.mode,
            hold_seconds=hold_seconds if self.hold_seconds is None else self.hold_seconds,
            limit=self.limits.build() if self.limits else None,
            observed=self.observed,
            windows=tuple(TimeWindow.parsed(window) for window in self.windows),
        )


def remediation_type(name: object) -> RemediationType | None:
    """The remediation of that name, if there is one."""
    return catalogue().get(name) if isinstance(name, str) else None
