"""What keeps changes back: `[shared]`, `[pause]`, `[limits]`, `[breaker]`, `[contest]`, `[[exemptions]]`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator, StringConstraints, WithJsonSchema

from consumer.config.credentials_refused import carries_credential
from consumer.config.types import AccountId, Allowed, Region, ResourceType, RuleName, Section, SharedOrNone, Text
from consumer.guards.breaker import BreakerPolicy
from consumer.guards.contest import ContestPolicy
from consumer.guards.exemptions import Exemption
from consumer.guards.limits import Limit

_MOST_CHANGES = 1_000_000
_LONGEST_WINDOW_SECONDS = 604_800
_SHOWN_TEXT = "text of 1 to 256 characters without a password or a key, for it is shown"


def _without_credential(text: str) -> str:
    """A text for people.

    Raises:
        ValueError: it has a password or a key in it.
    """
    if carries_credential(text):
        raise ValueError(f"must be {_SHOWN_TEXT}")
    return text


ShownText = Annotated[Text, AfterValidator(_without_credential), Allowed(_SHOWN_TEXT)]


class SharedConfig(Section):
    """A Redis-compatible service, in which the replicas keep limits, breakers and contests together."""

    url: SharedOrNone = Field(
        default="",
        description=(
            "Where it is. While it cannot be reached, nothing is changed: what would be is held as shared_unreachable."
            " A password comes from the variable REMEDIATOR_SHARED_PASSWORD. Needs the extra `shared`, which the image"
            " has. Empty: each replica counts for itself."
        ),
        examples=["rediss://guards.redis.example.com:6379/0"],
    )
    prefix: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$"),
        Allowed("at most 64 letters, digits, dots, hyphens and underscores"),
    ] = Field(
        default="config-remediator",
        description="Begins every key. The replicas of one queue need the same; two installations need different ones.",
    )
    timeout_seconds: float = Field(
        default=1.0, ge=0.05, le=10, description="For connecting and for each answer; one change takes four or five."
    )


class PauseConfig(Section):
    """Stops every change while polling, decisions, leases and metrics go on."""

    enabled: bool = Field(
        default=False,
        description=(
            "Whether changes are paused for as long as this process lives. To pause a running worker, use pause.file"
            " or the signal SIGUSR1."
        ),
    )
    file: Annotated[str, StringConstraints(max_length=1024), Allowed("a path, or empty")] = Field(
        default="",
        description=(
            "While this file exists, changes are paused; looked at before each change. If it says false, off, no or 0"
            " it counts as missing, so that a mounted ConfigMap can do it; if it cannot be read, it counts as there."
            " Empty: no file is looked at."
        ),
        examples=["/etc/config-remediator/pause"],
    )


class LimitsConfig(Section):
    """How many changes may be made in how little time, by all rules together; each rule can have its own limit."""

    max_changes: int = Field(
        default=1000,
        ge=1,
        le=_MOST_CHANGES,
        description=(
            "Most changes in any window of limits.window_seconds, counted by each replica for itself, or for all"
            " together with shared.url. What is over it is held and resumes by itself, so a limit makes a flood slow"
            " but loses nothing."
        ),
    )
    window_seconds: float = Field(
        default=3600.0,
        ge=1,
        le=_LONGEST_WINDOW_SECONDS,
        description="Length of the sliding window. A change counts from before it is made until so long after it.",
    )

    def build(self) -> Limit:
        """The limit that the engine works with."""
        return Limit(self.max_changes, self.window_seconds)


class RuleLimitConfig(Section):
    """A limit of this rule's own, besides the one on all rules together."""

    max_changes: int = Field(
        ge=1,
        le=_MOST_CHANGES,
        description="Most changes of this rule in any window, counted like limits.max_changes.",
        examples=[20],
    )
    window_seconds: float = Field(
        ge=1,
        le=_LONGEST_WINDOW_SECONDS,
        description="Length of the sliding window. A change counts from before it is made until so long after it.",
        examples=[3600],
    )

    def build(self) -> Limit:
        """The limit that the engine works with."""
        return Limit(self.max_changes, self.window_seconds)


class BreakerConfig(Section):
    """Stops a rule's changes while too many of them fail; each rule has a breaker of its own."""

    attempts: int = Field(
        default=50,
        ge=1,
        le=10_000,
        description="How many resources are judged: the last ones to be changed, each by its latest attempt.",
    )
    min_attempts: int = Field(
        default=20,
        ge=1,
        le=10_000,
        description="Fewer resources than these prove nothing and never stop changes. At most breaker.attempts.",
    )
    max_failure_share: float = Field(
        default=0.5,
        ge=0.01,
        le=1,
        description="At this share of failures among the judged resources the rule's changes stop.",
    )
    cool_down_seconds: float = Field(
        default=60.0,
        ge=1,
        le=86_400,
        description="How long they stop before one attempt may probe; if it works, all may go on.",
    )

    def build(self) -> BreakerPolicy:
        """The policy that the engine works with."""
        return BreakerPolicy(self.attempts, self.min_attempts, self.max_failure_share, self.cool_down_seconds)


