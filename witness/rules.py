"""What each managed rule wants of a bucket, written from its page under "List of managed rules" of Cloud Config.

The emulator evaluates the same rules by code of its own. Where both were wrong in the same way nobody would notice;
so this is written from the pages alone, and where a page leaves something open, the stricter reading is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from witness.public_access import is_public, names_everyone, statements
from witness.security_groups import GROUP_TYPE, GroupState, is_closed


@dataclass(frozen=True, slots=True)
class BucketState:
    """What rules can see of one bucket."""

    resource_type: ClassVar[str] = "ACS::OSS::Bucket"

    name: str
    owner_id: str
    region: str
    """Without `oss-`."""
    acl: str = "private"
    policy: str | None = None
    """JSON text as stored."""
    sse_algorithm: str | None = None
    kms_key_id: str | None = None
    versioning: str | None = None
    log_bucket: str | None = None
    log_prefix: str = ""
    allow_empty_referer: bool = True
    referers: tuple[str, ...] = ()
    tls_enabled: bool = False
    tls_versions: tuple[str, ...] = ()
    redundancy: str = "LRS"
    tags: Mapping[str, str] = field(default_factory=dict)


Parameters = Mapping[str, str]


def _policy_is_closed(bucket: BucketState, parameters: Parameters) -> bool:
    """No Allow for everyone; a parameter of ours accepts one that is bound to fixed networks."""
    if is_public(bucket.policy):
        return False
    if bucket.policy is None or parameters.get("restrictedIsFine") == "true":
        return True
    return not any(_allows(each) and names_everyone(each) for each in statements(bucket.policy))


def _https_only(bucket: BucketState, _: Parameters) -> bool:
    """Some statement denies everyone everything on the bucket and all its objects when TLS is not used."""
    if bucket.policy is None:
        return False
    try:
        found = list(statements(bucket.policy))
    except (ValueError, RecursionError):
        return False
    return any(_denies_plain_http(bucket, statement) for statement in found)


def _denies_plain_http(bucket: BucketState, statement: Mapping[str, Any]) -> bool:
    resources = {
        f"acs:oss:*:{owner}:{bucket.name}{suffix}" for owner in ("*", bucket.owner_id) for suffix in ("", "/*")
    }
    given = set(_listed(statement.get("Resource")))
    covered = {resource.rpartition(":")[2] for resource in given & resources}
    return (
        statement.get("Effect") == "Deny"
        and names_everyone(dict(statement))
        and bool({"*", "oss:*"} & set(_listed(statement.get("Action"))))
        and covered == {bucket.name, f"{bucket.name}/*"}
        and _tests_only_transport(statement.get("Condition"))
    )


def _tests_only_transport(condition: object) -> bool:
    test = condition.get("Bool") if isinstance(condition, dict) and len(condition) == 1 else None
    values = test.get("acs:SecureTransport") if isinstance(test, dict) and len(test) == 1 else None
    return [str(value).lower() for value in _listed(values)] == ["false"]


def _referers(bucket: BucketState, parameters: Parameters) -> bool:
    allowed = _split(parameters.get("allowReferers", ""))
    if parameters.get("allowEmptyReferer", "true") == "false" and bucket.allow_empty_referer:
        return False
    return bool(bucket.referers) and (not allowed or set(bucket.referers) <= allowed)


def _tags(bucket: BucketState, parameters: Parameters) -> bool:
    for number in range(1, 7):
        key = parameters.get(f"tag{number}Key")
        wanted = _split(parameters.get(f"tag{number}Value", ""))
        if key and (key not in bucket.tags or (wanted and bucket.tags[key] not in wanted)):
            return False
    return True


State = BucketState | GroupState
Satisfied = Callable[[Any, Parameters], bool]
"""Called with states of one type of resource only."""

WANTED: Mapping[str, Satisfied] = {
    "oss-bucket-public-read-prohibited": lambda bucket, _: bucket.acl == "private",
    "oss-bucket-public-write-prohibited": lambda bucket, _: bucket.acl in ("private", "public-read"),
    "oss-bucket-anonymous-prohibited": lambda bucket, given: (
        bucket.acl == "private" or _policy_is_closed(bucket, given)
    ),
    "oss-bucket-policy-no-any-anonymous": _policy_is_closed,
    "oss-bucket-only-https-enabled": _https_only,
    "oss-bucket-server-side-encryption-enabled": lambda bucket, _: bool(bucket.sse_algorithm),
    "oss-default-encryption-kms": lambda bucket, _: bucket.sse_algorithm == "KMS",
    "oss-encryption-byok-check": lambda bucket, _: bucket.sse_algorithm == "KMS" and bool(bucket.kms_key_id),
    "oss-bucket-versioning-enabled": lambda bucket, _: bucket.versioning == "Enabled",
    "oss-bucket-logging-enabled": lambda bucket, _: bool(bucket.log_bucket),
    "oss-bucket-logging-prefix-match": lambda bucket, given: (
        bool(bucket.log_bucket) and bucket.log_prefix == given["LogPrefix"]
    ),
    "oss-bucket-referer-limit": _referers,
    "oss-bucket-tls-version-check": lambda bucket, given: (
        bucket.tls_enabled and bool(bucket.tls_versions) and set(bucket.tls_versions) <= _split(given["tlsVersion"])
    ),
    "oss-zrs-enabled": lambda bucket, _: bucket.redundancy == "ZRS",
    "required-tags": _tags,
    "sg-risky-ports-check": is_closed,
}
"""By identifier: whether a bucket or group does not break the rule."""

_OF_GROUPS = frozenset({"sg-risky-ports-check"})

_DEFAULTS: Mapping[str, Parameters] = {
    "oss-bucket-logging-prefix-match": {"LogPrefix": "oss-accesslog/"},
    "oss-bucket-tls-version-check": {"tlsVersion": "TLSv1.2,TLSv1.3"},
    "sg-risky-ports-check": {"ports": "22,3389"},
}

_ACL = frozenset({"PutBucketAcl"})
_POLICY = frozenset({"PutBucketPolicy", "DeleteBucketPolicy"})
_BLOCK = frozenset({"PutBucketPublicAccessBlock"})
_ENCRYPTION = frozenset({"PutBucketEncryption"})
_LOGGING = frozenset({"PutBucketLogging"})

_OPERATIONS: Mapping[str, frozenset[str]] = {
    "oss-bucket-public-read-prohibited": _ACL | _BLOCK,
    "oss-bucket-public-write-prohibited": _ACL | _BLOCK,
    "oss-bucket-anonymous-prohibited": _ACL | _POLICY | _BLOCK,
    "oss-bucket-policy-no-any-anonymous": _POLICY | _BLOCK,
    "oss-bucket-only-https-enabled": frozenset({"PutBucketPolicy"}),
    "oss-bucket-server-side-encryption-enabled": _ENCRYPTION,
    "oss-default-encryption-kms": _ENCRYPTION,
    "oss-encryption-byok-check": _ENCRYPTION,
    "oss-bucket-versioning-enabled": frozenset({"PutBucketVersioning"}),
    "oss-bucket-logging-enabled": _LOGGING,
    "oss-bucket-logging-prefix-match": _LOGGING,
    "oss-bucket-referer-limit": frozenset({"PutBucketReferer"}),
    "oss-bucket-tls-version-check": frozenset({"PutBucketHttpsConfig"}),
    "oss-zrs-enabled": frozenset({"CreateBucketDataRedundancyTransition"}),
    "required-tags": frozenset({"PutBucketTags"}),
    "sg-risky-ports-check": frozenset({"RevokeSecurityGroup"}),
}


@dataclass(frozen=True, slots=True)
class Watched:
    """One rule that the worker enforces or observes, and what it may call to make a resource comply."""

    identifier: str
    rule_id: str
    group: str
    """Events of one group and bucket supersede each other: the worker's `[[rules]]` entry that takes them."""
    parameters: Parameters = field(default_factory=dict)

    @property
    def marks(self) -> frozenset[str]:
        """What an event names the rule by."""
        return frozenset({self.rule_id, self.identifier})

    @property
    def operations(self) -> frozenset[str]:
        """Requests by which the worker may change a bucket for this rule."""
        return _OPERATIONS[self.identifier]

    @property
    def resource_type(self) -> str:
        """What it judges."""
        return GROUP_TYPE if self.identifier in _OF_GROUPS else BucketState.resource_type

    def satisfied_by(self, state: State) -> bool:
        """Whether a resource in this state does not break the rule: one of another type cannot."""
        return state.resource_type != self.resource_type or WANTED[self.identifier](state, self.parameters)


def watch(identifier: str, rule_id: str, *, group: str = "", parameters: Parameters | None = None) -> Watched:
    """A managed rule as the account has configured it.

    Raises:
        KeyError: no such identifier is known here.
    """
    _OPERATIONS[identifier]
    return Watched(identifier, rule_id, group or identifier, {**_DEFAULTS.get(identifier, {}), **(parameters or {})})


def _allows(statement: Mapping[str, Any]) -> bool:
    return statement.get("Effect") != "Deny"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _split(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}
