"""Stand-ins for what lies outside the engine: a clock, a queue with MNS's visibility semantics, buckets that vanish.

They imitate the gateways' own protocols, never a vendor SDK; the real SDKs meet the emulator in the integration tests.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from consumer.core.errors import MessageGone, PermanentError, ResourceGone, ServiceError, Unanswered
from consumer.core.message import Received, body_md5
from consumer.core.observers import ApiCall, LeaseRenewal, Report, Retry, SettleError
from consumer.core.parked import PropertyName, UserProperty, carried
from consumer.engine.delivery import Delivery
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.lease import Lease
from consumer.engine.timings import Timings
from consumer.resources.oss.bucket import BucketInfo
from consumer.resources.oss.named_settings import NamedSettings
from consumer.resources.oss.settings.base import Setting
from tests.unit.bodies import ACCOUNT

T = TypeVar("T")


class Clock:
    """A monotonic clock that moves when told to."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def middle(low: float, high: float) -> float:
    """Jitter without chance."""
    return (low + high) / 2


def instant_heartbeat(clock: Clock) -> Heartbeat:
    """A heartbeat whose idle waits take no real time."""
    heartbeat = Heartbeat("test", 60.0, monotonic=clock)
    heartbeat.idle_seconds = 0.0
    return heartbeat


class Recorder:
    """A listener that keeps everything it is told."""

    def __init__(self) -> None:
        self.calls: list[ApiCall] = []
        self.retries: list[Retry] = []
        self.renewals: list[LeaseRenewal] = []
        self.settle_errors: list[SettleError] = []
        self.reports: list[Report] = []

    def api_call(self, call: ApiCall) -> None:
        """A request has ended."""
        self.calls.append(call)

    def retry(self, retry: Retry) -> None:
        """A request is tried again."""
        self.retries.append(retry)

    def renewal(self, renewal: LeaseRenewal) -> None:
        """A lease was renewed or not."""
        self.renewals.append(renewal)

    def settle_error(self, error: SettleError) -> None:
        """A settlement failed."""
        self.settle_errors.append(error)

    def report(self, report: Report) -> None:
        """A delivery was settled."""
        self.reports.append(report)


def service_error(kind: type[ServiceError], code: str = "Test") -> ServiceError:
    """An error of a service."""
    return kind("mns", "Test", code, "as the test wants it")


@dataclass(slots=True)
class Stored:
    """One message in the fake queue."""

    message_id: str
    body: str
    visible_at: float
    handle: str = ""
    dequeue_count: int = 0
    enqueued_ms: int = 0
    first_received_ms: int = 0
    priority: int = 8
    properties: tuple[UserProperty, ...] = ()


