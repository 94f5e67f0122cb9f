"""What is around the worker: queue, topic, OSS, `[http]`, `[metrics]`, `[log]` and `[journal]`, with what they mean.

The descriptions are the manual: `config.example.toml` and `docs/configuration.md` repeat them, and tests compare. What
several keys must fulfil together stands in `consumer.config.cross_checks`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from consumer.config.types import (
    Allowed,
    Endpoint,
    EndpointKey,
    EndpointOrNone,
    QueueName,
    QueueNameOrNone,
    Region,
    RegionOrNone,
    Section,
)
from consumer.core.queue_limits import MAX_WAIT_SECONDS


def _connect_timeout(service: str) -> Any:
    return Field(
        default=5.0, ge=0.1, le=60, description=f"How long connecting to {service} may take, for each request."
    )


def _call_timeout(service: str) -> Any:
    """Of a service whose requests are part of the work on a delivery."""
    text = f"How long one answer of {service} may take. Several tries have to fit into engine.work_budget_seconds."
    return Field(default=10.0, ge=0.5, le=120, description=text)


class QueueConfig(Section):
    """The MNS queue that the worker consumes, and how it is reached."""

    region: Region = Field(
        description="Region of the queue. The queue of a topic has to be in the topic's own region.",
        examples=["ap-southeast-1"],
    )
    name: QueueName = Field(
        description=(
            "Name of the queue that is subscribed to Cloud Config's topic. Give the worker a queue of its own: what"
            " another consumer takes from it is never repaired."
        ),
        examples=["config-events"],
    )
    dead_letter_queue: QueueNameOrNone = Field(
        default="",
        description=(
            "Queue in the same account and region that takes messages which cannot succeed. Empty: there is none, and"
            " such messages are kept and hidden for retry.keep_seconds again and again, until the queue's own"
            " retention drops them."
        ),
        examples=["config-events-dead"],
    )
    endpoint: EndpointOrNone = Field(
        default="",
        description=(
            "URL of the MNS service, for a test server or a private endpoint. Empty: built from account_id and"
            " queue.region. When given, queue.internal has no effect."
        ),
        examples=["http://127.0.0.1:9101"],
    )
    internal: bool = Field(
        default=False,
        description=(
            "Use the endpoint inside Alibaba Cloud's network. The service documents it for plain http only: requests"
            " are signed, but bodies cross the private network unencrypted."
        ),
    )
    wait_seconds: int = Field(
        default=30,
        ge=1,
        le=MAX_WAIT_SECONDS,
        description=(
            "How long one poll waits for a message. Shorter waits cost more requests; a stop has to wait for an open"
            " poll, so engine.shutdown_grace_seconds must be longer."
        ),
    )
    connect_timeout_seconds: float = _connect_timeout("MNS")
    call_timeout_seconds: float = Field(
        default=10.0,
        ge=0.5,
        le=120,
        description=(
            "How long one answer of MNS may take, except to a poll, which may take its wait longer. Too short turns a"
            " slow service into requests whose effect is unknown."
        ),
    )


class TopicConfig(Section):
    """The MNS topic that Cloud Config delivers to. The worker never uses it: `check` and `provision` do."""

    name: QueueNameOrNone = Field(
        default="",
        description=(
            "Name of the topic, in the queue's account and region. Empty: check does not look at topic and"
            " subscription, and provision leaves them to somebody else."
        ),
        examples=["config-topic"],
    )
    subscription: QueueNameOrNone = Field(
        default="",
        description="Name of the subscription that brings the topic's messages to the queue. Empty: queue.name.",
        examples=["config-events"],
    )


class OssConfig(Section):
    """How OSS is reached: which host serves which region."""

    default_region: RegionOrNone = Field(
        default="",
        description=(
            "Region of buckets whose event names none, as in the oldest form of events. Empty: queue.region. A bucket"
            " that lives elsewhere is then looked for in the region that OSS names."
        ),
    )
    internal: bool = Field(
        default=False,
        description=(
            "Use the endpoints inside Alibaba Cloud's network. They answer only in the worker's own region: buckets of"
            " other regions cannot be reached through them."
        ),
    )
    endpoints: dict[EndpointKey, Endpoint] = Field(
        default_factory=dict,
        description=(
            'URL of OSS by region id, or by "*" for every region without one of its own. For private endpoints,'
            " new regions whose host does not follow oss-<region>.aliyuncs.com, and test servers. Wins over"
            " oss.internal. Signed requests go to whatever host stands here."
        ),
        examples=[{"cn-hangzhou": "https://oss-cn-hangzhou-internal.aliyuncs.com"}],
    )
    connect_timeout_seconds: float = _connect_timeout("OSS")
    call_timeout_seconds: float = _call_timeout("OSS")


class EcsConfig(Section):
    """How ECS is reached, for rules about security groups. Needs the extra `ecs`."""

    internal: bool = Field(
        default=False,
        description=(
            "Use the endpoints inside a VPC, ecs-vpc.<region>.aliyuncs.com. They answer only in the worker's own"
            " region: groups of other regions cannot be reached through them."
        ),
    )
    endpoints: dict[EndpointKey, Endpoint] = Field(
        default_factory=dict,
        description=(
            'URL of ECS by region id, or by "*" for every region without one of its own. For regions whose host does'
            " not follow ecs.<region>.aliyuncs.com, and test servers. Wins over ecs.internal. Signed requests go to"
            " whatever host stands here."
        ),
        examples=[{"cn-hangzhou": "https://ecs-vpc.cn-hangzhou.aliyuncs.com"}],
    )
    connect_timeout_seconds: float = _connect_timeout("ECS")
    call_timeout_seconds: float = _call_timeout("ECS")


class HttpConfig(Section):
    """Metrics, probes and a status page: /metrics, /livez, /readyz and /, over plain http."""

    enabled: bool = Field(
        default=True, description="Whether to serve them at all. Off: nobody can see whether the worker lives."
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        max_length=255,
        description=(
            'Address to listen on. In a container, where probes come from outside, "0.0.0.0" (or "::"); nothing there'
            " asks for a password, so let a network policy decide who reaches it."
        ),
    )
    port: int = Field(default=9108, ge=0, le=65_535, description="Port to listen on; 0 takes any free one and logs it.")
    status_page: bool = Field(
        default=True,
        description=(
            "Whether / shows people what is exposed, in flight and held back, the rules and the latest endings. Unlike"
            " the metrics it names resources and their states, to whoever reaches the port."
        ),
    )


class MetricsConfig(Section):
    """How often the number of messages in the queues is read (queue_messages); all other metrics cost nothing."""

    sample_queues: bool = Field(
        default=True,
        description=(
            "Whether to read it again after the start. Needs mns:GetQueueAttributes; refused, the metric is absent, and"
            " what waits comes back after half a minute, since nobody knows how long the queue keeps it. Without"
            " sampling a retention that is shortened later is not noticed before a restart."
            " The service has announced to withdraw these figures; the metric is absent then, too."
        ),
    )
    queue_sample_seconds: float = Field(
        default=60.0,
        ge=1,
        le=3600,
        description=(
            "How long after one request to a queue the next one follows while messages come and go. Each replica sends"
            " its own: 60 s are at most 43,200 requests a month, queue and replica."
        ),
    )
    queue_sample_idle_seconds: float = Field(
        default=600.0,
        ge=1,
        le=86_400,
        description=(
            "The same while nothing happens. At least metrics.queue_sample_seconds. 600 s are 4,320 requests a month,"
            " queue and replica, beside 86,400 polls of 30 s."
        ),
    )


class LogConfig(Section):
    """What is written to standard output."""

    format: Literal["auto", "json", "console"] = Field(
        default="auto",
        description="json is one object a line, console is for people; auto is console on a terminal, else json.",
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe level that is written. debug shows every request."
    )


class JournalConfig(Section):
    """A record of every step of every delivery, in a file that shows whether anybody has changed it."""

    path: Annotated[str, StringConstraints(max_length=1024), Allowed("a path, or empty")] = Field(
        default="",
        description=(
            "File that every delivery's steps are appended to, synced and chained by hash; `config-remediator journal"
            " verify` proves it whole, and undo needs it. Put it on a volume that outlives the container. Empty: no"
            " journal is kept."
        ),
        examples=["/var/lib/config-remediator/journal.jsonl"],
    )
    required: bool = Field(
        default=False,
        description=(
            "Whether a change needs its line on the disk first. true: while lines cannot be written, changes are held"
            " as journal_unwritable and the worker is not ready. false: changes go on; what is missing is counted"
            " (journal_gaps_total) and stands in the journal once it can be written again. Needs journal.path."
        ),
    )
