"""What the witness has to be told about a run: queues, rules, keys, and which buckets are special. Pure values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from emulator.cloudconfig.configuration import BucketConfiguration
from emulator.cloudconfig.rules import Rule, configured
from emulator.cloudconfig.verdict import Compliance


@dataclass(frozen=True, slots=True)
class Watched:
    """One rule that the worker enforces, and what it may call to make a bucket comply."""

    rule: Rule
    group: str
    """Events of one group and bucket supersede each other: the worker's `[[rules]]` entry that takes them."""
    operations: frozenset[str]
    """Requests by which the worker may change a bucket for this rule."""

    @property
    def marks(self) -> frozenset[str]:
        """What an event names the rule by."""
        return frozenset({self.rule.id, self.rule.managed.identifier})

    def satisfied_by(self, bucket: BucketConfiguration) -> bool:
        """Whether a bucket in this state does not break the rule."""
        return self.rule.evaluate(bucket).compliance is not Compliance.NON_COMPLIANT


_OPERATIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "oss-bucket-public-read-prohibited": frozenset({"PutBucketAcl", "PutBucketPublicAccessBlock"}),
        "oss-bucket-public-write-prohibited": frozenset({"PutBucketAcl", "PutBucketPublicAccessBlock"}),
        "oss-bucket-anonymous-prohibited": frozenset(
            {"PutBucketAcl", "PutBucketPolicy", "DeleteBucketPolicy", "PutBucketPublicAccessBlock"}
        ),
        "oss-bucket-policy-no-any-anonymous": frozenset(
            {"PutBucketPolicy", "DeleteBucketPolicy", "PutBucketPublicAccessBlock"}
        ),
        "oss-bucket-only-https-enabled": frozenset({"PutBucketPolicy"}),
        "oss-bucket-server-side-encryption-enabled": frozenset({"PutBucketEncryption"}),
        "oss-default-encryption-kms": frozenset({"PutBucketEncryption"}),
        "oss-encryption-byok-check": frozenset({"PutBucketEncryption"}),
        "oss-bucket-versioning-enabled": frozenset({"PutBucketVersioning"}),
        "oss-bucket-logging-enabled": frozenset({"PutBucketLogging"}),
        "oss-bucket-logging-prefix-match": frozenset({"PutBucketLogging"}),
        "oss-bucket-referer-limit": frozenset({"PutBucketReferer"}),
        "oss-bucket-tls-version-check": frozenset({"PutBucketHttpsConfig"}),
        "oss-zrs-enabled": frozenset({"CreateBucketDataRedundancyTransition"}),
        "required-tags": frozenset({"PutBucketTags"}),
    }
)


def watch(
    identifier: str,
    *,
    rule_id: str | None = None,
    group: str = "",
    parameters: Mapping[str, str] | None = None,
) -> Watched:
    """A managed rule that the worker is expected to enforce; its id is the emulator's unless given.

    Raises:
        KeyError: no such identifier.
    """
    rule = configured(identifier, rule_id=rule_id, parameters=parameters)
    return Watched(rule, group or identifier, _OPERATIONS[identifier])


@dataclass(frozen=True, slots=True)
class Expectations:
    """What holds for one run."""

    account_id: str
    queue: str
    dead_letter_queue: str | None = None
    rules: tuple[Watched, ...] = ()
    """Rules in mode enforce; events of any other rule are not the worker's business."""
    member_accounts: frozenset[str] = frozenset()
    """Further accounts whose buckets the worker may repair."""
    observed: tuple[Watched, ...] = ()
    """Rules in mode observe: their events are kept while the bucket breaks them, and nothing is changed."""
    worker_access_keys: frozenset[str] | None = None
    """Keys that the worker signs with; None means every key except `other_access_keys`."""
    other_access_keys: frozenset[str] = frozenset()
    exempt: Collection[str] = field(default=frozenset())
    """Buckets that must not be changed, and whose events end well as they are."""
    held: Collection[str] = field(default=frozenset())
    """Buckets whose repair may be held back (limit, contest): they may stay broken and their messages in the queue."""
    converged: bool = True
    """Whether the run was given the time to end everything; without it nothing is asked of the final state."""
    reads_journaled: bool = False
    """Whether the journal holds reads: then every change has to have been read back before its message was deleted."""

    @property
    def every_rule(self) -> tuple[Watched, ...]:
        """Enforced and observed rules."""
        return (*self.rules, *self.observed)

    def is_worker(self, access_key_id: str) -> bool:
        """Whether a request with this key came from the worker; what the emulator does by itself has no key."""
        if not access_key_id or access_key_id in self.other_access_keys:
            return False
        return self.worker_access_keys is None or access_key_id in self.worker_access_keys

    def may_stay_broken(self, bucket: str) -> bool:
        """Whether nothing is asked of this bucket."""
        return bucket in self.exempt or bucket in self.held
