"""The whole configuration as one immutable value. A new table is one class and one line here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from consumer.config.cross_checks import contradictions
from consumer.config.sections.accounts import AccountsConfig
from consumer.config.sections.announce import AnnounceConfig
from consumer.config.sections.canary import CanaryConfig
from consumer.config.sections.catch_up import CatchUpConfig
from consumer.config.sections.engine import EngineConfig, RetryConfig
from consumer.config.sections.guards import (
    BreakerConfig,
    ContestConfig,
    ExemptionConfig,
    LimitsConfig,
    PauseConfig,
    SharedConfig,
)
from consumer.config.sections.reevaluation import ReevaluateConfig
from consumer.config.sections.rules import RuleConfig
from consumer.config.sections.services import (
    EcsConfig,
    HttpConfig,
    JournalConfig,
    LogConfig,
    MetricsConfig,
    OssConfig,
    QueueConfig,
    TopicConfig,
)
from consumer.config.types import AccountId, Section


class Config(Section):
    """Everything that can be configured."""

    account_id: AccountId = Field(
        description=(
            "Account that owns the queue and the resources. Events about resources of any other account are not acted"
            " on, unless accounts.allowed names it. In quotes, because it is a name and not a number."
        ),
        examples=["1234567890123456"],
    )
    queue: QueueConfig
    topic: TopicConfig = TopicConfig()
    oss: OssConfig = OssConfig()
    ecs: EcsConfig = EcsConfig()
    engine: EngineConfig = EngineConfig()
    retry: RetryConfig = RetryConfig()
    http: HttpConfig = HttpConfig()
    metrics: MetricsConfig = MetricsConfig()
    log: LogConfig = LogConfig()
    journal: JournalConfig = JournalConfig()
    shared: SharedConfig = SharedConfig()
    pause: PauseConfig = PauseConfig()
    limits: LimitsConfig = LimitsConfig()
    breaker: BreakerConfig = BreakerConfig()
    contest: ContestConfig = ContestConfig()
    accounts: AccountsConfig = AccountsConfig()
    reevaluate: ReevaluateConfig = ReevaluateConfig()
    announce: AnnounceConfig = AnnounceConfig()
    catch_up: CatchUpConfig = CatchUpConfig()
    canary: CanaryConfig = CanaryConfig()
    exemptions: Annotated[tuple[ExemptionConfig, ...], Field(strict=False)] = Field(
        default=(), description="The exemptions; the first that covers a resource is the one that is named."
    )
    rules: Annotated[tuple[RuleConfig, ...], Field(strict=False)] = Field(
        min_length=1, description="The rules, in the order in which they are tried."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        if found := contradictions(self.model_dump()):
            raise ValueError("; ".join(str(problem) for problem in found))
        return self

    @property
    def mns_endpoint(self) -> str:
        """URL of the MNS service, without a path.

        https://www.alibabacloud.com/help/en/mns/product-overview/regions-and-endpoints
        """
        if self.queue.endpoint:
            return self.queue.endpoint
        if self.queue.internal:
            return f"http://{self.account_id}.mns.{self.queue.region}-internal.aliyuncs.com"
        return f"https://{self.account_id}.mns.{self.queue.region}.aliyuncs.com"

    @property
    def oss_default_region(self) -> str:
        """Region of buckets whose event names none."""
        return self.oss.default_region or self.queue.region

    @property
    def canary_region(self) -> str:
        """Region of the canary bucket."""
        return self.canary.region or self.oss_default_region

    @property
    def subscription_name(self) -> str:
        """The subscription that brings the topic's messages to the queue; empty where no topic is configured."""
        return (self.topic.subscription or self.queue.name) if self.topic.name else ""
