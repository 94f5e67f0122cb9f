"""The records that listeners get of the flow: frozen, and passed on after the fact.

The engine and the gateways know this module and nothing else of telemetry. A listener that fails is counted and
never disturbs a message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar

from consumer.core.event import Event
from consumer.core.message import Received
from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.core.sent import NO_REQUESTS, SentRequests, note_request
from consumer.core.sent import ApiCall as ApiCall

_R = TypeVar("_R")


class StepName(StrEnum):
    """A step of a delivery's way, or of the journal's own life."""

    OPENED = "opened"
    """A process began to write."""
    RECEIVED = "received"
    DECIDED = "decided"
    """How the delivery is going to end, without a verified change."""
    BEFORE = "before"
    """A change is about to be made: the state found, and the one to be reached."""
    CHANGED = "changed"
    """The service has taken the change."""
    VERIFIED = "verified"
    """The live resource was read back as wanted."""
    SETTLED = "settled"
    """What became of the message on the queue."""
    RECOVERED = "recovered"
    """The bytes before this line are the torn end of an earlier process."""
    CONTINUED = "continued"
    """The first line of a process in a new file: the one before was moved away, and ended with the line named here."""
    GAP = "gap"
    """So many lines before this one could not be written, while work went on without them."""
    UNDO_BEFORE = "undo_before"
    UNDONE = "undone"
    UNDONE_IN_PART = "undone_in_part"
    """A request of an undo was refused after earlier ones were accepted: the state that was read back."""


@dataclass(frozen=True, slots=True)
class Retry:
    """One more try of the same request inside the lease."""

    service: str
    operation: str
    reason: str
    delay_seconds: float


@dataclass(frozen=True, slots=True)
class LeaseRenewal:
    """One attempt to keep a lease."""

    message_id: str
    result: str
    """`renewed`, `lost`, `capped` (its total extension is used up) or an error code."""


@dataclass(frozen=True, slots=True)
class SettleError:
    """A settlement that did not work out; it is tried again while the lease lasts."""

    message_id: str
    action: str
    """`delete`, `hide`, `dead_letter` or `park`."""
    code: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything about one delivery, once it is settled: the source of its metrics, log line and journal entry."""

    message: Received
    outcome: Outcome | None
    """As it was settled: `lease_lost` when the ending below could not be carried out, None for a released delivery."""
    disposition: Disposition
    ending: Ending | None
    """How the work ended; None for a delivery that was released untouched."""
    event: Event | None
    rule: str
    """The rule's name, or empty."""
    remediation: str
    mode: str
    attempts: int
    """Real failures of this message, this one included, with those that its parked copies had before."""
    hidden_seconds: float
    settled_at_ms: int
    """Local wall clock, milliseconds since the epoch."""
    request_ids: tuple[str, ...] = ()
    """The service's ids of the requests that the work took, in their order."""
    parked_as: str = ""
    """The id of its parked copy."""
    parked_seconds: float = 0.0
    """For how long that copy waits."""
    stage_seconds: tuple[tuple[str, float], ...] = field(default=())
    """How long each stage took, by name, in the order of the way: wait, decode, inspect, apply, verify, settle."""
    confirmed: bool = False
    """Whether a look has confirmed that the resource is there, and in the account that the event names."""

    @property
    def first_ms(self) -> int | None:
        """When the first copy of a parked message was there, as far as that can be believed; None for any other."""
        history = self.message.carried.history
        return history.first_enqueued_ms if history else None

    @property
    def kept_seconds(self) -> float:
        """How long after it was settled the message, or its copy, can be received again; 0 if it is not kept."""
        return self.hidden_seconds or self.parked_seconds


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a delivery's way, reported before the next one is taken."""

    name: StepName
    message: Received
    event: Event | None = None
    rule: str = ""
    remediation: str = ""
    mode: str = ""
    ending: Ending | None = None
    """How it is going to be settled, once that is known."""
    before: str = ""
    after: str = ""
    incarnation: str = ""
    """Which resource of that id it is about: the service's own text for when it was created; empty before a look."""
    request_ids: tuple[str, ...] = ()
    """The service's ids of the requests that the work took, once its ending is known."""
    observed: str = ""
    """`keep` or `delete`: what the rule does with a message that it has only observed."""
    requests: SentRequests = NO_REQUESTS
    """The same requests with their answers, and those that the guards needed."""


class Listener(Protocol):
    """Something that watches: metrics, the log."""

    def api_call(self, call: ApiCall) -> None: ...
    def retry(self, retry: Retry) -> None: ...
    def renewal(self, renewal: LeaseRenewal) -> None: ...
    def settle_error(self, error: SettleError) -> None: ...
    def report(self, report: Report) -> None: ...


class StepListener(Protocol):
    """Something that records each delivery step by step: the journal."""

    def received(self, messages: Sequence[Received]) -> None: ...
    def step(self, step: Step) -> None: ...
    def report(self, report: Report) -> None: ...

    def sync(self) -> None:
        """Return when all that is recorded so far is on record for good."""


class Hooks:
    """Passes each record to every listener, in their order."""

    def __init__(self, listeners: tuple[Listener, ...] = (), step_listeners: tuple[StepListener, ...] = ()) -> None:
        self._api_call = tuple(listener.api_call for listener in listeners)
        self._retry = tuple(listener.retry for listener in listeners)
        self._renewal = tuple(listener.renewal for listener in listeners)
        self._settle_error = tuple(listener.settle_error for listener in listeners)
        # Step listeners get the report before those that only get reports.
        self._report = (*(each.report for each in step_listeners), *(listener.report for listener in listeners))
        self._received = tuple(each.received for each in step_listeners)
        self._step = tuple(each.step for each in step_listeners)
        self._sync = tuple(_without_record(each.sync) for each in step_listeners)
        self.failures = 0
        """How many calls to a listener raised; their messages were not affected."""

    @property
    def has_step_listeners(self) -> bool:
        """Whether anything listens to steps, so that it is worth making a record of each."""
        return bool(self._step)

    def api_call(self, call: ApiCall) -> None:
        """A request to a service has ended."""
        note_request(call)
        self._notify(self._api_call, call)

    def retry(self, retry: Retry) -> None:
        """A request is about to be tried again."""
        self._notify(self._retry, retry)

    def renewal(self, renewal: LeaseRenewal) -> None:
        """A lease was renewed or could not be."""
        self._notify(self._renewal, renewal)

    def settle_error(self, error: SettleError) -> None:
        """A settlement failed and will be tried again."""
        self._notify(self._settle_error, error)

    def report(self, report: Report) -> None:
        """A delivery has been settled."""
        self._notify(self._report, report)

    def received(self, messages: Sequence[Received]) -> None:
        """Messages have arrived, before anything is made of them."""
        if messages:
            self._notify(self._received, messages)

    def step(self, step: Step) -> bool:
        """A delivery is about to go on to its next step; returns whether every step listener has recorded it."""
        return self._notify(self._step, step)

    def sync(self) -> bool:
        """Something is about to be done that the records so far announce; returns whether they are there for good."""
        return self._notify(self._sync, None)

    def _notify(self, listeners: tuple[Callable[[_R], None], ...], record: _R) -> bool:
        all_done = True
        for notify in listeners:
            try:
                notify(record)
            except Exception:  # noqa: BLE001 - a listener must never change what happens to a message
                self.failures += 1
                all_done = False
        return all_done


def _without_record(call: Callable[[], None]) -> Callable[[None], None]:
    return lambda _: call()
