"""The scene of a run: emulator, channel, rules, keys, and workers whose times are short enough to converge fast."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mns.queue import QueueMeta

from emulator.client import Emulator, Identity
from emulator.cloudconfig.rules import default_rule_id
from emulator.process import in_process
from emulator.provisioning import account, setup_channel
from tests.faults.replica import Key, Replica
from tests.patience import PATIENCE_SECONDS
from witness import Expectations, Verdict, judge, watch
from witness.claim import EventClaim, claim_of

QUEUE = "main"
DEAD_LETTERS = "main-dead"
READ_RULE = "oss-bucket-public-read-prohibited"
WRITE_RULE = "oss-bucket-public-write-prohibited"
ENCRYPTION_RULE = "oss-bucket-server-side-encryption-enabled"
LEASE_SECONDS = 4
_WORKER = ("-m", "consumer")


@dataclass(frozen=True, slots=True)
class Pace:
    """The times of a worker's configuration, in seconds."""

    lease_seconds: int = LEASE_SECONDS
    wait_seconds: int = 1
    call_timeout_seconds: float = 1.0
    backoff_base_seconds: float = 1
    backoff_cap_seconds: float = 4
    max_attempts: int = 1000
    slots: int = 32
    workers: int = 8
    shutdown_grace_seconds: float = 15
    remediation: str = "oss.bucket-acl"
    dead_letter_queue: str = DEAD_LETTERS
    settle_seconds: float = 5.0
    hold_seconds: float = 1
    keep_seconds: float = 1
    park_after_seconds: float = 60
    """What waits for longer is parked; the other times here are short, so that nothing is unless this is."""
    observes: bool = False
    """Whether a third rule, of encryption, observes."""


_CONFIGURATION = """\
account_id = "{account}"

[queue]
region = "{region}"
name = "{queue}"
dead_letter_queue = "{pace.dead_letter_queue}"
endpoint = "{mns}"
wait_seconds = {pace.wait_seconds}
connect_timeout_seconds = 1
call_timeout_seconds = {pace.call_timeout_seconds}

[oss]
connect_timeout_seconds = 1
call_timeout_seconds = {pace.call_timeout_seconds}

[oss.endpoints]
"*" = "{oss}"

[engine]
workers = {pace.workers}
slots = {pace.slots}
pollers = 2
lease_seconds = {pace.lease_seconds}
max_lease_seconds = 60
work_budget_seconds = 10
shutdown_grace_seconds = {pace.shutdown_grace_seconds}
park_after_seconds = {pace.park_after_seconds}

[retry]
request_attempts = 4
request_base_seconds = 0.05
request_cap_seconds = 0.5
max_attempts = {pace.max_attempts}
settle_seconds = {pace.settle_seconds}
backoff_base_seconds = {pace.backoff_base_seconds}
backoff_cap_seconds = {pace.backoff_cap_seconds}
hold_seconds = {pace.hold_seconds}
keep_seconds = {pace.keep_seconds}

# Nothing is held back for long: what guards keep is not what is proved here, and short windows forget fast.
[limits]
max_changes = 1000000
window_seconds = 10

[breaker]
cool_down_seconds = 1

[contest]
max_fixes = 1000
window_seconds = 10

[log]
format = "json"

[[rules]]
name = "public-write"
remediation = "{pace.remediation}"
mode = "enforce"
config_rule_ids = ["{write_rule}"]

[[rules]]
name = "public-read"
remediation = "{pace.remediation}"
mode = "enforce"
config_rule_ids = ["{read_rule}"]
"""

_OBSERVED = """
[[rules]]
name = "encryption"
remediation = "oss.encryption"
mode = "observe"
config_rule_ids = ["{rule}"]
"""