@dataclass
class FakeQueue:
    """One queue with the visibility semantics of MNS, as far as an engine can notice them.

    A receive and a change of visibility each replace the receipt handle; whoever comes with an older one, or after
    the visibility timeout, gets MessageGone. Errors are taken from `before` (the request has no effect) and `after`
    (it has taken effect, and its reply is lost).
    """

    clock: Clock
    visibility_seconds: int = 30
    messages: dict[str, Stored] = field(default_factory=dict)
    before: deque[ServiceError | None] = field(default_factory=deque)
    after: deque[ServiceError | None] = field(default_factory=deque)
    before_send: deque[ServiceError | None] = field(default_factory=deque)
    after_send: deque[ServiceError | None] = field(default_factory=deque)
    sent: list[tuple[str, int]] = field(default_factory=list)
    """Id and delay of every message that was sent, in order, whether its sender heard of it or not."""
    origins: list[tuple[str, int]] = field(default_factory=list)
    """The original's id and the receipts that each message which was sent names."""
    keeps_properties: bool = True
    superseded: set[str] = field(default_factory=set)
    """Handles that a confirmed change of visibility has replaced: nobody may send one again."""
    stale_deletes: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    """Message ids, in order."""
    hidden: list[tuple[str, int]] = field(default_factory=list)
    """Message id and seconds of every change of visibility that took effect, in order."""
    batches: list[int] = field(default_factory=list)
    """Sizes of the delete requests."""
    receives: list[tuple[int, int]] = field(default_factory=list)
    """Count and wait of every receive."""
    _minted: int = 0

    def put(self, message_id: str, body: str = "body") -> None:
        """A producer sends a message."""
        self.messages[message_id] = Stored(message_id, body, self.clock(), enqueued_ms=self.now_ms)

    def send(self, body: str, *, delay_seconds: int, priority: int, properties: Sequence[UserProperty] = ()) -> str:
        """SendMessage."""
        assert 1 <= delay_seconds <= 604_800
        self._fail(self.before_send)
        copy_id = f"copy-{len(self.sent) + 1}"
        values = {found.name: found.value for found in properties}
        self.sent.append((copy_id, delay_seconds))
        self.origins.append((values.get(PropertyName.ORIGIN_ID, ""), int(values.get(PropertyName.RECEIPTS, "0"))))
        self.messages[copy_id] = Stored(
            copy_id,
            body,
            self.clock() + delay_seconds,
            enqueued_ms=self.now_ms,
            priority=priority,
            properties=tuple(properties) if self.keeps_properties else (),
        )
        self._fail(self.after_send)
        return copy_id

    @property
    def now_ms(self) -> int:
        """The service's clock."""
        return 1_630_907_920_000 + round(self.clock() * 1_000)

    def receive(self, count: int, wait_seconds: int) -> list[Received]:
        """BatchReceiveMessage."""
        self.receives.append((count, wait_seconds))
        self._fail(self.before)
        visible = [stored for stored in self.messages.values() if stored.visible_at <= self.clock()][:count]
        arrived = [self._hand_out(stored) for stored in visible]
        self._fail(self.after)
        return arrived

    def delete(self, receipt_handles: Sequence[str]) -> dict[str, ServiceError]:
        """BatchDeleteMessage."""
        self.batches.append(len(receipt_handles))
        self.stale_deletes += [handle for handle in receipt_handles if handle in self.superseded]
        self._fail(self.before)
        failures: dict[str, ServiceError] = {}
        for handle in receipt_handles:
            stored = self._named(handle)
            if stored is None:
                failures[handle] = service_error(MessageGone, "MessageNotExist")
            else:
                del self.messages[stored.message_id]
                self.deleted.append(stored.message_id)
        self._fail(self.after)
        return failures

    def hide(self, receipt_handle: str, seconds: int) -> str:
        """ChangeMessageVisibility."""
        assert 1 <= seconds <= 43_200
        self._fail(self.before)
        stored = self._named(receipt_handle)
        if stored is None:
            raise service_error(MessageGone, "MessageNotExist")
        stored.handle = self._mint(stored)
        stored.visible_at = self.clock() + seconds
        self.hidden.append((stored.message_id, seconds))
        self._fail(self.after)
        self.superseded.add(receipt_handle)
        return stored.handle

    def _hand_out(self, stored: Stored) -> Received:
        stored.handle = self._mint(stored)
        stored.visible_at = self.clock() + self.visibility_seconds
        stored.dequeue_count += 1
        stored.first_received_ms = stored.first_received_ms or self.now_ms
        return replace(
            received(stored.message_id, stored.body, handle=stored.handle, seconds=self.visibility_seconds),
            dequeue_count=stored.dequeue_count,
            enqueued_at_ms=stored.enqueued_ms,
            first_dequeued_at_ms=stored.first_received_ms,
            carried=carried(stored.properties, stored.enqueued_ms),
            priority=stored.priority,
            age_seconds=(self.now_ms - stored.enqueued_ms) / 1_000,
        )

    def _named(self, handle: str) -> Stored | None:
        for stored in self.messages.values():
            if stored.handle == handle and stored.visible_at > self.clock():
                return stored
        return None

    def _mint(self, stored: Stored) -> str:
        self._minted += 1
        return f"{stored.message_id}#{self._minted}"

    @staticmethod
    def _fail(planned: deque[ServiceError | None]) -> None:
        if planned and (error := planned.popleft()):
            raise error


@dataclass
class FakeDeadLetters:
    """A dead-letter queue that keeps bodies."""

    before: deque[ServiceError | None] = field(default_factory=deque)
    after: deque[ServiceError | None] = field(default_factory=deque)
    bodies: list[str] = field(default_factory=list)

    def send(self, body: str) -> str:
        """SendMessage."""
        FakeQueue._fail(self.before)
        self.bodies.append(body)
        FakeQueue._fail(self.after)
        return f"dead-{len(self.bodies)}"