class ContestConfig(Section):
    """Stops us from fighting with somebody, or their Terraform, who keeps breaking what we fix."""

    max_fixes: int = Field(
        default=5,
        ge=1,
        le=1000,
        description=(
            "Verified fixes of one resource by one rule within the window; found broken once more it is contested and"
            " held. Counted by each replica for itself and anew after a restart, or by all together with shared.url."
        ),
    )
    window_seconds: float = Field(
        default=3600.0,
        ge=1,
        le=_LONGEST_WINDOW_SECONDS,
        description="How long a fix counts, and how long a contested resource is left alone before it begins anew.",
    )

    def build(self) -> ContestPolicy:
        """The policy that the engine works with."""
        return ContestPolicy(self.max_fixes, self.window_seconds)


def _moment(given: object) -> date:
    """What TOML made of it, if it is one moment everywhere.

    Raises:
        ValueError: it is no date at all, or a time of day somewhere and nobody says where.
    """
    if not isinstance(given, date) or (isinstance(given, datetime) and given.tzinfo is None):
        raise ValueError("not one moment everywhere")
    return given


class ExemptionConfig(Section):
    """Resources that are left as they are, for a reason and for a time. An event about one is acknowledged."""

    name: RuleName = Field(
        description="Name of the exemption in logs, endings and metrics; unique.", examples=["static-sites"]
    )
    owner: ShownText = Field(
        description="Who answers for it: a person or a team that can answer questions.",
        examples=["web-team@example.com"],
    )
    reason: ShownText = Field(
        description="Why these resources may stay as they are.", examples=["Serves public assets"]
    )
    expires: Annotated[
        datetime | date,
        PlainValidator(_moment),
        WithJsonSchema({"anyOf": [{"type": "string", "format": form} for form in ("date", "date-time")]}),
        Allowed("a date such as 2027-01-31, or a time with an offset such as 2027-01-31T12:00:00Z"),
    ] = Field(
        description=(
            "When it ends; a date ends with its day in UTC. From then on the resources are repaired like any others,"
            " once Cloud Config reports them again. The moment is exported as a metric."
        ),
        examples=["2027-01-31"],
    )
    resource_types: Annotated[tuple[ResourceType, ...], Field(strict=False)] = Field(
        default=(),
        description=(
            "Exempt only resources of these types: a pattern for the ids of one kind may fit those of another."
            " Each has to be a type that a configured rule repairs. Empty: of every type."
        ),
        examples=[["ACS::OSS::Bucket"]],
    )
    accounts: Annotated[tuple[AccountId, ...], Field(strict=False)] = Field(
        default=(), description="Exempt only resources of these accounts. Empty: of every account."
    )
    regions: Annotated[tuple[Region, ...], Field(strict=False)] = Field(
        default=(),
        description="Exempt only resources that really are in these regions, whatever events say. Empty: in every one.",
    )
    resources: Annotated[tuple[Text, ...], Field(strict=False)] = Field(
        default=(),
        description=(
            "Exempt only resources whose id (a bucket's name) fits one of these shell patterns (* ? [...]). Empty:"
            " every one."
        ),
        examples=[["static-*"]],
    )
    tags: dict[Text, Annotated[str, StringConstraints(max_length=256), Allowed("text")]] = Field(
        default_factory=dict,
        description=(
            "Exempt only resources that carry all of these tags now; values are shell patterns. Whoever may tag one"
            " decides then. If the tags cannot be read, it is held and not changed. For buckets it needs"
            " oss:GetBucketTagging."
        ),
        examples=[{"public-by-design": "*"}],
    )
    rules: Annotated[tuple[RuleName, ...], Field(strict=False)] = Field(
        default=(),
        description="Exempt only from these rules, by name. Empty: from every rule.",
        examples=[["public-read"]],
    )

    @property
    def expires_at(self) -> float:
        """The end in seconds since the epoch."""
        if isinstance(self.expires, datetime):
            return self.expires.timestamp()
        return datetime.combine(self.expires + timedelta(days=1), time(), UTC).timestamp()

    def build(self) -> Exemption:
        """The exemption that the guards work with."""
        return Exemption(
            name=self.name,
            owner=self.owner,
            reason=self.reason,
            expires_at=self.expires_at,
            resource_types=frozenset(self.resource_types),
            accounts=frozenset(self.accounts),
            regions=frozenset(self.regions),
            resources=self.resources,
            tags=tuple(sorted(self.tags.items())),
            rules=frozenset(self.rules),
        )