class Stage:
    """One emulator with a channel, and the workers that are started on it."""

    def __init__(self, emulator: Emulator, folder: Path, *, module: tuple[str, ...] = _WORKER) -> None:
        self.emulator = emulator
        self.folder = folder
        self.replicas: list[Replica] = []
        self._module = module
        self.careless = module != _WORKER
        """Whether the workers are started with a change."""
        self._lasting_keys: set[str] = set()
        self._rules = (
            watch(WRITE_RULE, default_rule_id(WRITE_RULE), group="public-write"),
            watch(READ_RULE, default_rule_id(READ_RULE), group="public-read"),
        )
        self._observed = watch(ENCRYPTION_RULE, default_rule_id(ENCRYPTION_RULE), group="encryption")
        emulator.journal_reads(True)
        setup_channel(emulator, queue=QUEUE, dead_letter_queue=DEAD_LETTERS, visibility_timeout_seconds=LEASE_SECONDS)

    def new_identity(self) -> Identity:
        """A key for one worker, for as long as the stage stands."""
        identity = self.emulator.add_identity()
        self._lasting_keys.add(identity.access_key_id)
        return identity

    def replica(
        self, pace: Pace | None = None, *, key: Key | None = None, mode: str = "enforce", tables: str = "", **more: str
    ) -> Replica:
        """A place for a worker; not started. `tables` end its configuration, `more` are environment variables."""
        if key is None:
            identity = self.new_identity()
            key = Key(identity.access_key_id, identity.access_key_secret)
        added = Replica(
            self.folder,
            f"replica-{len(self.replicas)}",
            self.configuration(pace).replace('mode = "enforce"', f'mode = "{mode}"') + tables,
            key,
            module=self._module,
            environment=more,
        )
        self.replicas.append(added)
        return added

    def hide_for(self, seconds: int) -> None:
        """Let the queue hide what is received for so long; without this for LEASE_SECONDS."""
        with account(self.emulator) as owner:
            owner.get_queue(QUEUE).set_attributes(QueueMeta(vis_timeout=seconds))

    def configuration(self, pace: Pace | None = None) -> str:
        """The worker's configuration, without its [http] table."""
        known = self.emulator.endpoints
        write, read = self._rules
        pace = pace or Pace()
        text = _CONFIGURATION.format(
            account=known.account_id,
            region=known.region,
            queue=QUEUE,
            mns=known.mns,
            oss=known.oss,
            pace=pace,
            write_rule=write.rule_id,
            read_rule=read.rule_id,
        )
        return text + _OBSERVED.format(rule=self._observed.rule_id) if pace.observes else text

    def expectations(self, **changes: object) -> Expectations:
        """What the witness has to know of this stage."""
        known = self.emulator.endpoints
        return Expectations(
            **{  # type: ignore[arg-type]
                "account_id": known.account_id,
                "queue": QUEUE,
                "dead_letter_queue": DEAD_LETTERS,
                "rules": self._rules,
                "observed": (self._observed,),
                "other_access_keys": frozenset({known.access_key_id}),
                "lasting_access_keys": frozenset(self._lasting_keys),
                "reads_journaled": True,
                **changes,
            }
        )

    def verdict(self, **changes: object) -> Verdict:
        """The witness's verdict on everything up to now."""
        return judge(self.emulator.journal(), self.expectations(**changes))

    def left(self, queue: str = QUEUE) -> int:
        """How many messages a queue holds, hidden ones included."""
        found = self.emulator.state()["mns"]["queues"][queue]
        return int(found["active"] + found["inactive"] + found["delayed"])

    def waiting(self, queue: str = QUEUE, *, held: Collection[str] = ()) -> int:
        """How many messages there are behind those in a queue: parked copies of one message count once.

        Those about the resources in `held` do not count. How many there are of them nobody knows: some were published
        twice, and of others none is left since the queue was deleted.
        """
        found = self.emulator.state()["mns"]["queues"][queue]["messages"]
        return len({_origin(message) for message in found if _resource(message) not in held})

    def broken(self) -> list[str]:
        """Our own buckets that break a rule now."""
        buckets = self.emulator.state()["oss"]["buckets"]
        ours = self.emulator.endpoints.account_id
        return [name for name, bucket in buckets.items() if bucket["owner_id"] == ours and bucket["acl"] != "private"]


def _resource(message: dict[str, Any]) -> str:
    claim = claim_of(message["body"])
    return claim.bucket if isinstance(claim, EventClaim) and claim.sound else ""


def _origin(message: dict[str, Any]) -> str:
    named = [item["value"] for item in message["user"] if item["name"] == "remediator-origin-id"]
    return str(named[0] if named else message["id"])


@contextmanager
def staged(folder: Path, *, module: tuple[str, ...] = _WORKER) -> Iterator[Stage]:
    """A stage with an emulator process of its own; every worker still running at the end is killed."""
    with ExitStack() as stack:
        stage = Stage(stack.enter_context(in_process()), folder, module=module)
        try:
            yield stage
        finally:
            for replica in stage.replicas:
                if replica.running:
                    replica.kill()


def until(happened: Callable[[], bool], seconds: float = PATIENCE_SECONDS, *, every: float = 0.02) -> bool:
    """Whether something happened within so many seconds."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True