def received(message_id: str = "m-1", body: str = "body", *, handle: str = "", seconds: float = 30.0) -> Received:
    """What a receive brought."""
    return Received(
        *(message_id, body, handle or f"{message_id}#0", 1, 1_630_907_920_000, 1_630_907_921_000, seconds),
        body_md5=body_md5(body),
    )


def delivery(clock: Clock, message: Received | None = None) -> Delivery:
    """A delivery that has just arrived."""
    message = message or received()
    lease = Lease(message.message_id, message.receipt_handle, clock(), message.lease_seconds)
    return Delivery(message, lease, clock(), Timings(clock))


@dataclass
class FakeBuckets:
    """Every bucket there is; PutBucketAcl creates a missing one, as the service does."""

    info: dict[str, BucketInfo] = field(default_factory=dict)
    before: dict[str, deque[Exception | Callable[[], None]]] = field(default_factory=dict)
    """By operation, what happens before its next calls: an error to raise or something to do."""
    after: dict[str, deque[Exception | Callable[[], None]]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    not_empty: set[str] = field(default_factory=set)
    settings: dict[tuple[str, str], Any] = field(default_factory=dict)
    """By bucket and name of the setting; what is left out is not configured."""
    ignores_acl: bool = False
    created: int = 0

    def add(self, name: str, acl: str = "public-read", owner_id: str = ACCOUNT) -> None:
        """Somebody creates a bucket."""
        self.created += 1
        self.info[name] = BucketInfo(owner_id, "cn-beijing", f"2021-09-06T00:00:{self.created:02}.000Z", acl)

    def happen(self, when: dict[str, deque[Exception | Callable[[], None]]], operation: str) -> None:
        """Do what the test planned at this point."""
        planned = when.get(operation)
        if not planned:
            return
        event = planned.popleft()
        if isinstance(event, Exception):
            raise event
        event()


class FakeBucket(NamedSettings):
    """One bucket; implements `consumer.resources.oss.bucket.Bucket`."""

    def __init__(self, buckets: FakeBuckets, name: str) -> None:
        self.name = name
        self.request_ids: list[str] = []
        self.granted: set[str] = set()
        self._buckets = buckets

    def identity(self) -> BucketInfo:
        """GetBucketInfo."""
        return self.info()

    def info(self) -> BucketInfo:
        """GetBucketInfo."""
        self._begin("info")
        if self.name not in self._buckets.info:
            raise ResourceGone("oss", "GetBucketInfo", "NoSuchBucket", "The specified bucket does not exist.")
        found = self._buckets.info[self.name]
        self._buckets.happen(self._buckets.after, "info")
        return found

    def put_acl(self, acl: str) -> None:
        """PutBucketAcl."""
        self._begin("put_acl")
        if self.name not in self._buckets.info:
            self._buckets.add(self.name)
        if not self._buckets.ignores_acl:
            self._buckets.info[self.name] = replace(self._buckets.info[self.name], acl=acl)
        self.granted.add("oss:PutBucketAcl")
        self._buckets.happen(self._buckets.after, "put_acl")

    def delete(self) -> None:
        """DeleteBucket."""
        self._begin("delete")
        if self.name not in self._buckets.info:
            raise ResourceGone("oss", "DeleteBucket", "NoSuchBucket", "The specified bucket does not exist.")
        if self.name in self._buckets.not_empty:
            raise PermanentError("oss", "DeleteBucket", "BucketNotEmpty", "The bucket is not empty.")
        del self._buckets.info[self.name]

    def read(self, setting: Setting[T]) -> T:
        """The record of a setting."""
        self._begin(setting.name)
        found: T = self._buckets.settings.get((self.name, setting.name), setting.unset)
        return found

    def write(self, setting: Setting[T], value: T) -> None:
        """Replace it."""
        self._begin(f"put_{setting.name}")
        self._buckets.settings[self.name, setting.name] = value

    def clear(self, setting: Setting[Any]) -> None:
        """Take it away."""
        self._begin(f"delete_{setting.name}")
        self._buckets.settings.pop((self.name, setting.name), None)

    def _begin(self, operation: str) -> None:
        self._buckets.calls.append(operation)
        self._buckets.happen(self._buckets.before, operation)


def unanswered() -> ServiceError:
    """No answer came."""
    return service_error(Unanswered, "timeout")
