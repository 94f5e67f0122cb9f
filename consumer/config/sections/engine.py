"""How much the worker does at once, how long it may take and how it tries again: `[engine]` and `[retry]`."""

from __future__ import annotations

from pydantic import Field

from consumer.config.types import Section
from consumer.core.queue_limits import MAX_VISIBILITY_SECONDS


class EngineConfig(Section):
    """How much is done at once, and how long it may take."""

    workers: int = Field(
        default=32,
        ge=1,
        le=256,
        description="Threads that look at and repair resources. More help only while their services do not throttle.",
    )
    slots: int = Field(
        default=128,
        ge=1,
        le=4096,
        description=(
            "Messages in flight at once: waiting, in work and being settled. At least engine.workers. Every one holds a"
            " lease that has to be renewed, so many slots for few workers only hide messages from other replicas."
        ),
    )
    pollers: int = Field(
        default=4,
        ge=1,
        le=16,
        description="Threads that receive. One waits on the queue; the others help only while batches come back full.",
    )
    settlers: int = Field(
        default=2,
        ge=1,
        le=16,
        description=(
            "Threads for each way of settling: so many delete in batches, so many hide, so many dead-letter, so many"
            " park. What one kind waits for holds up no other."
        ),
    )
    lease_threads: int = Field(
        default=4,
        ge=1,
        le=32,
        description=(
            "Threads that renew leases side by side, one message a request. Where they cannot renew engine.slots"
            " messages in time, fewer are received."
        ),
    )
    lease_seconds: int = Field(
        default=60,
        ge=2,
        le=MAX_VISIBILITY_SECONDS,
        description=(
            "How far each renewal hides a message from other consumers; renewed at about half of it. After a crash its"
            " messages return that much later; a short lease is lost to a short network failure."
        ),
    )
    max_lease_seconds: float = Field(
        default=900.0,
        ge=2,
        le=MAX_VISIBILITY_SECONDS,
        description=(
            "How long after its receipt a message's lease is renewed at all; what takes longer returns to the queue."
            " At least engine.lease_seconds and engine.work_budget_seconds."
        ),
    )
    work_budget_seconds: float = Field(
        default=120.0,
        ge=1,
        le=MAX_VISIBILITY_SECONDS,
        description=(
            "How long one message may be worked on, its retried requests included; then it fails and is tried again"
            " on a later delivery."
        ),
    )
    delete_linger_seconds: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description=(
            "How long a deletion waits for others to share its request, up to 16. 0 sends each at once; the lease"
            " runs on meanwhile."
        ),
    )
    park_after_seconds: float = Field(
        default=60.0,
        ge=0,
        le=MAX_VISIBILITY_SECONDS,
        description=(
            "What has to wait for longer than this is parked: sent to the queue again with a delay, and deleted once"
            " that is confirmed, so that it is no undeleted message and its retention begins anew. What waits for less"
            " is hidden, and so is everything while mns:SendMessage on the queue is not granted. 0 hides nothing else;"
            " 43200 parks only what the queue's retention would overtake. Once a quarter of engine.max_undeleted is"
            " used up, shorter waits are parked as well."
        ),
    )
    max_undeleted: int = Field(
        default=4000,
        ge=1,
        le=4900,
        description=(
            "Messages that all replicas together may receive within 30 minutes and not delete. The service throttles"
            " an access key at 5,000; what is hidden or released counts on every delivery, what is parked does not."
            " As the count rises messages are hidden for longer, eightfold and up to an hour; beyond four fifths polls"
            " are paced."
        ),
    )
    replicas: int = Field(
        default=1,
        ge=1,
        le=1000,
        description=(
            "How many replicas are expected to share the queue and the access key: each keeps to its part of"
            " engine.max_undeleted."
        ),
    )
    startup_wait_seconds: float = Field(
        default=0.0,
        ge=0,
        le=86_400,
        description=(
            "How long a start waits for what may pass by itself: an outage of MNS or STS, throttling, DNS. Meanwhile"
            " the process is alive and not ready; after that it ends with status 3. 0 waits for as long as it takes,"
            " which suits Kubernetes: a process that ends is started again later each time."
        ),
    )
    shutdown_grace_seconds: float = Field(
        default=60.0,
        ge=2,
        le=3600,
        description=(
            "How long a stop may take before the process ends hard. At least queue.wait_seconds plus"
            " queue.call_timeout_seconds. In Kubernetes, terminationGracePeriodSeconds has to be longer still."
        ),
    )


class RetryConfig(Section):
    """When something is tried again: one request inside a delivery, one message across deliveries."""

    request_attempts: int = Field(
        default=5,
        ge=1,
        le=20,
        description="Tries of one OSS request within a delivery, the first included, after passing failures.",
    )
    request_base_seconds: float = Field(
        default=0.2,
        ge=0.01,
        le=60,
        description="Longest pause before the second try of a request; doubles with each try, with full jitter.",
    )
    request_cap_seconds: float = Field(
        default=5.0,
        ge=0.01,
        le=300,
        description="Longest pause between tries of a request. At least retry.request_base_seconds.",
    )
    max_attempts: int = Field(
        default=8,
        ge=1,
        le=1000,
        description=(
            "Failed deliveries of one message after which it is given up to the dead-letter queue. The count travels"
            " with a parked message over replicas and restarts; of one that was only hidden each process counts for"
            " itself, so a message may get more attempts than this, never fewer."
        ),
    )
    backoff_base_seconds: float = Field(
        default=30.0,
        ge=1,
        le=MAX_VISIBILITY_SECONDS,
        description=(
            "How long a message waits after its first failure, less jitter; doubles with each failure. Hidden or"
            " parked, see engine.park_after_seconds."
        ),
    )
    backoff_cap_seconds: float = Field(
        default=3600.0,
        ge=1,
        le=MAX_VISIBILITY_SECONDS,
        description=(
            "Longest time a failed message waits. At least retry.backoff_base_seconds. A parked one waits for half of"
            " the queue's retention at most; one that has to be hidden is dropped if the retention is shorter."
        ),
    )
    settle_attempts: int = Field(
        default=5,
        ge=1,
        le=100,
        description=(
            "Tries of one request that settles a message, the first included; then the message is hidden with backoff"
            " instead, which frees its slot, and looked at again when it comes back. Parking is tried twice where the"
            " queue may have taken the copy."
        ),
    )
    settle_seconds: float = Field(
        default=30.0,
        ge=1,
        le=900,
        description=(
            "How long after its ending a message may be tried to be deleted, dead-lettered or parked before that."
        ),
    )
    hold_seconds: float = Field(
        default=900.0,
        ge=1,
        le=MAX_VISIBILITY_SECONDS,
        description=(
            "How long a held message (limit, pause, contest) or one of a rule in mode observe waits before it is"
            " looked at again. Up to engine.park_after_seconds it is hidden, while few messages are."
        ),
    )
    keep_seconds: float = Field(
        default=3600.0,
        ge=1,
        le=MAX_VISIBILITY_SECONDS,
        description="How long a message that cannot succeed waits while there is no dead-letter queue for it.",
    )
